package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/esdbserver"
	"parley/events/local"
	"parley/events/memory"
	"parley/whatsapp/simulator"
)

// remote is a node whose log is behind EventStoreDB's protocol, in real time:
// sockets know no other.
type remote struct {
	t       *testing.T
	config  parley.Config
	log     events.Store
	at      string // the log's address
	server  *esdbserver.Server
	node    *parley.Node
	address string
	meta    *simulator.Simulator

	mutex sync.Mutex // of the logs
	logs  bytes.Buffer
}

// Write collects what the node logs.
func (r *remote) Write(p []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.logs.Write(p)
}

// serveLog serves the log, at the same address each time.
func (r *remote) serveLog() {
	r.t.Helper()
	listener, err := net.Listen("tcp", r.at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.at, r.server = listener.Addr().String(), esdbserver.New(r.log, esdbserver.Options{})
	server := r.server
	go func() { _ = server.Serve(listener) }() // it ends when it is stopped
}

func (r *remote) stopLog() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	r.server.Stop(ctx)
}

// openRemote starts a node. flags are further settings.
func openRemote(t *testing.T, flags ...string) *remote {
	t.Helper()
	r := &remote{t: t, log: memory.New(), at: "127.0.0.1:0", meta: simulator.New(simulator.Config{Faults: simulator.Calm()})}
	t.Cleanup(r.meta.Close)
	r.serveLog()
	t.Cleanup(func() { r.stopLog() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = "http://" + listener.Addr().String()
	env := map[string]string{"PARLEY_EVENTS": "esdb://" + r.at + "?tls=false", "PARLEY_TOKENS": "acme:" + apiSecret, "PARLEY_GATHER": "0"}
	config, err := parley.LoadConfig("serve", append([]string{"--data", t.TempDir(), "--public-url", r.address}, flags...), func(name string) string { return env[name] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r.config = config
	r.node, err = parley.Start(t.Context(), config, parley.Parts{
		Graph:  r.meta.Transport(),
		Engine: script.Func(func(engine.Turn) []script.Step { return []script.Step{script.Say("Hello!")} }),
	}, slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})), listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// make makes a thing by the API and gives its ID.
func (r *remote) make(path, body string) string {
	r.t.Helper()
	request, err := http.NewRequest(http.MethodPost, r.address+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiSecret)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	var made struct{ ID string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.ID == "" {
		r.t.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return made.ID
}

// connect connects a bot with a number of Meta's, and gives the integration.
func (r *remote) connect() string {
	r.t.Helper()
	bot := r.make("/bot/create", `{"name":"Ada","model":"gpt"}`)
	id := r.make(integrations+"/create",
		`{"name":"Shop","botId":"`+bot+`","phoneNumberId":"`+phoneNumber+`","accessToken":"token-1","appSecret":"app-1"}`)
	r.meta.Connect(simulator.Number{
		ID: phoneNumber, WABAID: "102290129340398", Display: "+1 555-078-3881", Token: "token-1", AppSecret: "app-1",
		Callback: r.address + "/api/v1" + integrations + "/" + id + "/callback",
	})
	return id
}

// ready is what /readyz answers.
func (r *remote) ready() int {
	response, err := http.Get(r.address + "/readyz")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func (r *remote) until(what string, is func() bool) {
	r.t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("%s: not in time", what)
}

func (r *remote) answers() int { return len(r.meta.Accepted("15551234567")) }

func TestALogInAnEventStore(t *testing.T) { // P1 P4
	r := openRemote(t)
	r.connect()
	person := r.meta.Person(phoneNumber, "15551234567")
	person.Write("Hi!")
	r.until("an answer", func() bool { return r.answers() == 1 })
	if r.ready() != http.StatusOK {
		t.Errorf("ready: %d", r.ready())
	}
	r.stopLog()
	r.until("not ready", func() bool { return r.ready() == http.StatusServiceUnavailable })
	person.Write("Are you there?")
	r.until("the webhook is refused", func() bool {
		return slices.ContainsFunc(r.meta.Webhooks(), func(w simulator.Webhook) bool {
			return slices.Contains(w.Answers, http.StatusServiceUnavailable)
		})
	})
	r.serveLog()
	r.until("ready again", func() bool { return r.ready() == http.StatusOK })
	r.until("the second answer", func() bool { return r.answers() == 2 })
	select {
	case err := <-r.node.Failed():
		t.Errorf("the node failed: %v", err)
	default:
	}
	if n := r.answers(); n != 2 {
		t.Errorf("%d answers", n)
	}
	t.Run("the data directory still belongs to one process", func(t *testing.T) {
		if _, err := parley.Start(t.Context(), r.config, parley.Parts{}, slog.New(slog.DiscardHandler), nil); !errors.Is(err, local.ErrInUse) {
			t.Errorf("error %v", err)
		}
	})
}
