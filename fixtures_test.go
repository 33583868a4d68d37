package parley_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/whatsapp"
)

const fixtures = "whatsapp/testdata"

// expectation is a line of EXPECT.jsonl.
type expectation struct {
	File   string
	Events []struct {
		Event, ID, Field, Status string
		Code                     int
	}
}

// Every real and made body is answered 200, is in the event log with its
// payload, and what it holds is recorded. F063 F069 F070 F071 F072 F073 F084 F091
// F095 F173 F177
func TestEveryFixtureIsTakenIn(t *testing.T) {
	inHouse(t, options{}, func(h *house) { h.takeInAll() })
}

// takeInAll posts every fixture.
func (h *house) takeInAll() {
	h.t.Helper()
	file, err := os.Open(filepath.Join(fixtures, "EXPECT.jsonl"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var want expectation
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			h.t.Fatal(err)
		}
		h.takeIn(want)
	}
	if err := lines.Err(); err != nil {
		h.t.Fatal(err)
	}
}

// takeIn posts a fixture to an integration of its own.
func (h *house) takeIn(want expectation) {
	h.t.Helper()
	h.integration = h.create(integrations, object{"botId": h.bot, "appSecret": appSecret})
	body, err := os.ReadFile(filepath.Join(fixtures, want.File))
	if err != nil {
		h.t.Fatal(err)
	}
	if status := h.notify(string(body)); status != 200 {
		h.t.Errorf("%s: status %d", want.File, status)
		return
	}
	h.settle()
	seen := map[string]bool{}
	notifications := 0
	for _, e := range h.list("/event/log/list?whatsappIntegrationId=" + h.integration) {
		kind := strings.TrimPrefix(e["type"].(string), "integration.whatsapp.")
		meta := e["meta"].(object)
		if kind == "callback.notification" {
			notifications++
			if fields, ok := meta["fields"].([]any); ok {
				for _, field := range fields {
					seen[fmt.Sprint("system ", field)] = true // echoes are no news of the system
				}
			}
			if _, ok := meta["payload"]; !ok && meta["size"].(float64) > 0 {
				h.t.Errorf("%s: a notification without its payload", want.File)
			}
		}
		for _, key := range []string{"whatsappMessageId", "field"} {
			if id, ok := meta[key].(string); ok {
				seen[strings.Split(kind, ".")[0]+" "+id] = true
			}
		}
	}
	if notifications == 0 {
		h.t.Errorf("%s: no notification is logged", want.File)
	}
	for _, e := range want.Events {
		key := map[string]string{"message": "message " + e.ID, "status": "status " + e.ID, "field": "system " + e.Field, "error": "system errors"}[e.Event]
		if e.ID == "" && e.Event != "field" && e.Event != "error" {
			continue // it has no name to be found by
		}
		if !seen[key] && !seen["system "+e.ID] { // a message without a sender is news of the system
			h.t.Errorf("%s: %s %s%s is not in the event log", want.File, e.Event, e.ID, e.Field)
		}
	}
}

func TestSignaturesOfTheFixtures(t *testing.T) { // A04
	files, err := filepath.Glob(filepath.Join(fixtures, "signature", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	inHouse(t, options{}, func(h *house) {
		for _, file := range files {
			var vector struct {
				Secret string `json:"app_secret"`
				Body   string `json:"body_base64"`
				Header string
				Valid  *bool // null is a matter of judgment
				Why    string
			}
			readJSON(h.t, file, &vector)
			body, err := base64.StdEncoding.DecodeString(vector.Body)
			if err != nil {
				h.t.Fatal(err)
			}
			h.integration = h.create(integrations, object{"botId": h.bot, "appSecret": vector.Secret})
			r := httptest.NewRequest(http.MethodPost, h.callback(), strings.NewReader(string(body)))
			if vector.Header != "" {
				r.Header.Set("X-Hub-Signature-256", vector.Header)
			}
			got := h.do(r)
			if vector.Valid == nil {
				continue
			}
			want := map[bool]int{true: 200, false: 403}[*vector.Valid]
			if got.status != want {
				h.t.Errorf("%s (%s): %d, want %d", file, vector.Why, got.status, want)
			} else if strings.Contains(got.text, "sha256=") || strings.Contains(got.text, whatsapp.Sign(vector.Secret, body)[7:]) {
				h.t.Errorf("%s: the answer tells the right signature", file)
			}
			types := strings.Join(h.eventTypes(), " ")
			if !*vector.Valid && types != "configuration.error" {
				h.t.Errorf("%s: events %s", file, types)
			}
		}
	})
}

func TestVerificationsOfTheFixtures(t *testing.T) { // F057 F060 F062 F074 F075 F092
	files, err := filepath.Glob(filepath.Join(fixtures, "verify", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	inHouse(t, options{}, func(h *house) {
		for _, file := range files {
			var vector struct {
				Token  string `json:"verify_token"`
				Query  map[string]string
				Status int     `json:"expect_status"`
				Body   *string `json:"expect_body"`
			}
			readJSON(h.t, file, &vector)
			query := url.Values{}
			for key, value := range vector.Query {
				if key == "hub.verify_token" && value == vector.Token {
					value = h.verifyToken // it is ours to choose
				}
				query.Set(key, value)
			}
			got := h.call(http.MethodGet, h.callback()+"?"+query.Encode(), "", nil)
			if got.status != vector.Status || vector.Body != nil && got.text != *vector.Body {
				h.t.Errorf("%s: %d %q", file, got.status, got.text)
			}
			if challenge := query.Get("hub.challenge"); got.status != 200 && challenge != "" && strings.Contains(got.text, challenge) {
				h.t.Errorf("%s: a refusal repeats the challenge", file)
			}
			if got.status == 200 && !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") {
				h.t.Errorf("%s: content type %s", file, got.header.Get("Content-Type"))
			}
		}
	})
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
