package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/actors"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// BenchmarkConversationMemory tells how much of the heap a conversation takes
// after one turn while its actor is in memory, and how much when the actor has
// left. What is left then are places in caches of a fixed size: a second turn of
// everybody shows what is left beside these.
func BenchmarkConversationMemory(b *testing.B) {
	const conversations = 10_000
	for range b.N {
		n := newCountedNode(b)
		n.turns(conversations, conversations/2) // fills what the log keeps of its end
		n.await(0)
		before := heap()
		n.turns(0, conversations)
		n.await(conversations)
		active := heap()
		n.await(0)
		passivated := heap()
		n.turns(0, conversations)
		n.await(0)
		again := heap()
		per := func(bytes int64, what string) { b.ReportMetric(float64(bytes)/conversations, what) }
		per(active-passivated, "B/active")
		per(passivated-before, "B/cached")
		per(again-passivated, "B/passivated")
		n.stop()
	}
}

// heap is what of the heap is in use, after everything else was collected.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// idleTime is how long the actors of a counted node stay without work. It must
// be longer than all their turns take.
const idleTime = 40 * time.Second

// countedNode is a whole node on a disk. Its model and Meta answer at once, and
// keep nothing.
type countedNode struct {
	b        *testing.B
	node     *parley.Node
	callback string
}

func newCountedNode(b *testing.B) countedNode {
	b.Helper()
	limits, rules := actors.DefaultLimits(), conversation.DefaultRules()
	limits.Idle, rules.Gather = idleTime, 0
	data := b.TempDir()
	node, err := parley.Start(b.Context(), parley.Config{
		Data: data, MasterKeyFile: data + "/master.key", Media: "file://" + data + "/media", Model: "script",
		GraphURL: "http://graph.test", GraphVersion: "v25.0", NumberRate: 1_000_000, TurnTime: time.Minute,
		Tokens: map[string]events.Secret{"acme": events.NewSecret(apiSecret)},
	}, parley.Parts{Engine: parrot{}, Graph: yes{}, Limits: &limits, Rules: &rules}, slog.New(slog.NewTextHandler(b.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), nil)
	if err != nil {
		b.Fatal(err)
	}
	n := countedNode{b: b, node: node}
	bot := n.create("/bot", object{"name": "Ada", "backstory": "You are kind."})
	integration := n.create(integrations, object{
		"name": "Shop", "botId": bot, "phoneNumberId": phoneNumber, "accessToken": accessToken,
	})
	n.callback = "/api/v1" + integrations + "/" + integration + "/callback"
	return n
}

func (n countedNode) stop() {
	n.b.Helper()
	if err := n.node.Stop(context.Background()); err != nil {
		n.b.Error(err)
	}
}

// parrot is a model that says the same again and again.
type parrot struct{}

func (parrot) Answer(context.Context, engine.Turn) iter.Seq2[engine.Act, error] {
	return func(yield func(engine.Act, error) bool) { yield(engine.Say{Text: "Yes, it does."}, nil) }
}

// yes is a Meta that takes everything.
type yes struct{}

func (yes) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w, `{"success":true,"messages":[{"id":"wamid.`+events.NewKey()+`"}]}`)
	return w.Result(), nil
}

func (n countedNode) post(path, body string) string {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	w := httptest.NewRecorder()
	n.node.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		n.b.Errorf("POST %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func (n countedNode) create(path string, fields object) string {
	n.b.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		n.b.Fatal(err)
	}
	var answer struct{ ID string }
	if err := json.Unmarshal([]byte(n.post("/api/v1"+path+"/create", string(body))), &answer); err != nil {
		n.b.Fatal(err)
	}
	return answer.ID
}

// turns lets so many people, from a number on, write one message each.
func (n countedNode) turns(from, people int) {
	n.b.Helper()
	now := fmt.Sprint(time.Now().Unix()) // only who wrote today may be written to
	numbers := make(chan int)
	var writers sync.WaitGroup
	for range 64 {
		writers.Go(func() {
			for i := range numbers {
				body := text(fmt.Sprint(15550000000+i), "wamid."+events.NewKey(), "Does it come in another color?")
				n.post(n.callback, strings.Replace(body, "946684800", now, 1))
			}
		})
	}
	for i := range people {
		numbers <- from + i
	}
	close(numbers)
	writers.Wait()
}

// await waits until every message is answered, nothing is under way any more,
// and so many conversations are in memory.
func (n countedNode) await(conversations float64) {
	n.b.Helper()
	var received, sent, live float64
	for range 3000 {
		metrics := n.metrics()
		received = number(metrics, `parley_http_webhook_items_total{kind="message"} (\S+)`)
		sent = number(metrics, `parley_graph_sends_total{code="",outcome="accepted"} (\S+)`)
		live = number(metrics, `parley_actors_active{kind="conversation"} (\S+)`)
		if sent == received && live == conversations && number(metrics, `parley_actors_tasks_running (\S+)`) == 0 {
			n.get("/readyz") // the read model is up to date
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.b.Fatalf("%v messages, %v answers, %v conversations in memory and not %v", received, sent, live, conversations)
}

func (n countedNode) metrics() []byte { return n.get("/metrics") }

func (n countedNode) get(path string) []byte {
	w := httptest.NewRecorder()
	n.node.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		n.b.Errorf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return bytes.Clone(w.Body.Bytes())
}

func number(metrics []byte, pattern string) float64 {
	found := regexp.MustCompile(pattern).FindSubmatch(metrics)
	if found == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(string(found[1]), 64) // a metric is a number
	return n
}
