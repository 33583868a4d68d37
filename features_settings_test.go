package parley_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/media"
	"parley/whatsapp/simulator"
)

func (h *house) fetch(id string) object {
	h.t.Helper()
	return h.get(integrations + "/" + id + "/fetch")
}

func TestFetchingAnIntegration(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		bare := h.create(integrations, object{})
		h.rule("every field is there, each of its type", func(t rule) { // F133 F160
			h.post(integrations+"/"+h.integration+"/update", object{
				"alias": "shop", "description": "d", "blueprintId": h.create("/blueprint", object{}), "sessionDuration": 1, "meta": object{"a": 1}, "attachments": true,
			})
			const text, flag, number, dict, none = "string", "bool", "float64", "map[string]interface {}", "<nil>"
			want := map[string][2]string{ // of one with all settings, and of one with none
				"id": {text, text}, "name": {text, text}, "description": {text, text}, "verifyToken": {text, text},
				"alias": {text, none}, "botId": {text, none}, "blueprintId": {text, none}, "phoneNumberId": {text, none},
				"accessToken": {text, none}, "appSecret": {text, none}, "allowFrom": {text, text},
				"contactCollection": {flag, flag}, "attachments": {flag, flag}, "sessionDuration": {number, none},
				"meta": {dict, dict}, "createdAt": {number, number}, "updatedAt": {number, number},
			}
			got := map[string][2]string{}
			full, empty := h.fetch(h.integration), h.fetch(bare)
			for key := range full {
				got[key] = [2]string{fmt.Sprintf("%T", full[key]), fmt.Sprintf("%T", empty[key])}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(full) != len(empty) {
				t.Errorf("%s; without settings: %v", diff, empty)
			}
		})
		h.rule("the ID says which, and is what everything else goes by", func(t rule) { // F135 F139 F023
			for _, id := range []string{h.integration, bare} {
				if got := h.fetch(id)["id"]; got != id {
					t.Errorf("%s is %v", id, got)
				}
			}
			for _, id := range []string{"nothing", h.bot, bare + "x", strings.ToUpper(bare), "@nothing"} {
				a := h.call(http.MethodGet, integrations+"/"+id+"/fetch", apiSecret, nil)
				if a.status != 404 || a.body["code"] != "NOT_FOUND" {
					t.Errorf("%s: %d %s", id, a.status, a.text)
				}
			}
		})
		h.rule("a content type makes no difference", func(t rule) { // F138
			var answers []string
			for _, header := range []http.Header{{}, {"Content-Type": {"application/json"}}, {"Content-Type": {"text/plain"}}} {
				r := httptest.NewRequest(http.MethodGet, "/api/v1"+integrations+"/"+bare+"/fetch", nil)
				r.Header = header
				r.Header.Set("Authorization", "Bearer "+apiSecret)
				a := h.do(r)
				answers = append(answers, fmt.Sprint(a.status, " ", a.text))
			}
			if !strings.HasPrefix(answers[0], "200 ") || answers[1] != answers[0] || answers[2] != answers[0] {
				t.Errorf("%q", answers)
			}
		})
		h.rule("null tells what is still to be set up", func(t rule) { // F134 F160 F161
			for _, c := range []struct {
				set          object
				phone, token any
				ready        int
			}{
				{object{}, nil, nil, 409},
				{object{"accessToken": accessToken}, nil, "********", 409},
				{object{"phoneNumberId": phoneNumber}, phoneNumber, "********", 200},
				{object{"accessToken": ""}, phoneNumber, nil, 409},
			} {
				h.post(integrations+"/"+bare+"/update", c.set)
				got := h.fetch(bare)
				if got["phoneNumberId"] != c.phone || got["accessToken"] != c.token {
					t.Errorf("after %v: %v", c.set, got)
				}
				if a := h.call(http.MethodPost, integrations+"/"+bare+"/setup", apiSecret, object{}); a.status != c.ready {
					t.Errorf("after %v: setup %d", c.set, a.status)
				}
			}
		})
	})
}

