package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
)

func TestMessagesPutIn(t *testing.T) { // A20
	inHouse(t, options{}, func(h *house) {
		id := h.create("/conversation", object{})
		messages := "/conversation/" + id + "/message"
		h.rule("every type can be put in, and is told as it was given", func(t rule) {
			for _, typ := range []string{"user", "bot", "reasoning", "context", "instruction", "backstory", "checkpoint", "activity"} {
				given := object{"type": typ, "text": "Text of " + typ, "name": "N", "description": "D", "meta": object{"k": typ}}
				if typ == "activity" {
					given["meta"] = object{"activity": object{"type": "trigger", "function": object{"name": "wake", "arguments": object{"a": 1.0}}}}
				}
				made := h.post(messages+"/create", given)
				if diff := cmp.Diff([]any{}, made["entities"]); diff != "" {
					t.Errorf("entities %s", diff)
				}
				given["id"] = made["id"]
				if diff := cmp.Diff(given, h.get(messages+"/"+made["id"].(string)+"/fetch"), exceptTimes); diff != "" {
					t.Errorf("%s: %s", typ, diff)
				}
			}
			if got := h.history(id); len(got) != 8 || got[0] != "user: Text of user" || got[7] != "activity: Text of activity" {
				t.Errorf("%q", got)
			}
		})
		h.rule("a change changes what it names, and when", func(t rule) {
			id := h.create(messages, object{"type": "user", "text": "Helo", "meta": object{"a": 1.0, "b": 1.0}})
			before := h.get(messages + "/" + id + "/fetch")
			time.Sleep(time.Second)
			h.post(messages+"/"+id+"/update", object{"text": "Hello", "meta": object{"b": object{"c": true}}})
			h.post(messages+"/"+id+"/update", object{"name": "Greeting", "type": "context", "meta": object{"d": nil}})
			after := h.get(messages + "/" + id + "/fetch")
			want := object{
				"id": id, "type": "context", "text": "Hello", "name": "Greeting", "description": "",
				"meta": object{"a": 1.0, "b": object{"c": true}, "d": nil}, "createdAt": before["createdAt"],
			}
			if after["updatedAt"].(float64) != before["updatedAt"].(float64)+1000 {
				t.Errorf("changed at %v, made at %v", after["updatedAt"], before["updatedAt"])
			}
			delete(after, "updatedAt")
			if diff := cmp.Diff(want, after); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("what is removed is gone, and the place where it stood is still a place", func(t rule) { // A16
			list := h.list(messages + "/list")
			second := list[1]["id"].(string)
			h.post(messages+"/"+second+"/delete", object{})
			if got := h.list(messages + "/list"); len(got) != len(list)-1 || got[1]["id"] != list[2]["id"] {
				t.Errorf("%d messages are left of %d", len(got), len(list))
			}
			page := h.get(messages + "/list?take=1&cursor=" + second)["items"].([]any)
			if len(page) != 1 || page[0].(object)["id"] != list[2]["id"] {
				t.Errorf("after the removed one comes %v", page)
			}
			for _, request := range [][2]string{{"GET", "/fetch"}, {"POST", "/update"}, {"POST", "/delete"}} {
				if a := h.call(request[0], messages+"/"+second+request[1], apiSecret, object{}); a.status != 404 {
					t.Errorf("%s: %d", request[1], a.status)
				}
			}
		})
		h.rule("what cannot be stored is refused and changes nothing", func(t rule) {
			message := h.list(messages + "/list")[0]["id"].(string)
			before := h.get(messages + "/" + message + "/fetch")
			for want, body := range map[string]object{
				`"type" must be one of`:   {"type": "robot"},
				`"text" is too long`:      {"text": strings.Repeat("<", 200_000)},
				`"text" must be a string`: {"text": 1},
				`"id" is not allowed`:     {"id": "x"},
				`"meta.activity.type"`:    {"type": "activity"},
				`are reserved`:            {"meta": object{"_a": 1}},
				`"meta" is larger than`:   {"meta": object{"a": strings.Repeat("x", 65_536)}},
			} {
				a := h.call("POST", messages+"/"+message+"/update", apiSecret, body)
				if a.status != 400 || !strings.Contains(a.text, strings.ReplaceAll(want, `"`, `\"`)) {
					t.Errorf("%s: %d %s", want, a.status, a.text)
				}
			}
			if diff := cmp.Diff(before, h.get(messages+"/"+message+"/fetch")); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("the longest message is a line that clients can read", func(t rule) {
			// Not counted by hand: the limit is found, and the line measured.
			for size := 190_000; ; size -= 2000 {
				a := h.call("POST", messages+"/create", apiSecret, object{"type": "user", "text": strings.Repeat("é", size)})
				if a.status == 200 {
					break
				}
			}
			lines := h.call("GET", messages+"/list", apiSecret, nil, "Accept", "application/jsonl")
			for line := range strings.Lines(lines.text) {
				if len(line) >= 1<<20 {
					t.Errorf("a line has %d bytes", len(line))
				}
			}
		})
	})
}

func TestMessagesOfOtherConversations(t *testing.T) { // A20 P8
	inHouse(t, options{}, func(h *house) {
		one, other := h.create("/conversation", object{}), h.create("/conversation", object{})
		message := h.create("/conversation/"+one+"/message", object{"type": "user", "text": "x"})
		for _, path := range []string{"/fetch", "/update", "/delete"} {
			method := http.MethodPost
			if path == "/fetch" {
				method = http.MethodGet
			}
			none := h.call(method, "/conversation/"+one+"/message/none"+path, apiSecret, object{})
			elsewhere := h.call(method, "/conversation/"+other+"/message/"+message+path, apiSecret, object{})
			if elsewhere.status != 404 || elsewhere.text != none.text {
				h.t.Errorf("of another conversation: %d %s", elsewhere.status, elsewhere.text)
			}
			theirs := h.call(method, "/conversation/"+one+"/message/"+message+path, otherSecret, object{})
			if unknown := h.call(method, "/conversation/none/message/"+message+path, otherSecret, object{}); theirs.status != 404 || theirs.text != unknown.text {
				h.t.Errorf("of another account: %d %s", theirs.status, theirs.text)
			}
		}
		if a := h.call("POST", "/conversation/"+one+"/message/create", otherSecret, object{"type": "user", "text": "x"}); a.status != 404 {
			h.t.Errorf("put in by others: %d %s", a.status, a.text)
		}
		if got := h.history(one); len(got) != 1 {
			h.t.Errorf("%q", got)
		}
	})
}

// recall says what the engine is told.
func recall() engine.Engine {
	return script.Func(func(t engine.Turn) []script.Step {
		var told []string
		for _, m := range t.History {
			line := string(m.Role) + " " + m.Text
			if m.Call != nil {
				line = fmt.Sprintf("call %s(%s)=%s", m.Call.Function, m.Call.Arguments, m.Call.Result)
			}
			told = append(told, line)
		}
		return []script.Step{script.Say(strings.Join(told, "; "))}
	})
}

func TestTheEngineIsToldWhatPeoplePutIn(t *testing.T) { // A20
	inHouse(t, options{engine: recall()}, func(h *house) {
		h.person(alice).Write("Helo")
		h.settle()
		id := h.conversations()[0]["id"].(string)
		messages := "/conversation/" + id + "/message"
		list := h.list(messages + "/list")
		h.post(messages+"/"+list[0]["id"].(string)+"/update", object{"text": "Hello"})
		h.post(messages+"/"+list[1]["id"].(string)+"/delete", object{})
		look := func(typ string, more object) object {
			function := object{"name": "look"}
			for k, v := range more {
				function[k] = v
			}
			return object{"type": "activity", "text": "", "meta": object{"activity": object{"type": typ, "function": function}}}
		}
		for _, m := range []object{
			{"type": "context", "text": "It is night."},
			{"type": "reasoning", "text": "Hmm"},
			{"type": "checkpoint", "text": "here"},
			look("request", object{"arguments": object{"at": "sky"}}),
			look("response", object{"result": "stars"}),
			look("trigger", nil),
			{"type": "bot", "text": "Good evening."},
		} {
			h.create(messages, m)
		}
		h.person(alice).Write("How are you?")
		h.settle()
		texts := h.texts(alice)
		want := `user Hello; context It is night.; call look({"at":"sky"})="stars"; bot Good evening.; user How are you?`
		if got := texts[len(texts)-1]; got != want {
			h.t.Errorf("told %q, want %q", got, want)
		}
		if len(texts) != 2 {
			h.t.Errorf("what was put in went out: %q", texts)
		}
	})
}

func TestMessagesPutIntoAnEarlierSession(t *testing.T) { // A20
	inHouse(t, options{}, func(h *house) {
		for i, words := range []string{"One", "/new", "Two", "/new", "Three"} {
			h.notify(text(alice, fmt.Sprintf("wamid.%d", i), words))
			h.settle()
		}
		first := h.conversations()[0]["id"].(string)
		h.create("/conversation/"+first+"/message", object{"type": "bot", "text": "Later"})
		want := []string{"user: One", "bot: You said: One", "bot: Later"}
		if diff := cmp.Diff(want, h.history(first)); diff != "" {
			h.t.Error(diff)
		}
		items := h.get("/conversation/" + first + "/message/list?order=desc&take=2")["items"].([]any)
		if len(items) != 2 || items[0].(object)["text"] != "Later" || items[1].(object)["text"] != "You said: One" {
			h.t.Errorf("newest first: %v", items)
		}
		second := h.conversations()[1]["id"].(string)
		if got := h.history(second); len(got) != 2 {
			h.t.Errorf("the next one has %q", got)
		}
	})
}

func TestAMessageRemovedBeforeItsTurn(t *testing.T) { // A20
	inHouse(t, options{engine: echo()}, func(h *house) {
		h.rules.Gather = time.Minute
		h.crash() // with the other rules
		h.notify(text(alice, "wamid.1", "Forget this"))
		time.Sleep(time.Second)
		id := h.conversations()[0]["id"].(string)
		message := h.list("/conversation/" + id + "/message/list")[0]["id"].(string)
		h.post("/conversation/"+id+"/message/"+message+"/delete", object{})
		h.settle()
		if got := h.texts(alice); len(got) != 0 {
			h.t.Errorf("answered %q", got)
		}
		if got := h.event("message.skipped")["code"]; got != "message_deleted" {
			h.t.Errorf("the event says %v", got)
		}
	})
}
