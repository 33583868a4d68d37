package parley_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	words chan string // "" is the end of an answer
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
		case word := <-s.words:
			if word == "" {
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

// askLive calls the API of acme, for lines.
func askLive(t *testing.T, url string, body any) *http.Response {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/jsonl, application/json;q=0.5")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, response.Status)
	}
	return response
}

// createLive makes a conversation and gives its path.
func createLive(t *testing.T, base string) string {
	t.Helper()
	var made struct{ ID string }
	if err := json.NewDecoder(askLive(t, base+"/conversation/create", object{}).Body).Decode(&made); err != nil || made.ID == "" {
		t.Fatalf("%v, %v", made, err)
	}
	return "/conversation/" + made.ID
}

func TestWordsReachTheClientWhileTheModelWrites(t *testing.T) { // A21
	model := newWordServer(t)
	base := live(t, model.URL)
	for _, c := range []struct {
		name, path string
		body       object
	}{
		{"of what is stored nowhere", "/conversation/complete", object{"messages": says("user: hi")}},
		{"of a conversation", createLive(t, base) + "/complete", object{"text": "hi"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := []string{"Grüß", " Gott", " 🤖", "!"}
			first := make(chan struct{})
			go func() { defer close(first); model.words <- words[0] }() // before the headers can come
			response := askLive(t, base+c.path, c.body)
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
			model.words <- ""
			for _, want := range []string{
				`{"type":"message","data":{"text":"Gr\u00fc\u00df Gott \ud83e\udd16!","type":"bot"}}`,
				`"text":"Gr\u00fc\u00df Gott \ud83e\udd16!","usage":{"token":9},"end":{"reason":"stop"}}}`,
			} {
				if l, err := lines.ReadString('\n'); err != nil || !strings.HasSuffix(strings.TrimSpace(l), want) {
					t.Fatalf("line %q, %v", l, err)
				}
			}
			if rest, err := lines.ReadString('\n'); rest != "" || err == nil {
				t.Errorf("after the end: %q, %v", rest, err)
			}
		})
	}
}

// leave begins to listen to an answer, and goes when it has begun.
func (s *wordServer) leave(t *testing.T, url string, body any) {
	t.Helper()
	first := make(chan struct{})
	go func() { defer close(first); s.words <- "Once" }()
	response := askLive(t, url, body)
	<-first
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAClientThatGoesStopsWhatIsStoredNowhere(t *testing.T) { // A21
	model := newWordServer(t)
	model.leave(t, live(t, model.URL)+"/conversation/complete", object{"messages": says("user: hi")})
	for range 10_000 { // the model writes on until nobody listens
		select {
		case <-model.gone:
			return
		case model.words <- " upon":
		}
	}
	t.Error("the model still writes to nobody")
}

func TestAClientThatGoesDoesNotEndATurn(t *testing.T) { // A21
	model := newWordServer(t)
	base := live(t, model.URL)
	path := createLive(t, base)
	model.leave(t, base+path+"/complete", object{"text": "hi"})
	for range 1000 {
		model.words <- " upon"
	}
	model.words <- ""
	go func() { model.words <- "The end"; model.words <- "" }()
	text, err := io.ReadAll(askLive(t, base+path+"/complete", object{"text": "Go on"}).Body) // behind the first
	if err != nil || !strings.Contains(string(text), `"text":"The end"`) {
		t.Errorf("%s, %v", text, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path+"/message/list", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // read below
	var list struct{ Items []struct{ Type, Text string } }
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil || len(list.Items) != 4 || list.Items[0].Text != "hi" ||
		list.Items[1].Text != "Once"+strings.Repeat(" upon", 1000) || list.Items[3].Text != "The end" {
		t.Errorf("%v, %v", list, err)
	}
}
