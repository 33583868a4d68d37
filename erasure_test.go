package parley_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/projections"
)

// everything is what the API tells acme about conversations and events.
func (h *house) everything() string {
	h.t.Helper()
	var all strings.Builder
	for _, path := range []string{"/conversation/list", "/conversation/export", "/event/log/list"} {
		text, err := json.Marshal(h.list(path))
		if err != nil {
			h.t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// checkReplay folds the log anew and compares. P6
func (h *house) checkReplay() {
	h.t.Helper()
	h.get("/event/log/list") // catches up
	h.stop()
	var prints []string
	for _, path := range []string{filepath.Join(h.config.Data, "read", "model.db"), filepath.Join(h.t.TempDir(), "model.db")} {
		m, err := projections.Open(h.t.Context(), projections.Config{Path: path, Store: h.store})
		if err != nil {
			h.t.Fatal(err)
		}
		follow(h.t, m)
		print, err := m.Fingerprint(h.t.Context())
		if err != nil {
			h.t.Error(err)
		}
		if err := m.Close(); err != nil {
			h.t.Error(err)
		}
		prints = append(prints, print)
	}
	if prints[0] != prints[1] {
		h.t.Error("the read model is another one when it is folded anew")
	}
	h.start()
}

const secretWords = "nobody must know this"

func TestDeletingAConversation(t *testing.T) { // A20 P2 P6
	inHouse(t, options{}, func(h *house) {
		contact := h.create("/contact", object{"name": "Alice"})
		one, other := text(alice, "wamid.1", secretWords), text(alice, "wamid.0", secretWords+" either")
		h.notify(strings.Replace(one, `"messages":[`, `"messages":[`+regexp.MustCompile(`"messages":\[(.*?\}\})\]`).FindStringSubmatch(other)[1]+",", 1))
		h.settle()
		id := h.conversations()[0]["id"].(string)
		if got := h.history(id); len(got) != 3 {
			h.t.Fatalf("%q", got)
		}
		at := "/conversation/" + id
		h.post(at+"/update", object{"contactId": contact, "name": secretWords})
		message := h.create(at+"/message", object{"type": "context", "text": secretWords})
		h.post(at+"/message/"+message+"/update", object{"name": secretWords})
		h.rule("others cannot", func(t rule) { // P8
			theirs := h.call("POST", at+"/delete", otherSecret, object{})
			if none := h.call("POST", "/conversation/none/delete", otherSecret, object{}); theirs.status != 404 || theirs.text != none.text {
				t.Errorf("%d %s", theirs.status, theirs.text)
			}
		})
		if got := h.post(at+"/delete", object{})["id"]; got != id {
			h.t.Errorf("answered %v", got)
		}
		h.rule("it is gone for every route", func(t rule) {
			for _, request := range [][2]string{
				{"GET", "/fetch"},
				{"GET", "/message/list"},
				{"GET", "/message/" + message + "/fetch"},
				{"POST", "/update"},
				{"POST", "/delete"},
				{"POST", "/message/create"},
				{"POST", "/message/" + message + "/update"},
				{"POST", "/message/" + message + "/delete"},
				{"POST", "/contact/upsert"},
				{"POST", "/send"},
				{"POST", "/receive"},
				{"POST", "/complete"},
			} {
				var body any
				if request[0] == "POST" {
					body = object{"type": "user", "text": "x"}
				}
				if a := h.call(request[0], at+request[1], apiSecret, body); a.status != 404 && (a.status != 400 || request[0] == "GET") {
					t.Errorf("%s: %d %s", request[1], a.status, a.text)
				}
			}
			for _, path := range []string{"/conversation/list", "/conversation/export", "/contact/" + contact + "/conversation/list"} {
				if got := h.list(path); len(got) != 0 {
					t.Errorf("%s: %v", path, got)
				}
			}
		})
		h.rule("the event log says that something happened, and nothing more", func(t rule) {
			if strings.Contains(h.everything(), secretWords) {
				t.Error("it can be read")
			}
			bare, told := 0, 0
			for _, e := range h.list("/event/log/list?conversationId=" + id) {
				if e["type"] == "" || e["createdAt"].(float64) == 0 || e["conversationId"] != id {
					t.Errorf("%v", e)
				}
				if len(e["meta"].(object)) == 0 {
					bare++
				}
			}
			for _, e := range h.list("/event/log/list") {
				if e["type"] == "conversation.delete" && e["conversationId"] == id {
					told++
				}
			}
			if bare < 8 || told != 1 {
				t.Errorf("%d bare lines, %d of the deletion", bare, told)
			}
		})
		h.rule("the same message again is no message, and the next one starts another conversation", func(t rule) { // P2
			h.notify(text(alice, "wamid.1", "Repeated"))
			h.settle()
			if got := h.conversations(); len(got) != 0 {
				t.Errorf("conversations %v", got)
			}
			h.notify(text(alice, "wamid.2", "Hello again"))
			h.settle()
			got := h.conversations()
			if len(got) != 1 || got[0]["id"] == id {
				t.Fatalf("conversations %v", got)
			}
			want := []string{"user: Hello again", "bot: You said: Hello again"}
			if diff := cmp.Diff(want, h.history(got[0]["id"].(string))); diff != "" {
				t.Error(diff)
			}
		})
		h.checkReplay()
	})
}

func TestDeletingAConversationInItsTurn(t *testing.T) { // A20
	slow := script.Func(func(t engine.Turn) []script.Step {
		return []script.Step{script.Wait(10 * time.Second), script.Say("One"), script.Say("Two")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.notify(text(bob, "wamid.2", "Hello"))
		time.Sleep(time.Second)
		for _, c := range h.conversations() {
			h.post("/conversation/"+c["id"].(string)+"/delete", object{})
			break
		}
		h.settle()
		if alices, bobs := len(h.texts(alice)), len(h.texts(bob)); alices+bobs != 1 {
			h.t.Errorf("sent %d to Alice and %d to Bob", alices, bobs)
		}
		time.Sleep(time.Hour)
		h.checkReplay()
	})
}

func TestDeletingAConversationThatSomebodyWaitsFor(t *testing.T) { // A20 A21
	slow := script.Func(func(t engine.Turn) []script.Step {
		return []script.Step{script.Wait(10 * time.Second), script.Say("Hi")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		id := h.create("/conversation", object{"model": "script"})
		answers := make(chan answer, 2)
		for range 2 {
			go func() {
				answers <- h.call(http.MethodPost, "/conversation/"+id+"/complete", apiSecret, object{"text": "Hello"})
			}()
		}
		time.Sleep(time.Second)
		h.post("/conversation/"+id+"/delete", object{})
		for range 2 {
			if a := <-answers; a.status != 404 {
				h.t.Errorf("%d %s", a.status, a.text)
			}
		}
	})
}

func TestTheFilesOfADeletedConversation(t *testing.T) { // A20 A24
	inHouse(t, options{}, func(h *house) {
		h.attach()
		one, other := h.begin(picture), h.begin(picture)
		h.rule("they are gone for everybody, and kept for those who have the same", func(t rule) {
			attachment := h.list("/conversation/" + one + "/attachment/list")[0]["id"].(string)
			h.post("/conversation/"+one+"/delete", object{})
			for _, path := range []string{"/attachment/list", "/attachment/" + attachment + "/download"} {
				if a := h.call(http.MethodGet, "/conversation/"+one+path, apiSecret, nil); a.status != 404 {
					t.Errorf("%s: %d", path, a.status)
				}
			}
			time.Sleep(time.Hour)
			if n := h.contents(); n != 1 {
				t.Errorf("%d contents in the store", n)
			}
			if a := h.download("/conversation/" + other + "/attachment/image.png"); a.text != string(png) {
				t.Errorf("the other's: %d", a.status)
			}
		})
		h.rule("with the last one they are gone from the disk, also after a crash", func(t rule) {
			h.post("/conversation/"+other+"/delete", object{})
			h.crash()
			time.Sleep(time.Hour)
			if n := h.contents(); n != 0 {
				t.Errorf("%d contents in the store", n)
			}
		})
		h.checkReplay()
	})
}
