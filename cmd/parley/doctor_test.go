package main

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
	"strings"
	"testing"

	"parley"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/whatsapp/simulator"
)

// What must never be printed.
const (
	doctorSecret = "sk-doctor-secret"
	doctorToken  = "EAAGdoctoraccesstoken0123456789"
	doctorApp    = "doctor-app-secret-0123456789"
	doctorNumber = "106540352242922"
)

// ward is a running server with a simulated Meta.
type ward struct {
	t       *testing.T
	address string
	meta    *simulator.Simulator
	hidden  []string
}

func openWard(t *testing.T) *ward {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, address: "http://" + listener.Addr().String(), hidden: []string{doctorSecret, doctorToken, doctorApp, "555-078", "5550783881"}}
	w.meta = simulator.New(simulator.Config{Faults: simulator.Calm()})
	t.Cleanup(w.meta.Close)
	dir := t.TempDir()
	config, err := parley.LoadConfig("serve", []string{"--data", dir, "--public-url", w.address}, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	config.Tokens = map[string]events.Secret{"acme": events.NewSecret(doctorSecret)}
	node, err := parley.Start(t.Context(), config, parley.Parts{
		Graph: w.meta.Transport(), Engine: script.Func(func(engine.Turn) []script.Step { return nil }),
	}, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// admit makes an integration and gives its ID.
func (w *ward) admit(fields map[string]any) string {
	w.t.Helper()
	made := w.call(http.MethodPost, "create", fields)
	id := made["id"].(string)
	w.hidden = append(w.hidden, w.call(http.MethodGet, id+"/fetch", nil)["verifyToken"].(string))
	return id
}

func (w *ward) call(method, path string, body any) map[string]any {
	w.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.address+"/api/v1/integration/whatsapp/"+path, bytes.NewReader(encoded))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+doctorSecret)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

// doctor runs the command as its user would, and looks for secrets in what
// comes out. P9
func (w *ward) doctor(args ...string) (string, error) {
	w.t.Helper()
	var out strings.Builder
	err := run(w.t.Context(), append([]string{"doctor"}, args...), &out)
	for _, secret := range w.hidden {
		if strings.Contains(out.String()+fmt.Sprint(err), secret) {
			w.t.Errorf("%q is shown: %s %v", secret, out.String(), err)
		}
	}
	return out.String(), err
}

func TestDoctor(t *testing.T) { // F256 P9
	w := openWard(t)
	t.Setenv("PARLEY_SECRET", doctorSecret)
	at := []string{"--url", w.address}
	expect := func(t *testing.T, args []string, fails string, says ...string) {
		t.Helper()
		out, err := w.doctor(args...)
		if (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) {
			t.Errorf("error %v, want %q", err, fails)
		}
		for _, text := range says {
			if !strings.Contains(out, text) {
				t.Errorf("it does not say %q:\n%s", text, out)
			}
		}
	}
	t.Run("nobody is there", func(t *testing.T) {
		expect(t, at, "", "There are no integrations yet.")
	})
	fields := map[string]any{
		"name": "Sh\x1b[2Jop", "alias": "shop", "phoneNumberId": doctorNumber, "accessToken": doctorToken, "appSecret": doctorApp,
	}
	shop := w.admit(fields)
	w.meta.Connect(simulator.Number{
		ID: doctorNumber, WABAID: "102290129340398", Display: "+1 555-078-3881", Token: doctorToken, AppSecret: doctorApp,
		Callback: w.address + "/api/v1/integration/whatsapp/" + shop + "/callback",
	})
	t.Run("nothing is wrong", func(t *testing.T) {
		expect(t, at, "", "Sh[2Jop ("+shop+")", "✓ token ", "✓ subscription", "! public_url", "✓ reachable", "answers as Meta wants it", "Nothing is wrong; ")
	})
	t.Run("one is named, and the settings come last", func(t *testing.T) {
		expect(t, append([]string{"@shop"}, at...), "", "✓ token ")
		expect(t, append([]string{shop}, at...), "", "✓ token ")
	})
	bare := w.admit(map[string]any{})
	t.Run("of two, one lacks everything", func(t *testing.T) {
		expect(t, at, "something is wrong with 1 of 2 integrations",
			"without a name ("+bare+")", "✗ settings", "No phone number ID found.", "✓ reachable", "✓ token ") // F284
	})
	t.Run("something is wrong at Meta's", func(t *testing.T) {
		w.meta.Arrange(doctorNumber, func(d *simulator.Dashboard) { d.Subscribed, d.Quality = nil, "RED" })
		expect(t, append(at, shop), "something is wrong with 1 of 1", "✗ subscription", "→ Subscribe the app", "! quality", "✓ webhook_fields")
	})
	t.Run("the name is nobody's", func(t *testing.T) {
		expect(t, append(at, "nobody"), `there is no integration "nobody"`)
	})
	t.Run("too many names", func(t *testing.T) {
		expect(t, append(at, "a", "b"), "one integration, or none")
	})
	t.Run("another secret", func(t *testing.T) {
		expect(t, append(at, "--secret", "sk-wrong"), "does not know this secret")
	})
	t.Run("no secret", func(t *testing.T) {
		t.Setenv("PARLEY_SECRET", "")
		expect(t, at, "PARLEY_SECRET")
		expect(t, append(at, "--secret", doctorSecret, shop), "something is wrong")
	})
	t.Run("no server", func(t *testing.T) {
		expect(t, []string{"--url", nowhere(t)}, "is it running?")
	})
	t.Run("another server", func(t *testing.T) {
		other := httptest.NewServer(http.NotFoundHandler())
		defer other.Close()
		expect(t, []string{"--url", other.URL}, "not Parley")
	})
}

func TestDoctorSeesMoreThanOnePage(t *testing.T) {
	w := openWard(t)
	for range 101 { // a page has 100
		w.call(http.MethodPost, "create", map[string]any{})
	}
	if all, err := newServer(w.address+"/api/v1/", doctorSecret).integrations(t.Context()); err != nil || len(all) != 101 {
		t.Errorf("%d integrations, %v", len(all), err)
	}
}

// nowhere is an address that nothing listens at.
func nowhere(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func TestTheCallbackSeenFromOutside(t *testing.T) { // F057 F279
	const token = "verify-me-0123456789"
	challenge := func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Method != http.MethodGet || q.Get("hub.mode") != "subscribe" || q.Get("hub.verify_token") != token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, q.Get("hub.challenge"))
	}
	plain, secure := httptest.NewServer(http.HandlerFunc(challenge)), httptest.NewUnstartedServer(http.HandlerFunc(challenge))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	secure.StartTLS()
	strange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, plain.URL+"/hook?"+r.URL.RawQuery, http.StatusMovedPermanently)
		case "/page":
			fmt.Fprint(w, "<html>You are about to visit a tunnel "+r.URL.Query().Get("hub.challenge"))
		default:
			http.NotFound(w, r)
		}
	}))
	for _, s := range []*httptest.Server{plain, secure, strange} {
		defer s.Close()
	}
	for rule, c := range map[string]struct{ callback, token, status, says string }{
		"it answers as it should":                     {plain.URL + "/hook", token, statusOK, "answers as Meta wants it"},
		"another verify token":                        {plain.URL + "/hook", "other", statusError, "does not take the verify token (HTTP status 403)"},
		"nothing is there":                            {nowhere(t) + "/hook", token, statusError, "cannot be reached from here: "},
		"a certificate that nobody knows":             {secure.URL + "/hook", token, statusError, "certificate that is not trusted"},
		"a redirect to where it would work":           {strange.URL + "/moved", token, statusError, "redirects elsewhere (HTTP status 301)"},
		"a page of its own, with the challenge in it": {strange.URL + "/page", token, statusError, "something else than Meta wants"},
		"another server":                              {strange.URL + "/hook", token, statusError, "HTTP status 404"},
		"a server that does not know its own address": {"", token, statusWarning, "does not know its public address"},
		"an address that is none":                     {"http://a b/", token, statusError, "it is not an address"},
	} {
		t.Run(rule, func(t *testing.T) {
			f := reachable(t.Context(), c.callback, c.token)
			if f.Status != c.status || !strings.Contains(f.Message, c.says) || (f.Cure == "") != (f.Status == statusOK) {
				t.Errorf("%+v", f)
			}
			if strings.Contains(f.Message+f.Cure, token) {
				t.Errorf("the verify token is shown: %+v", f) // P9
			}
		})
	}
}
