package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/local"
	"parley/events/memory"
)

// onDisk is a log in a directory as a node would make it.
func onDisk(t *testing.T, home string) func() events.Store {
	return func() events.Store {
		store, err := local.Open(filepath.Join(home, "log"), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		return store
	}
}

// filesWith names the files below some directories that hold a text.
func (h *house) filesWith(text string, roots ...string) (found []string) {
	h.t.Helper()
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if bytes.Contains(bytes.ToLower(content), []byte(text)) {
				found = append(found, path)
			}
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return found
}

// TestWhatWasKnownOfADeletedContact: it is in no file any more, and is not
// brought back when the contact is made again. A22 P6
func TestWhatWasKnownOfADeletedContact(t *testing.T) {
	home := t.TempDir()
	inHouse(t, options{store: onDisk(t, home)}, func(h *house) {
		known := func(words string) (id string) {
			id = h.create("/contact", object{"fingerprint": "fingerprint-of-stripes", "name": words, "preferences": words, "meta": object{"a": words}})
			h.post("/contact/"+id+"/update", object{"nick": words, "email": "zebra@example.com", "phone": "+15559876543"})
			return id
		}
		other := h.create("/contact", object{"name": "another zebra"})
		for n, words := range []string{"purple zebra", "green zebra"} {
			id := known(words)
			if len(h.filesWith(words, home, h.config.Data)) == 0 {
				h.t.Fatal("the test cannot see the words in the first place")
			}
			h.post("/contact/"+id+"/delete", object{})
			time.Sleep(time.Second)
			for _, text := range []string{words, "zebra@example.com", "15559876543"} {
				if found := h.filesWith(text, home, h.config.Data); len(found) > 0 {
					h.t.Errorf("%q stands in %v", text, found)
				}
			}
			told := 0
			for _, e := range h.list("/event/log/list?contactId=" + id) {
				if e["type"] == "contact.erase" {
					told++
				}
			}
			if told != n+1 {
				h.t.Errorf("the event log tells it %d times", told)
			}
		}
		if got := h.get("/contact/" + other + "/fetch")["name"]; got != "another zebra" {
			h.t.Errorf("the other contact's name is %v", got)
		}
		h.checkReplay()
		known("made anew")
		h.crash()
		if found := h.filesWith("made anew", home); len(found) == 0 {
			h.t.Error("what is known of the contact that was made anew is gone")
		}
		h.checkReplay()
	})
}

// TestTheWordsOfADeletedConversation: they are in no file any more, not those of
// the log either, and what others said is. A20 P6
func TestTheWordsOfADeletedConversation(t *testing.T) {
	chatty := script.Func(func(t engine.Turn) []script.Step {
		said := t.Unanswered()[0].Text
		return []script.Step{
			script.Say("You said " + said),
			script.Do(engine.Remember{Memory: []byte("memory of " + said)}, engine.Used{Tokens: 3}),
			script.Do(engine.Called{Call: engine.Call{ID: "c", Function: "look", Arguments: json.RawMessage(`{"for":"` + said + `"}`), Result: json.RawMessage(`1`)}}),
		}
	})
	home := t.TempDir()
	inHouse(t, options{engine: chatty, store: onDisk(t, home)}, func(h *house) {
		h.attach()
		h.post(integrations+"/"+h.integration+"/update", object{"sessionDuration": 3_600_000})
		talk := func(wamid, words string) (id string) {
			h.notify(strings.Replace(text(alice, wamid, words), `"name":"Alice"`, `"name":"`+words+`"`, 1))
			h.settle()
			all := h.conversations()
			id = all[len(all)-1]["id"].(string)
			at := "/conversation/" + id
			h.post(at+"/update", object{"name": words, "description": words, "backstory": words, "meta": object{"a": words}})
			m := h.create(at+"/message", object{"type": "user", "text": words, "name": words, "meta": object{"a": words}})
			h.post(at+"/message/"+m+"/update", object{"text": words + " rewritten"})
			time.Sleep(2 * time.Hour) // its time is over
			return id
		}
		before := talk("wamid.1", "before the zebra")
		id := talk("wamid.2", "among purple zebras")
		after := talk("wamid.3", "after the zebra")
		kept := h.history(before)
		usage, records := h.get("/usage/fetch"), h.list("/usage/list")
		if len(h.filesWith("purple zebra", home, h.config.Data)) == 0 {
			h.t.Fatal("the test cannot see the words in the first place")
		}
		h.post("/conversation/"+id+"/delete", object{})
		time.Sleep(time.Second)
		h.rule("they are gone from the disk", func(t rule) {
			if found := h.filesWith("purple zebra", home, h.config.Data); len(found) > 0 {
				t.Errorf("they stand in %v", found)
			}
		})
		h.rule("those of the conversations around it are not", func(t rule) {
			if len(h.filesWith("before the zebra", home)) == 0 || len(h.filesWith("after the zebra", home)) == 0 {
				t.Error("they are gone")
			}
			if diff := cmp.Diff(kept, h.history(before)); diff != "" || len(h.history(after)) == 0 {
				t.Error(diff)
			}
		})
		h.rule("what was used stays used", func(t rule) { // A26
			if diff := cmp.Diff(usage, h.get("/usage/fetch")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(records, h.list("/usage/list")); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a notification that comes again does not bring them back", func(t rule) { // P2
			h.notify(text(alice, "wamid.2", "among purple zebras"))
			h.settle()
			if found := h.filesWith("purple zebra", home, h.config.Data); len(found) > 0 {
				t.Errorf("they stand in %v", found)
			}
		})
		h.checkReplay()
		h.rule("a crash and a restart bring nothing back, and the talk goes on", func(t rule) {
			h.crash()
			time.Sleep(time.Hour)
			talk("wamid.4", "more of it")
			if found := h.filesWith("purple zebra", home, h.config.Data); len(found) > 0 {
				t.Errorf("they stand in %v", found)
			}
		})
		h.rule("the event log tells that they are erased", func(t rule) {
			var told []object
			for _, e := range h.list("/event/log/list?conversationId=" + id) {
				if e["type"] == "conversation.erase" {
					told = append(told, e["meta"].(object))
				}
			}
			if diff := cmp.Diff([]object{{"conversationId": id, "kept": false}}, told); diff != "" {
				t.Error(diff)
			}
		})
		h.checkReplay()
	})
}

// fixed is a log that cannot be overwritten, and at first cannot even say so.
type fixed struct {
	events.Store
	asked *atomic.Int32
}

func (f fixed) Overwrite(context.Context, events.Stream, ...events.Replacement) error {
	if f.asked.Add(1) <= 2 {
		return events.ErrUnavailable
	}
	return events.ErrFixed
}

// TestALogThatCannotBeOverwritten: the event log is honest about it, and nothing
// goes on trying. A20
func TestALogThatCannotBeOverwritten(t *testing.T) {
	var asked atomic.Int32
	inHouse(t, options{store: func() events.Store { return fixed{memory.New(), &asked} }}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		id := h.conversations()[0]["id"].(string)
		h.post("/conversation/"+id+"/delete", object{})
		time.Sleep(time.Hour)
		var told []any
		for _, e := range h.list("/event/log/list?conversationId=" + id) {
			if e["type"] == "conversation.erase" {
				told = append(told, e["meta"].(object)["kept"])
			}
		}
		if n := asked.Load(); len(told) != 1 || told[0] != true || n != 3 {
			t.Errorf("told %v, asked %d times", told, n)
		}
		h.checkReplay()
	})
}
