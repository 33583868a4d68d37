package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/actors"
	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
	"parley/media"
	"parley/whatsapp/simulator"
)

// What every test house has. The secrets are looked for in everything that
// comes out of it.
const (
	apiSecret    = "sk-test-secret-of-acme"
	otherSecret  = "sk-test-secret-of-globex"
	accessToken  = "EAAG-test-access-token-value"
	appSecret    = "test-app-secret-value"
	phoneNumber  = "106540352242922"
	alice, bob   = "15551230001", "15551230002"
	integrations = "/integration/whatsapp"
)

// house is a whole node with its world: memory for a disk, the simulator for
// Meta, a script for a model. It runs in virtual time.
type house struct {
	t      *testing.T
	store  events.Store
	engine engine.Engine
	sim    *simulator.Simulator
	node   *parley.Node
	life   *life
	config parley.Config
	rules  conversation.Rules
	limits actors.Limits
	way    func(http.RoundTripper) http.RoundTripper
	// network makes the listener anew for each start; nil leaves it as it is.
	network func() net.Listener

	mutex       sync.Mutex // of the node and what it writes
	files       *media.Memory
	transcriber engine.Transcriber
	web         http.RoundTripper
	listener    net.Listener
	logs        bytes.Buffer
	answers     bytes.Buffer

	bot, integration, verifyToken string
}

// options change a house before it is built.
type options struct {
	engine      engine.Engine
	transcriber engine.Transcriber
	apology     string
	config      func(*parley.Config)
	// web is how files are fetched for clients, listener where requests come in
	// beside the handler.
	web      http.RoundTripper
	listener net.Listener
	faults   *simulator.Faults
	seed     uint64
	rules    func(*conversation.Rules)
	limits   func(*actors.Limits)
	// store is made inside the bubble: what waits for it must belong there.
	store func() events.Store
	// way and door stand between the node and Meta: before what the node calls,
	// and before where the webhooks come in.
	way  func(http.RoundTripper) http.RoundTripper
	door func(http.Handler) http.Handler
	// network is where a node is served, anew after each start.
	network func() net.Listener
}

// echo answers every message with its text.
func echo() engine.Engine {
	return script.Func(func(t engine.Turn) []script.Step {
		var said []string
		for _, m := range t.Unanswered() {
			said = append(said, m.Text)
		}
		return []script.Step{script.Say("You said: " + strings.Join(said, " | "))}
	})
}

// inHouse builds a house with a bot and a configured integration, and runs a
// test in it.
func inHouse(t *testing.T, o options, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := build(t, o)
		defer h.close()
		h.furnish()
		test(h)
	})
}

// inEmptyHouse runs a test in a house that has neither a bot nor an integration.
func inEmptyHouse(t *testing.T, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := build(t, options{})
		defer h.close()
		test(h)
	})
}

func build(t *testing.T, o options) *house {
	t.Helper()
	if o.engine == nil {
		o.engine = echo()
	}
	if o.faults == nil {
		o.faults = simulator.Calm()
	}
	h := &house{t: t, engine: o.engine, way: o.way, network: o.network, rules: conversation.DefaultRules(), limits: actors.DefaultLimits(), files: media.NewMemory(), transcriber: o.transcriber, web: o.web, listener: o.listener}
	h.rules.Gather = 0 // most tests are about something else
	if h.way == nil {
		h.way = func(way http.RoundTripper) http.RoundTripper { return way }
	}
	door := http.Handler(http.HandlerFunc(h.serve))
	if o.door != nil {
		door = o.door(door)
	}
	if o.store == nil {
		o.store = func() events.Store { return memory.New() }
	}
	h.store = o.store()
	if o.rules != nil {
		o.rules(&h.rules)
	}
	if o.limits != nil {
		o.limits(&h.limits)
	}
	h.sim = simulator.New(simulator.Config{Seed: o.seed, Faults: o.faults, Deliver: simulator.Through(door)})
	h.config = parley.Config{
		Data: t.TempDir(), Model: "script", GraphURL: "http://graph.test", GraphVersion: "v25.0",
		Tokens:   map[string]events.Secret{"acme": events.NewSecret(apiSecret), "globex": events.NewSecret(otherSecret)},
		TurnTime: time.Minute, Tasks: h.limits.Tasks, Settle: h.rules.Settle, NumberRate: 80, Apology: o.apology,
	}
	if h.network != nil { // a socket on the disk would keep virtual time from going on: there is none at so long a path
		h.config.Data += "/" + strings.Repeat("d", 100)
	}
	h.config.MasterKeyFile = h.config.Data + "/master.key"
	if o.config != nil {
		o.config(&h.config)
	}
	h.start()
	return h
}

