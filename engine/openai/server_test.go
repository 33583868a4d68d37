package openai_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"parley/engine"
	"parley/engine/openai"
)

const key = "sk-test-0123456789"

// modelServer speaks the chat completions protocol. It gives its replies one
// after the other, the last one for ever.
type modelServer struct {
	*httptest.Server
	t       testing.TB
	replies []reply

	mu       sync.Mutex
	requests []map[string]any
}

// reply answers one request.
type reply func(w http.ResponseWriter, r *http.Request)

func serve(t testing.TB, replies ...reply) *modelServer {
	t.Helper()
	s := &modelServer{t: t, replies: replies}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *modelServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+key {
		s.t.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	var body map[string]any
	if r.Method == http.MethodPost {
		if r.URL.Path != "/v1/chat/completions" {
			s.t.Errorf("path %s", r.URL.Path)
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.t.Errorf("request: %v", err)
		}
	}
	s.mu.Lock()
	n := min(len(s.requests), len(s.replies)-1)
	s.requests = append(s.requests, body)
	s.mu.Unlock()
	s.replies[n](w, r)
}

// request is the body of the nth request, from 0.
func (s *modelServer) request(n int) map[string]any {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n >= len(s.requests) {
		s.t.Fatalf("%d requests, wanted number %d", len(s.requests), n)
	}
	return s.requests[n]
}

func (s *modelServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// engine makes an engine that asks this server.
func (s *modelServer) engine() *openai.Engine {
	s.t.Helper()
	e, err := openai.New(openai.Config{BaseURL: s.URL + "/v1", APIKey: key})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// answer runs a turn and returns everything that was yielded.
func (s *modelServer) answer(turn engine.Turn) ([]engine.Act, error) {
	var acts []engine.Act
	for act, err := range s.engine().Answer(s.t.Context(), turn) {
		if err != nil {
			return acts, err
		}
		acts = append(acts, act)
	}
	return acts, nil
}

// stream sends events as a network would: cut anywhere, also inside a
// character.
func stream(events ...string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		var wire []byte
		for _, e := range append(events, "[DONE]") {
			wire = fmt.Appendf(wire, "data: %s\n\n", e)
		}
		for len(wire) > 0 {
			n := min(37, len(wire))
			write(w, wire[:n])
			wire = wire[n:]
		}
	}
}

func write(w http.ResponseWriter, b []byte) {
	if _, err := w.Write(b); err != nil {
		return // the client has gone, as it may
	}
	w.(http.Flusher).Flush()
}

// fail answers with a status, headers as name-value pairs, and a body.
func fail(status int, body string, headers ...string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		write(w, []byte(body))
	}
}

// whole answers with one JSON object, as a server that cannot stream.
func whole(body string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		write(w, []byte(body))
	}
}

// breakOff sends events and then cuts the connection.
func breakOff(events ...string) reply {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			write(w, fmt.Appendf(nil, "data: %s\n\n", e))
		}
		panic(http.ErrAbortHandler)
	}
}

// hang tells that the request has come, and answers nothing.
func hang(arrived func()) reply {
	return func(_ http.ResponseWriter, r *http.Request) {
		arrived()
		<-r.Context().Done()
	}
}

// endless sends bytes until the client goes.
func endless(status int) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(status)
		junk := []byte(":" + strings.Repeat("x", 1<<18) + "\n")
		for {
			if _, err := io.Writer(w).Write(junk); err != nil {
				return
			}
		}
	}
}

// The events of a stream.

func content(text string) string { return delta(map[string]any{"content": text}) }

func refuse(text string) string { return delta(map[string]any{"refusal": text}) }

func toolCall(index int, id, name, arguments string) string {
	c := map[string]any{"index": index, "function": map[string]any{"arguments": arguments}}
	if id != "" {
		c["id"], c["type"] = id, "function"
	}
	if name != "" {
		c["function"] = map[string]any{"name": name, "arguments": arguments}
	}
	return delta(map[string]any{"tool_calls": []any{c}})
}

func finish(reason string) string {
	return encode(map[string]any{"id": "c", "object": "chat.completion.chunk", "choices": []any{
		map[string]any{"index": 0, "delta": map[string]any{}, "finish_reason": reason},
	}})
}

func usage(tokens int) string {
	return encode(map[string]any{"id": "c", "choices": []any{}, "usage": map[string]any{"total_tokens": tokens}})
}

func delta(d map[string]any) string {
	return encode(map[string]any{"id": "c", "object": "chat.completion.chunk", "choices": []any{
		map[string]any{"index": 0, "delta": d, "finish_reason": nil},
	}})
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
