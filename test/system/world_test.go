//go:build system

package system

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/events"
	"parley/events/local"
	"parley/test/process"
	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// What every world has, if it does not say otherwise.
const (
	apiSecret   = "sk-system-secret-of-acme"
	accessToken = "EAAG-system-access-token"
	appSecret   = "system-app-secret"
	phoneNumber = "106540352242922"
	alice, bob  = "15551230001", "15551230002"

	// echo is a script that repeats what it is told.
	echo = "+ *\n- You said <star>"
)

const integrations = "/integration/whatsapp"

// world is a parley process with everything around it: Meta on a listener of
// its own, a data directory that outlives the process, and clients.
type world struct {
	t       *testing.T
	options options
	secret  string // of the API

	address string
	output  process.Record // of all processes, one after the other
	answers process.Record // of the API
	process *process.Process

	meta  *simulator.Simulator
	graph *httptest.Server

	bot, integration string
}

// options change a world before it is built.
type options struct {
	// data is the data directory; a temporary one by default.
	data string
	// settings are further ones, as flags; env is added to the environment.
	settings, env []string
	// model is the bot's, backstory what it is told; the script echo by default.
	model, backstory string
	// faults are Meta's; none by default.
	faults *simulator.Faults
	// between wraps the way to Meta.
	between func(http.Handler) http.Handler
}

// newWorld starts a process and furnishes it with a bot and an integration that
// Meta knows.
func newWorld(t *testing.T, o options) *world {
	t.Helper()
	if o.data == "" {
		o.data = t.TempDir()
	}
	if o.model == "" {
		o.model, o.backstory = "rivescript", echo
	}
	if o.faults == nil {
		o.faults = simulator.Calm()
	}
	w := &world{t: t, options: o, secret: apiSecret, address: freeAddress(t)}
	w.meta = simulator.New(simulator.Config{Faults: o.faults})
	t.Cleanup(w.meta.Close)
	var graph http.Handler = w.meta
	if o.between != nil {
		graph = o.between(graph)
	}
	w.graph = httptest.NewServer(graph)
	t.Cleanup(w.graph.Close)
	t.Cleanup(w.meta.Close) // first, so that no call hangs
	w.start()
	w.furnish()
	return w
}

// launch starts a process, and waits for nothing.
func (w *world) launch() {
	w.t.Helper()
	args := append([]string{
		"serve", "--data", w.options.data, "--listen", w.address, "--graph-url", w.graph.URL,
	}, w.options.settings...)
	env := append([]string{"PARLEY_TOKENS=acme:" + apiSecret}, w.options.env...)
	w.process = launch(w.t, &w.output, env, args...)
}

// start starts a process and waits until it is ready.
func (w *world) start() {
	w.t.Helper()
	w.launch()
	w.ready()
}

func (w *world) ready() {
	w.t.Helper()
	process.Eventually(w.t, 30*time.Second, "the process is ready", func() bool {
		if !w.process.Alive() {
			w.t.Fatalf("the process has ended: %s", w.output.Tail())
		}
		return w.isReady()
	})
}

func (w *world) isReady() bool {
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base()+"/readyz", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// client is everybody's who talks to a process. Nothing may take longer.
var client = &http.Client{
	Timeout:   20 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 1000},
}

func (w *world) base() string { return "http://" + w.address }

func (w *world) callback() string {
	return w.base() + "/api/v1" + integrations + "/" + w.integration + "/callback"
}

// furnish makes a bot and an integration through the API, and connects Meta.
func (w *world) furnish() {
	w.t.Helper()
	w.bot = w.create("/bot", object{"name": "Ada", "model": w.options.model, "backstory": w.options.backstory})
	w.integration = w.create(integrations, object{
		"name": "Shop", "botId": w.bot, "phoneNumberId": phoneNumber, "accessToken": accessToken, "appSecret": appSecret,
	})
	w.connect(accessToken, appSecret)
}

// connect lets Meta know the number, with these credentials.
func (w *world) connect(accessToken, appSecret string) {
	w.meta.Connect(simulator.Number{
		ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881",
		Token: accessToken, AppSecret: appSecret, Callback: w.callback(),
	})
}

// sent are the texts that Meta accepted for a person, in order; for everybody if
// person is "".
func (w *world) sent(person string) (texts []string) {
	for _, a := range w.meta.Accepted(person) {
		texts = append(texts, answersIn(a.Text())...)
	}
	return texts
}

// answersIn takes a text apart: answers to messages that waited together go out
// together.
func answersIn(sent string) []string { return strings.Split(sent, "\n\n") }

// quiet waits until Meta has no webhook left to deliver.
func (w *world) quiet() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 40*time.Second)
	defer cancel()
	if err := w.meta.Idle(ctx); err != nil {
		w.t.Fatalf("webhooks are still under way: %v", err)
	}
}

// notify posts a body to the callback as Meta does, signed with a secret.
func (w *world) notify(secret string, body []byte) (answer, error) {
	r, err := http.NewRequest(http.MethodPost, w.callback(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(whatsapp.SignatureHeader, whatsapp.Sign(secret, body))
	return w.do(r)
}

// log reads all that the log of a process that has ended holds.
func (w *world) log() (all []events.Recorded) {
	w.t.Helper()
	store, err := local.Open(filepath.Join(w.options.data, "log"), local.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	for from := events.LogStart; ; from = all[len(all)-1].Position + 1 {
		page, err := store.ReadAll(w.t.Context(), from, events.Forwards, 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
	}
	if err := store.Close(); err != nil {
		w.t.Fatal(err)
	}
	return all
}