// serve passes a webhook of the simulator's to the node, if one is up.
func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	node := h.node
	h.mutex.Unlock()
	if node == nil {
		panic(http.ErrAbortHandler)
	}
	node.Handler().ServeHTTP(w, r)
}

// Write collects what the node logs.
func (h *house) Write(p []byte) (int, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.logs.Write(p)
}

func (h *house) start() {
	h.t.Helper()
	logger := slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.life = &life{}
	if h.network != nil {
		h.listener = h.network()
	}
	node, err := parley.Start(h.t.Context(), h.config, parley.Parts{
		Detour: true, // what is not fit for a cluster shows
		Store:  mortal{h.store, h.life}, Engine: h.engine, Graph: mortalWay{h.way(h.sim.Transport()), h.life},
		Rules: &h.rules, Limits: &h.limits, Files: lasting{h.files}, Transcriber: h.transcriber, Web: h.web,
	}, logger, h.listener)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.node = node
}

// life ends when a node's process does: from then on nothing of it reaches the
// disk or the world, nor they it.
type life struct{ over atomic.Bool }

// errDead is what the disk says to a process that is not there any more.
var errDead = fmt.Errorf("%w: the process is dead", events.ErrUnavailable)

// mortal is a store that outlives the node, as a disk does, but that a dead
// node cannot reach.
type mortal struct {
	events.Store
	life *life
}

func (m mortal) Append(ctx context.Context, s events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	if m.life.over.Load() {
		return events.Appended{}, errDead
	}
	return m.Store.Append(ctx, s, r, records...)
}

func (m mortal) Truncate(ctx context.Context, s events.Stream, before events.Revision) error {
	if m.life.over.Load() {
		return errDead
	}
	return m.Store.Truncate(ctx, s, before)
}

func (m mortal) Overwrite(ctx context.Context, s events.Stream, with ...events.Replacement) error {
	if m.life.over.Load() {
		return errDead
	}
	return m.Store.Overwrite(ctx, s, with...)
}

func (m mortal) Read(ctx context.Context, s events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	if m.life.over.Load() {
		return nil, errDead
	}
	return m.Store.Read(ctx, s, from, dir, limit)
}

func (m mortal) Subscribe(after events.Position) events.Subscription {
	return mortalReader{m.Store.Subscribe(after), m.life}
}

func (mortal) Close() error { return nil }

// lasting is a media store that outlives the node.
type lasting struct{ *media.Memory }

func (lasting) Close() error { return nil }

// mortalReader lets a dead node's read model rest: the file is the next one's.
type mortalReader struct {
	events.Subscription
	life *life
}

func (m mortalReader) Next(ctx context.Context) ([]events.Recorded, error) {
	page, err := m.Subscription.Next(ctx)
	if m.life.over.Load() {
		return nil, errDead
	}
	return page, err
}

// mortalWay is a way to Meta that breaks with the node.
type mortalWay struct {
	http.RoundTripper
	life *life
}

func (m mortalWay) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.life.over.Load() {
		return nil, errDead
	}
	return m.RoundTripper.RoundTrip(r)
}

// crash ends the node in the middle of whatever it does, as kill -9 would, and
// starts another one on the same disk.
func (h *house) crash() {
	h.t.Helper()
	h.life.over.Store(true)
	synctest.Wait() // it may still be writing down a page that it has read
	dead := h.node
	h.start()
	if err := dead.Stop(context.Background()); err != nil {
		h.t.Error(err)
	}
}

func (h *house) stop() {
	h.t.Helper()
	h.mutex.Lock()
	node := h.node
	h.node = nil
	h.mutex.Unlock()
	if err := node.Stop(context.Background()); err != nil {
		h.t.Error(err)
	}
}

func (h *house) close() {
	h.t.Helper()
	h.sim.Close()
	h.stop()
	h.checkTraces()
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
	h.checkSecrets()
}

// checkSecrets looks for the secrets in every log line and answer. P9
func (h *house) checkSecrets() {
	h.t.Helper()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, secret := range []string{accessToken, appSecret, apiSecret, otherSecret} {
		if strings.Contains(h.logs.String(), secret) {
			h.t.Errorf("the logs hold a secret: %s", secret)
		}
		if strings.Contains(h.answers.String(), secret) {
			h.t.Errorf("the answers hold a secret: %s", secret)
		}
	}
}

// furnish makes a bot and an integration through the API, and connects Meta.
func (h *house) furnish() {
	h.t.Helper()
	h.bot = h.create("/bot", object{"name": "Ada", "backstory": "You are kind.", "model": "script"})
	h.integration = h.create(integrations, object{
		"name": "Shop", "botId": h.bot, "phoneNumberId": phoneNumber, "accessToken": accessToken, "appSecret": appSecret,
	})
	h.verifyToken = h.get(integrations + "/" + h.integration + "/fetch")["verifyToken"].(string)
	h.connect(accessToken)
}

