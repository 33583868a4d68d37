//go:build system

package system

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/events"
	"parley/test/process"
	"parley/whatsapp"
)

// Secrets that a process is told, besides those of every world.
const (
	newToken     = "EAAG-system-token-after-rotation"
	refusedToken = "EAAG-system-token-of-a-refused-update"
	newAppSecret = "system-app-secret-after-rotation"
	modelKey     = "sk-system-model-key"
	guessed      = "sk-system-guess-of-somebody"
)

// People to whom sends fail because a proxy between us and Meta answers, and
// repeats what it was sent.
var echoed = map[string]struct {
	status int
	body   string
}{
	"15559990400": {400, `{"error":{"message":"You said %s","code":100,"type":"OAuthException"}}`},
	"15559990502": {502, `<html><body>You sent %s</body></html>`},
	"15559990200": {200, `{"you gave":"%s"}`},
}

// indiscreet lets a proxy answer some sends and repeat the authorization in it.
func indiscreet(meta http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		for person, answer := range echoed {
			if strings.Contains(string(body), person) {
				w.WriteHeader(answer.status)
				fmt.Fprintf(w, answer.body, r.Header.Get("Authorization"))
				return
			}
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		meta.ServeHTTP(w, r)
	})
}

// indiscreetModel is a model server that refuses everybody, and repeats the key.
func indiscreetModel(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s","code":"invalid_api_key"}}`, key)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// No secret that a process was told can be found in what it writes: files, log,
// answers, metrics. When an integration is deleted, its sealed credentials are
// gone from the files, too. P7 P9 F154
func TestNoSecretIsFound(t *testing.T) {
	w := newWorld(t, options{
		settings: []string{"--log-level", "debug", "--settle", "2s", "--openai-base-url", indiscreetModel(t)},
		env:      []string{"OPENAI_API_KEY=" + modelKey},
		between:  indiscreet,
	})
	w.talk(t, alice, 1)
	for person := range echoed {
		w.meta.Person(phoneNumber, person).Write("hello")
	}
	for _, person := range []string{"15550000190", "15550000500", "15550000503", "15550002026"} {
		w.meta.Person(phoneNumber, person).Write("hello")
	}
	w.awaitEvent(t, "You said Bearer ********")
	w.awaitEvent(t, "You sent Bearer ********")
	w.askModel(t)
	w.offend(t)
	w.rotate(t)
	w.talk(t, alice, 2)
	w.readAll(t)
	w.process.Terminate()
	sealed := w.sealed(t)
	if len(sealed) < 4 { // two at first, two after the rotation
		t.Errorf("only %d credentials are sealed", len(sealed))
	}
	w.checkSecrets(t)

	w.start()
	w.post(integrations+"/"+w.integration+"/delete", object{})
	if a, err := w.notify(newAppSecret, text(alice, "wamid.late", "hello")); err != nil || a.status != http.StatusNotFound {
		t.Errorf("the callback of a deleted integration answers %v, %d", err, a.status)
	}
	process.Eventually(t, 20*time.Second, "the sealed credentials are erased", func() bool {
		for _, s := range sealed {
			if len(w.filesWith(s)) > 0 {
				return false
			}
		}
		return true
	})
	w.readAll(t)
	w.process.Terminate()
	for _, s := range sealed {
		if found := w.filesWith(s); len(found) > 0 {
			t.Errorf("sealed credentials are back in %v", found)
		}
	}
	if left := w.sealed(t); len(left) > 0 {
		t.Errorf("%d sealed credentials are left in the log", len(left))
	}
	w.checkSecrets(t)
}

// talk has somebody write and waits for the n-th answer.
func (w *world) talk(t *testing.T, person string, n int) {
	t.Helper()
	w.meta.Person(phoneNumber, person).Write("hello")
	process.Eventually(t, 30*time.Second, person+" is answered", func() bool { return len(w.sent(person)) == n })
}

// askModel lets a turn fail at the model server.
func (w *world) askModel(t *testing.T) {
	t.Helper()
	w.post("/bot/"+w.bot+"/update", object{"model": "remote"})
	w.meta.Person(phoneNumber, bob).Write("hello")
	w.awaitEvent(t, "check the API key")
	w.post("/bot/"+w.bot+"/update", object{"model": "rivescript"})
}

// awaitEvent waits until the event log says something.
func (w *world) awaitEvent(t *testing.T, words string) {
	t.Helper()
	process.Eventually(t, 20*time.Second, "the event log says "+words, func() bool {
		return strings.Contains(fmt.Sprint(w.list("/event/log/list")), words)
	})
}

// offend does what is refused, with secrets in it.
func (w *world) offend(t *testing.T) {
	t.Helper()
	expect := func(status int, a answer, err error) {
		t.Helper()
		if err != nil || a.status != status {
			t.Errorf("expected %d, got %v, %d %s", status, err, a.status, a.text)
		}
	}
	a, err := w.notify(guessed, text(alice, "wamid.x", "hello"))
	expect(http.StatusForbidden, a, err)
	path := integrations + "/" + w.integration
	expect(400, w.call("POST", path+"/update", object{"accessToken": refusedToken, "surprise": true}), nil)
	expect(400, w.call("POST", path+"/update", object{"name": refusedToken, "accessToken": 5}), nil)
	expect(400, w.call("POST", integrations+"/create", object{"appSecret": refusedToken, "botId": "nobody"}), nil)
	expect(403, w.call("GET", path+"/callback?hub.mode=subscribe&hub.verify_token="+guessed+"&hub.challenge=1", nil), nil)
	w.secret = guessed
	expect(401, w.call("GET", "/bot/list", nil), nil)
	w.secret = apiSecret
}

// rotate replaces the credentials, first on our side and then on Meta's, so
// that a send is refused in between.
func (w *world) rotate(t *testing.T) {
	t.Helper()
	w.post(integrations+"/"+w.integration+"/update", object{"accessToken": newToken, "appSecret": newAppSecret})
	a, err := w.notify(newAppSecret, text("15551230003", "wamid.between", "hello"))
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%v, %d %s", err, a.status, a.text)
	}
	w.awaitEvent(t, "Cannot parse access token")
	w.connect(newToken, newAppSecret)
}