// Each setting is changed by itself, and shows at once while all others stay.
// F136 F140 F141 F142 F143 F144 F145 F146 F162 F295 F299 F303 F304
func TestEverySettingRoundTrips(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		id := h.create(integrations, object{})
		second, blueprint := h.create("/bot", object{"name": "Second"}), h.create("/blueprint", object{})
		before := h.fetch(id)
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(before["verifyToken"].(string)) {
			h.t.Errorf("verify token %v", before["verifyToken"])
		}
		for _, c := range []struct {
			field       string
			value, want any
		}{
			{"name", strings.Repeat("ñ", 1024), strings.Repeat("ñ", 1024)},
			{"name", "👩‍👩‍👧 שלום \"<b>\"\n", "👩‍👩‍👧 שלום \"<b>\"\n"},
			{"name", "", ""},
			{"description", strings.Repeat("日", 65535), strings.Repeat("日", 65535)},
			{"description", "", ""},
			{"alias", "shop-1", "shop-1"},
			{"alias", nil, nil},
			{"botId", h.bot, h.bot},
			{"botId", second, second},
			{"botId", nil, nil},
			{"blueprintId", blueprint, blueprint},
			{"blueprintId", nil, nil},
			{"phoneNumberId", phoneNumber, phoneNumber},
			{"phoneNumberId", "", nil},
			{"phoneNumberId", "1", "1"},
			{"phoneNumberId", nil, nil},
			{"accessToken", accessToken, "********"},
			{"accessToken", nil, nil},
			{"appSecret", appSecret, "********"},
			{"appSecret", nil, nil},
			{"contactCollection", true, true},
			{"contactCollection", false, false},
			{"attachments", true, true},
			{"attachments", false, false},
			{"sessionDuration", 0, 0.0},
			{"sessionDuration", 2628000000, 2628000000.0},
			{"sessionDuration", nil, nil},
			{"allowFrom", " +1 415-523-8886,\n447700900123 ", " +1 415-523-8886,\n447700900123 "},
			{"allowFrom", "", ""},
			{"allowFrom", nil, nil},
			{"meta", object{"a": []any{1, object{"b": nil}}}, object{"a": []any{1.0, object{"b": nil}}}},
		} {
			time.Sleep(time.Minute)
			h.post(integrations+"/"+id+"/update", object{c.field: c.value})
			want := maps.Clone(before)
			want[c.field], want["updatedAt"] = c.want, before["updatedAt"].(float64)+60_000
			after := h.fetch(id)
			if diff := cmp.Diff(want, after); diff != "" {
				h.t.Errorf("%s = %.40v: %s", c.field, c.value, diff)
			}
			before = after
		}
	})
}

// head is where the log ends.
func (h *house) head() events.Position {
	h.t.Helper()
	head, err := h.store.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return head
}

func TestWhatADeletionLeaves(t *testing.T) {
	inHouse(t, options{engine: sees()}, func(h *house) {
		h.attach()
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "What is this?"})
		h.settle()
		conversation := h.conversations()[0]["id"].(string)
		messages, log := h.list("/conversation/"+conversation+"/message/list"), h.eventTypes()
		h.rule("the answer is the ID", func(t rule) { // F131
			if diff := cmp.Diff(object{"id": h.integration}, h.post(integrations+"/"+h.integration+"/delete", object{})); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("Meta keeps posting, and it costs nothing", func(t rule) { // F122
			busy := func() float64 {
				return h.metric("actors_tasks_running") + h.metric("actors_tasks_waiting") + h.metric(inMemory)
			}
			h.settle()
			head, before := h.head(), busy()
			bodies := []string{text(alice, "wamid.1", "Hello"), text(bob, "wamid.2", "Hello"), `{"entry":[]}`, "nonsense", ""}
			for n := range 10_000 {
				post := h.notify
				if n%2 == 0 {
					post = func(body string) int { return h.postTo(h.callback(), body) }
				}
				if status := post(bodies[n%len(bodies)]); status != 404 {
					t.Fatalf("post %d: status %d", n, status)
				}
			}
			if h.head() != head || busy() != before {
				t.Errorf("the log went from %d to %d, tasks and conversations from %v to %v", head, h.head(), before, busy())
			}
		})
		h.rule("no events are added, and nothing in the log of the server needs a person", func(t rule) { // F132
			if diff := cmp.Diff(log, h.eventTypes()); diff != "" {
				t.Errorf("events: %s", diff)
			}
			if n := h.metric(`http_webhooks_total{outcome="not_found"}`); n != 10_000 {
				t.Errorf("%v webhooks are counted", n)
			}
			if strings.Contains(h.logs.String(), "level=ERROR") || strings.Contains(h.logs.String(), "level=WARN") {
				t.Errorf("logged: %.2000s", h.logs.String())
			}
		})
		h.rule("files stay, and the history names them", func(t rule) { // F113
			h.stop()
			h.start()
			if diff := cmp.Diff(messages, h.list("/conversation/"+conversation+"/message/list")); diff != "" {
				t.Errorf("messages: %s", diff)
			}
			file, _, err := h.files.Open(h.t.Context(), media.Hash(sha256.Sum256(png)))
			if err != nil {
				t.Fatalf("%v", err)
			}
			if kept, err := io.ReadAll(file); err != nil || string(kept) != string(png) {
				t.Errorf("kept %q, %v", kept, err)
			}
		})
	})
}