func (h *house) connect(token string) {
	h.sim.Connect(simulator.Number{
		ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881", Token: token, AppSecret: appSecret,
		Callback: "http://parley.test" + h.callback(),
	})
}

func (h *house) callback() string {
	return "/api/v1/integration/whatsapp/" + h.integration + "/callback"
}

type object = map[string]any

// answer is what a call to the API came to.
type answer struct {
	status int
	header http.Header
	text   string
	body   object
}

// call calls the API with a secret; "" shows none.
func (h *house) call(method, path, secret string, body any, header ...string) answer {
	h.t.Helper()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	if !strings.HasPrefix(path, "/v1") && !strings.HasPrefix(path, "/api") && path != "/openapi.json" {
		path = "/api/v1" + path
	}
	r := httptest.NewRequest(method, path, reader)
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return h.do(r)
}

// do puts a request. Every answer is held to the API's description.
func (h *house) do(r *http.Request) answer {
	h.t.Helper()
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body) // it is in memory
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	w := httptest.NewRecorder()
	h.node.Handler().ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body) // not every answer is JSON
	contract, err := theContract()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := contract.check(r, sent, a); err != nil {
		h.t.Errorf("not as http/openapi/openapi.json has it: %v", err)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.answers.WriteString(a.text)
	return a
}

// get reads something of acme's.
func (h *house) get(path string) object {
	h.t.Helper()
	a := h.call(http.MethodGet, path, apiSecret, nil)
	if a.status != http.StatusOK {
		h.t.Fatalf("GET %s: %d %s", path, a.status, a.text)
	}
	return a.body
}

// post writes something of acme's.
func (h *house) post(path string, body any) object {
	h.t.Helper()
	a := h.call(http.MethodPost, path, apiSecret, body)
	if a.status != http.StatusOK {
		h.t.Fatalf("POST %s: %d %s", path, a.status, a.text)
	}
	return a.body
}

func (h *house) create(path string, body any) string {
	h.t.Helper()
	return h.post(path+"/create", body)["id"].(string)
}

// list reads a whole list, oldest first.
func (h *house) list(path string) []object {
	h.t.Helper()
	var all []object
	for cursor := ""; ; {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		page := h.get(path + separator + "order=asc&cursor=" + url.QueryEscape(cursor))
		items := page["items"].([]any)
		if len(items) == 0 {
			return all
		}
		for _, i := range items {
			all = append(all, i.(object))
		}
		cursor = page["cursor"].(string)
	}
}

// events lists the types of the integration's event log, without their prefix.
func (h *house) eventTypes() []string {
	h.t.Helper()
	var types []string
	for _, e := range h.list("/event/log/list?whatsappIntegrationId=" + h.integration) {
		types = append(types, strings.TrimPrefix(e["type"].(string), "integration.whatsapp."))
	}
	return types
}

// event gives the meta of the newest event of a type.
func (h *house) event(kind string) object {
	h.t.Helper()
	items := h.get("/event/log/list?take=1&type=integration.whatsapp." + kind)["items"].([]any)
	if len(items) == 0 {
		h.t.Fatalf("no event %s", kind)
	}
	return items[0].(object)["meta"].(object)
}

// history tells a conversation as "type: text" lines.
func (h *house) history(conversation string) []string {
	h.t.Helper()
	var lines []string
	for _, m := range h.list("/conversation/" + conversation + "/message/list") {
		lines = append(lines, m["type"].(string)+": "+m["text"].(string))
	}
	return lines
}

func (h *house) conversations() []object {
	h.t.Helper()
	return h.list("/conversation/list?meta.whatsapp.integrationId=" + h.integration)
}

// settle lets everything that is under way come to its end.
func (h *house) settle() {
	h.t.Helper()
	time.Sleep(2 * time.Minute)
	synctest.Wait()
}

// texts are what a person was sent, in order.
func (h *house) texts(person string) []string {
	var texts []string
	for _, a := range h.sim.Accepted(person) {
		texts = append(texts, a.Text())
	}
	return texts
}

func (h *house) person(id string) simulator.Person { return h.sim.Person(phoneNumber, id) }

// rule is a part of a test with a sentence for a name. Bubbles know no
// subtests.
type rule struct {
	*testing.T
	name string
}

func (h *house) rule(name string, check func(t rule)) { check(rule{h.t, name}) }

func (r rule) Error(args ...any) {
	r.Helper()
	r.T.Errorf("%s: %s", r.name, fmt.Sprint(args...))
}

func (r rule) Errorf(format string, args ...any) {
	r.Helper()
	r.T.Errorf("%s: %s", r.name, fmt.Sprintf(format, args...))
}

func (r rule) Fatalf(format string, args ...any) {
	r.Helper()
	r.T.Fatalf("%s: %s", r.name, fmt.Sprintf(format, args...))
}
