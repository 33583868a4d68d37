//go:build system

package cluster

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

type object = map[string]any

// repeat is an OpenAI-compatible server whose model takes its time and repeats
// what it is told. It answers a chat completion in one piece: a line for each message
// that is not answered yet.
func repeat(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Messages []struct{ Role, Content string }
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &ask)
	}
	if err != nil || len(ask.Messages) == 0 {
		http.Error(w, "no messages", http.StatusBadRequest)
		return
	}
	var lines []string
	for _, m := range ask.Messages {
		switch m.Role {
		case "user":
			for line := range strings.Lines(m.Content) {
				if line = strings.TrimSpace(line); line != "" {
					lines = append(lines, "You said "+line)
				}
			}
		case "assistant":
			lines = nil
		}
	}
	time.Sleep(20*time.Millisecond + rand.N(100*time.Millisecond))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{ // whoever hung up does not want it
		"id": "c", "object": "chat.completion", "model": "repeat",
		"choices": []object{{"index": 0, "finish_reason": "stop", "message": object{"role": "assistant", "content": strings.Join(lines, "\n\n")}}},
		"usage":   object{"total_tokens": 7},
	})
}
