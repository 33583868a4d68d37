package parley_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/events"
	"parley/events/memory"
)

// wordServer is a model's server that writes one word after the other, each when
// it is told to.
type wordServer struct {
	*httptest.Server
	words chan string // closed at the end of the answer
	gone  chan struct{}
}

func newWordServer(t *testing.T) *wordServer {
	s := &wordServer{words: make(chan string), gone: make(chan struct{}, 8)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *wordServer) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(delta, finish string) {
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":%s}],\"usage\":{\"total_tokens\":9}}\n\n", delta, finish)
		w.(http.Flusher).Flush()
	}
	w.(http.Flusher).Flush()
	for {
		select {
		case word, more := <-s.words:
			if !more {
				say("", `"stop"`)
				fmt.Fprint(w, "data: [DONE]\n\n")
				return
			}
			say(word, "null")
		case <-r.Context().Done():
			s.gone <- struct{}{}
			return
		}
	}
}

// live starts a node in real time, with a listener and the openai engine.
func live(t *testing.T, models string) (base string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	node, err := parley.Start(t.Context(), parley.Config{
		Data: t.TempDir(), Model: "gpt-x", GraphURL: "http://graph.test", OpenAIURL: models + "/v1", Media: "mem://",
		MasterKeyFile: t.TempDir() + "/master.key", TurnTime: time.Minute, Tasks: 8, Settle: time.Second, NumberRate: 80,
		Tokens: map[string]events.Secret{"acme": events.NewSecret(apiSecret)},
	}, parley.Parts{Store: memory.New()}, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := node.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String() + "/api/v1"
}

// askLive calls the API for lines.
func askLive(t *testing.T, url string, body any) *http.Response {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/jsonl")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestWordsReachTheClientWhileTheModelWrites(t *testing.T) { // A21
	model := newWordServer(t)
	base := live(t, model.URL)
	words := []string{"Grüß", " Gott", " 🤖", "!"}
	first := make(chan struct{})
	go func() { defer close(first); model.words <- words[0] }() // before the headers can come
	response := askLive(t, base+"/conversation/complete", object{"messages": says("user: hi")})
	<-first
	lines := bufio.NewReader(response.Body)
	for i, word := range words {
		l, err := lines.ReadString('\n')
		var got answerLine
		if err != nil || json.Unmarshal([]byte(l), &got) != nil || got.Type != "token" || got.Data["token"] != word {
			t.Fatalf("line %d: %q, %v", i, l, err)
		}
		if i+1 < len(words) {
			model.words <- words[i+1] // only now does the model write on
		}
	}
	close(model.words)
	for _, want := range []string{`{"type":"message","data":{"text":"Gr\u00fc\u00df Gott \ud83e\udd16!","type":"bot"}}`, `{"type":"result","data":{"text":"Gr\u00fc\u00df Gott \ud83e\udd16!","usage":{"token":9},"end":{"reason":"stop"}}}`} {
		if l, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(l) != want {
			t.Fatalf("line %q, %v", l, err)
		}
	}
	if rest, err := lines.ReadString('\n'); rest != "" || err == nil {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestAClientThatGoesStopsAStatelessAnswer(t *testing.T) { // A21
	model := newWordServer(t)
	base := live(t, model.URL)
	first := make(chan struct{})
	go func() { defer close(first); model.words <- "Once" }()
	response := askLive(t, base+"/conversation/complete", object{"messages": says("user: hi")})
	<-first
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for range 10_000 { // the model writes on until nobody listens
		select {
		case <-model.gone:
			return
		case model.words <- " upon":
		}
	}
	t.Error("the model still writes to nobody")
}