// readAll asks for everything that can be asked for.
func (w *world) readAll(t *testing.T) {
	t.Helper()
	w.everything()
	for _, i := range w.list(integrations + "/list") {
		w.get(integrations + "/" + i["id"].(string) + "/fetch")
		w.post(integrations+"/"+i["id"].(string)+"/setup", object{})
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/nothing"} {
		r, err := http.NewRequest(http.MethodGet, w.base()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := w.do(r); err != nil || a.text == "" {
			t.Errorf("%s: %v, %d", path, err, a.status)
		}
	}
}

// sealed are the sealed credentials as the log of a process that has ended
// holds them. Each is found in some file, or they could not be missed later.
func (w *world) sealed(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, r := range w.log() {
		if r.Stream.Category() != events.SecretCategory {
			continue
		}
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := fact.(events.SecretSealed); ok {
			all = append(all, s.Sealed)
			if len(w.filesWith(s.Sealed)) == 0 {
				t.Error("sealed credentials are in no file")
			}
		}
	}
	return all
}

// checkSecrets looks for every secret in files, log and answers.
func (w *world) checkSecrets(t *testing.T) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(w.options.data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	right := whatsapp.Sign(guessed, text(alice, "wamid.x", "hello"))
	for _, secret := range []string{
		apiSecret, accessToken, newToken, refusedToken, appSecret, newAppSecret, modelKey, guessed, string(raw), right,
	} {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for _, file := range w.filesWith([]byte(form)) {
				if file != "master.key" || secret != string(raw) {
					t.Errorf("%q stands in %s", secret, file)
				}
			}
			if strings.Contains(w.output.String(), form) {
				t.Errorf("%q stands in the log", secret)
			}
			if strings.Contains(w.answers.String(), form) {
				t.Errorf("%q stands in an answer", secret)
			}
		}
	}
}

// Without any token the first start makes an account and shows its secret, once
// and nowhere else. P9
func TestTheFirstSecretIsShownOnce(t *testing.T) {
	w := &world{t: t, options: options{data: t.TempDir()}, address: freeAddress(t)}
	var first, second process.Record
	args := []string{"serve", "--data", w.options.data, "--listen", w.address, "--log-level", "debug"}
	w.process = launch(t, &first, nil, args...)
	w.ready()
	process.Eventually(t, 5*time.Second, "it shows the secret", func() bool {
		_, after, _ := strings.Cut(first.String(), "shown this once:\n\n")
		shown, _, whole := strings.Cut(after, "\n")
		w.secret = strings.TrimSpace(shown)
		return whole
	})
	w.get("/bot/list")
	w.process.Terminate()
	w.process = launch(t, &second, nil, args...)
	w.ready()
	w.get("/bot/list")
	w.process.Terminate()
	if n := strings.Count(first.String(), w.secret); n != 1 {
		t.Errorf("the secret is shown %d times", n)
	}
	if strings.Contains(second.String(), w.secret) || strings.Contains(second.String(), "shown this once") {
		t.Errorf("a second start says %s", second.String())
	}
	if found := w.filesWith([]byte(w.secret)); len(found) > 0 {
		t.Errorf("the secret stands in %v", found)
	}
}
