//go:build system

package system

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// gate lets requests through when it is open, and holds them when it is not.
type gate struct {
	http.Handler

	mu   sync.Mutex
	way  chan struct{} // closed while the gate is open
	held int           // requests that wait
}

func newGate(h http.Handler) *gate { return &gate{Handler: h, way: make(chan struct{})} }

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.way)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.way = make(chan struct{})
}

// waiting is how many requests wait at the gate.
func (g *gate) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

// ServeHTTP passes a request on once the gate is open. Whoever has gone by then
// is not let in: the other side would take a message that nobody stands by.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // only then it is noticed when somebody goes
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.mu.Lock()
	way := g.way
	g.held++
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.held--
	}()
	select {
	case <-way:
	case <-r.Context().Done():
	}
	if r.Context().Err() == nil {
		g.Handler.ServeHTTP(w, r)
	}
}

// newModel is an OpenAI-compatible server whose model repeats what it is told.
// It ends with the test.
func newModel(t *testing.T) (g *gate, url string) {
	g = newGate(http.HandlerFunc(repeat))
	server := httptest.NewServer(g)
	t.Cleanup(func() {
		server.CloseClientConnections() // whatever hangs
		server.Close()
	})
	return g, server.URL + "/v1"
}

// repeat answers a chat completion in one piece.
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
	said := ask.Messages[len(ask.Messages)-1].Content
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object{ // whoever hung up does not want it
		"id": "c", "object": "chat.completion", "model": "repeat",
		"choices": []object{{"index": 0, "finish_reason": "stop", "message": object{"role": "assistant", "content": "You said " + said}}},
		"usage":   object{"total_tokens": 7},
	})
}
