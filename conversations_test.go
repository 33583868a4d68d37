package parley_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exceptTimes ignores when things were made and changed.
var exceptTimes = cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "createdAt" || key == "updatedAt" })

func TestConversationsMadeThroughTheAPI(t *testing.T) { // A20
	inHouse(t, options{}, func(h *house) {
		h.rule("nothing is needed", func(t rule) {
			id := h.create("/conversation", object{})
			want := object{
				"id": id, "name": "", "description": "", "contactId": nil, "taskId": nil, "spaceId": nil, "botId": nil,
				"privacy": false, "moderation": false, "meta": object{},
			}
			if diff := cmp.Diff(want, h.get("/conversation/"+id+"/fetch"), exceptTimes); diff != "" {
				t.Error(diff)
			}
			if got := h.list("/conversation/" + id + "/message/list"); len(got) != 0 {
				t.Errorf("messages %v", got)
			}
		})
		h.rule("what is given is kept", func(t rule) {
			given := object{
				"name": "Talk", "description": "About\nthings", "botId": h.bot, "privacy": true, "meta": object{"a": 1.0, "b": object{"c": nil}},
				"taskId": nil, "spaceId": "", "datasetId": nil,
			}
			id := h.create("/conversation", given)
			want := object{
				"id": id, "name": "Talk", "description": "About\nthings", "contactId": nil, "taskId": nil, "spaceId": nil, "botId": h.bot,
				"privacy": true, "moderation": false, "meta": object{"a": 1.0, "b": object{"c": nil}},
			}
			if diff := cmp.Diff(want, h.get("/conversation/"+id+"/fetch"), exceptTimes); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("model and backstory stand instead of a bot", func(t rule) {
			id := h.create("/conversation", object{"model": "script/temperature=1", "backstory": "You are a pirate."})
			if got := h.get("/conversation/" + id + "/fetch"); got["model"] != "script/temperature=1" || got["backstory"] != "You are a pirate." {
				t.Errorf("%v", got)
			}
		})
		h.rule("messages are stored in their order, and their IDs told", func(t rule) {
			pirate := strings.Repeat("Arr! ", 60_000)
			made := h.post("/conversation/create", object{"messages": []object{
				{"type": "user", "text": "Ahoy"},
				{"type": "bot", "text": pirate, "meta": object{"k": "v"}},
				{"type": "activity", "text": "", "meta": object{"activity": object{"type": "request", "function": object{"name": "look"}}}},
				{"type": "context", "text": "It is night."},
			}})
			got := h.list("/conversation/" + made["id"].(string) + "/message/list")
			if len(got) != 4 || len(made["messages"].([]any)) != 4 {
				t.Fatalf("%d messages", len(got))
			}
			for i, m := range made["messages"].([]any) {
				if m := m.(object); m["id"] != got[i]["id"] || m["type"] != got[i]["type"] || m["text"] != got[i]["text"] {
					t.Errorf("told %v", m)
				}
			}
			if got[1]["text"] != pirate || !cmp.Equal(got[1]["meta"], object{"k": "v"}) {
				t.Errorf("stored %v", got[1]["meta"])
			}
		})
		h.rule("they are listed like others, and told from those of WhatsApp", func(t rule) {
			if n := len(h.list("/conversation/list")); n != 4 {
				t.Errorf("%d conversations", n)
			}
			if n := len(h.conversations()); n != 0 {
				t.Errorf("%d conversations of the integration", n)
			}
		})
		h.rule("nothing of WhatsApp is tried for them", func(t rule) {
			h.settle()
			if calls := h.sim.Calls(); len(calls) > 0 {
				t.Errorf("sent %v", calls)
			}
		})
	})
}

func TestConversationsThatCannotBeMade(t *testing.T) { // A13 A20
	activity := func(a any) object {
		return object{"messages": []object{{"type": "activity", "text": "", "meta": object{"activity": a}}}}
	}
	inHouse(t, options{}, func(h *house) {
		foreign := h.call(http.MethodPost, "/bot/create", otherSecret, object{}).body["id"]
		for name, body := range map[string]object{
			`"id" is not allowed`:                       {"id": "mine"},
			"Bot not found":                             {"botId": foreign},
			"Contact not found":                         {"contactId": "none"},
			"dataset not found":                         {"datasetId": "d"},
			"skillset not found":                        {"skillsetId": "d"},
			"task not found":                            {"taskId": "d"},
			"space not found":                           {"spaceId": "d"},
			`"name" must be a string`:                   {"name": 1},
			`"messages" must be a list of objects`:      {"messages": object{}},
			`messages[0]: "type" must be given`:         {"messages": []object{{"text": "x"}}},
			`messages[0]: "text" must be given`:         {"messages": []object{{"type": "user"}}},
			`messages[1]: "type" must be one of`:        {"messages": []object{{"type": "user", "text": "x"}, {"type": "robot", "text": "x"}}},
			`messages[0]: "id" is not allowed`:          {"messages": []object{{"type": "user", "text": "x", "id": "x"}}},
			`messages[0]: "text" contains a NUL`:        {"messages": []object{{"type": "user", "text": "\x00"}}},
			`messages[0]: "text" is too long`:           {"messages": []object{{"type": "user", "text": strings.Repeat("é", 170_000)}}},
			`messages[0]: "meta._x": keys that start`:   {"messages": []object{{"type": "user", "text": "x", "meta": object{"_x": 1}}}},
			`"meta.activity.type" must be request`:      {"messages": []object{{"type": "activity", "text": ""}}},
			`messages[0]: "meta.activity" must be an`:   activity("request"),
			`messages[0]: "meta.activity.type" must be`: activity(object{"type": "call", "function": object{"name": "f"}}),
			`"meta.activity.function" must be an`:       activity(object{"type": "request"}),
			`"backstory" is longer than 200000`:         {"backstory": strings.Repeat("x", 200_001)},
		} {
			a := h.call(http.MethodPost, "/conversation/create", apiSecret, body)
			if message, _ := a.body["message"].(string); a.status != 400 || !strings.Contains(message, name) {
				h.t.Errorf("%s: %d %s", name, a.status, a.text[:min(len(a.text), 300)])
			}
		}
		if n := len(h.list("/conversation/list")); n != 0 {
			h.t.Errorf("%d conversations were made all the same", n)
		}
	})
}

func TestP8ConversationsOfOthers(t *testing.T) { // P8 A20
	inHouse(t, options{}, func(h *house) {
		id := h.create("/conversation", object{"name": "Secret", "messages": []object{{"type": "user", "text": "x"}}})
		for _, path := range []string{"/fetch", "/message/list"} {
			theirs := h.call(http.MethodGet, "/conversation/"+id+path, otherSecret, nil)
			none := h.call(http.MethodGet, "/conversation/none"+path, otherSecret, nil)
			if theirs.status != 404 || theirs.text != none.text {
				h.t.Errorf("%s: %d %s", path, theirs.status, theirs.text)
			}
		}
		if a := h.call(http.MethodGet, "/conversation/list", otherSecret, nil); len(a.body["items"].([]any)) != 0 {
			h.t.Errorf("listed to others: %s", a.text)
		}
	})
}