func TestDeletingAfterAnIncident(t *testing.T) { // F126
	slow := script.Func(func(t engine.Turn) []script.Step {
		var heard []string
		for _, m := range t.History {
			heard = append(heard, m.Text)
		}
		return []script.Step{script.Wait(20 * time.Second), script.Say(strings.Join(heard, " | "))}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		old, oldToken := h.integration, h.verifyToken
		h.notify(text(alice, "wamid.1", "My PIN is 1234"))
		h.settle()
		h.notify(text(bob, "wamid.2", "Hello"))
		time.Sleep(time.Second)
		if !h.isStored(oldToken) {
			h.t.Error("the verify token is not looked for where it is")
		}
		h.post(integrations+"/"+old+"/delete", object{})
		h.settle()
		if h.isStored(oldToken) || strings.Contains(h.logs.String(), oldToken) {
			h.t.Error("the old verify token is still stored")
		}
		h.furnish()
		h.notify(text(alice, "wamid.3", "I am back"))
		h.settle()
		if diff := cmp.Diff([]string{"My PIN is 1234", "I am back"}, h.texts(alice)); diff != "" {
			h.t.Errorf("the old session goes on: %s", diff)
		}
		if got := h.texts(bob); len(got) != 0 {
			h.t.Errorf("bob got %q after the deletion", got)
		}
		for id, want := range map[string]int{old: 404, h.integration: 403} {
			query := "/callback?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + oldToken
			if a := h.call(http.MethodGet, integrations+"/"+id+query, "", nil); a.status != want {
				h.t.Errorf("the old verify token: %d, want %d", a.status, want)
			}
		}
	})
}

// isStored looks for a text in the log and in the files of the node, which it
// stops meanwhile.
func (h *house) isStored(text string) bool {
	h.t.Helper()
	h.stop()
	defer h.start()
	all, err := h.store.ReadAll(h.t.Context(), events.LogStart, events.Forwards, 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range all {
		if strings.Contains(string(r.Data)+string(r.Metadata), text) {
			return true
		}
	}
	found := false
	err = filepath.WalkDir(h.config.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || strings.Contains(string(data), text)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

func TestEverybodyCanBeWrittenToBeforeAnEnd(t *testing.T) { // F128
	inHouse(t, options{}, func(h *house) {
		people := []string{alice, bob, "4915112345678"}
		for _, person := range people {
			h.person(person).Write("Hello")
		}
		h.settle()
		for _, e := range h.list("/event/log/list?type=integration.whatsapp.message.received") {
			h.post(integrations+"/"+h.integration+"/initiate", object{"to": e["meta"].(object)["from"], "text": "We close this number."})
		}
		h.settle()
		delivered := map[any]int{}
		for _, e := range h.list("/event/log/list?type=integration.whatsapp.status.delivered") {
			delivered[e["meta"].(object)["recipient"]]++
		}
		for _, person := range people {
			if got := h.texts(person); len(got) != 2 || got[1] != "We close this number." || delivered[person] != 2 {
				h.t.Errorf("%s got %q, delivered %d", person, got, delivered[person])
			}
		}
	})
}
