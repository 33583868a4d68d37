package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/engine"
	"parley/engine/script"
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

func TestUpdatingAConversation(t *testing.T) { // A20
	inHouse(t, options{}, func(h *house) {
		id := h.create("/conversation", object{"name": "Talk", "botId": h.bot, "meta": object{"a": 1.0, "b": 1.0}})
		fetch := func() object { return h.get("/conversation/" + id + "/fetch") }
		update := "/conversation/" + id + "/update"
		h.rule("only what is named changes, and when", func(t rule) {
			before := fetch()
			time.Sleep(time.Second)
			h.post(update, object{"description": "Small", "meta": object{"b": object{"c": 1.0}}, "moderation": "true"})
			want := before
			want["description"], want["meta"], want["moderation"] = "Small", object{"a": 1.0, "b": object{"c": 1.0}}, true
			want["updatedAt"] = before["updatedAt"].(float64) + 1000
			if diff := cmp.Diff(want, fetch()); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a fetched conversation can be given back", func(t rule) {
			before := fetch()
			again := fetch()
			delete(again, "id")
			delete(again, "createdAt")
			delete(again, "updatedAt")
			h.post(update, again)
			if diff := cmp.Diff(before, fetch(), exceptTimes); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("both of two changes at once survive", func(t rule) { // CONTRACT 17
			var calls sync.WaitGroup
			for i := range 20 {
				calls.Go(func() { h.post(update, object{"meta": object{fmt.Sprint("k", i): i}}) })
			}
			calls.Wait()
			if n := len(fetch()["meta"].(object)); n != 22 {
				t.Errorf("%d keys", n)
			}
		})
		h.rule("model and backstory come and go with the bot", func(t rule) {
			h.post(update, object{"botId": nil, "backstory": "You are a pirate.", "model": "script"})
			if got := fetch(); got["botId"] != nil || got["backstory"] != "You are a pirate." {
				t.Errorf("%v", got)
			}
			h.post(update, object{"botId": h.bot})
			if got := fetch(); got["botId"] != h.bot || got["backstory"] != nil || got["model"] != nil {
				t.Errorf("%v", got)
			}
		})
		h.rule("contacts are linked and cut off", func(t rule) {
			contact := h.create("/contact", object{"name": "Bob"})
			h.post(update, object{"contactId": contact})
			if got := h.list("/contact/" + contact + "/conversation/list"); len(got) != 1 || got[0]["id"] != id || fetch()["contactId"] != contact {
				t.Errorf("the contact's: %v", got)
			}
			h.post(update, object{"contactId": ""})
			if got := h.list("/contact/" + contact + "/conversation/list"); len(got) != 0 || fetch()["contactId"] != nil {
				t.Errorf("the contact's: %v", got)
			}
		})
		h.rule("what cannot be is refused, all of it", func(t rule) {
			before := fetch()
			for _, body := range []object{
				{"name": "x", "botId": "none"},
				{"name": "x", "contactId": "none"},
				{"name": "x", "taskId": "t"},
				{"name": "x", "id": "y"},
				{"name": "x", "messages": []object{}},
				{"name": "x", "meta": object{"long": strings.Repeat("x", 65_536)}},
				{"name": "x", "meta": object{"_a": 1}},
			} {
				if a := h.call("POST", update, apiSecret, body); a.status != 400 {
					t.Errorf("%v: %d %s", body, a.status, a.text)
				}
			}
			if diff := cmp.Diff(before, fetch()); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("nobody changes somebody else's", func(t rule) { // P8
			theirs := h.call("POST", update, otherSecret, object{"name": "x"})
			if none := h.call("POST", "/conversation/none/update", otherSecret, object{"name": "x"}); theirs.status != 404 || theirs.text != none.text {
				t.Errorf("%d %s", theirs.status, theirs.text)
			}
		})
	})
}

func TestAnotherBotAnswersFromTheNextTurnOn(t *testing.T) { // A20
	signed := script.Func(func(t engine.Turn) []script.Step { return []script.Step{script.Say(t.Backstory)} })
	inHouse(t, options{engine: signed}, func(h *house) {
		h.person(alice).Write("Who are you?")
		h.settle()
		id := h.conversations()[0]["id"].(string)
		other := h.create("/bot", object{"backstory": "You are polite.", "model": "script"})
		h.post("/bot/"+other+"/update", object{"backstory": "You are rude."})
		for _, change := range []object{
			{"botId": other}, {"botId": nil, "backstory": "You are a pirate."}, {"botId": h.bot}, {"name": "Renamed"},
		} {
			h.post("/conversation/"+id+"/update", change)
			h.person(alice).Write("And now?")
			h.settle()
		}
		want := []string{"You are kind.", "You are rude.", "You are a pirate.", "You are kind.", "You are kind."}
		if diff := cmp.Diff(want, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		if n := len(h.conversations()); n != 1 {
			h.t.Errorf("%d conversations", n)
		}
	})
}

func TestABotThatIsChangedDuringItsTurn(t *testing.T) { // A20
	slow := script.Func(func(t engine.Turn) []script.Step {
		return []script.Step{script.Wait(10 * time.Second), script.Say(t.Backstory)}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		other := h.create("/bot", object{"backstory": "You are rude.", "model": "script"})
		h.person(alice).Write("Who are you?")
		time.Sleep(5 * time.Second)
		h.post("/conversation/"+h.conversations()[0]["id"].(string)+"/update", object{"botId": other})
		h.settle()
		h.person(alice).Write("And now?")
		h.settle()
		if diff := cmp.Diff([]string{"You are kind.", "You are rude."}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestFiltersOfConversations(t *testing.T) { // A15 A20
	inHouse(t, options{}, func(h *house) {
		contact := h.create("/contact", object{"name": "Bob"})
		other := h.create("/bot", object{})
		foreign := h.call(http.MethodPost, "/contact/create", otherSecret, object{}).body["id"].(string)
		h.create("/conversation", object{"botId": h.bot, "meta": object{"n": 2}})
		h.create("/conversation", object{"botId": other, "contactId": contact})
		h.create("/conversation", object{"contactId": contact, "meta": object{"n": "2", "deep": object{"on": true}}})
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		for filter, want := range map[string]int{
			"": 4, "botId=" + h.bot: 2, "botId=" + h.bot + "," + other: 3, "contactId=" + contact: 2, "contactId=none": 0, "contactId=" + foreign: 0,
			"botId=" + other + "&contactId=" + contact: 1, "taskId=any": 0, "taskId=": 4, "meta.n=2": 2, "meta.deep.on=true": 1, "meta[deep][on]=true&botId=" + other: 0,
			"meta.app=whatsapp": 1,
		} {
			if got := h.list("/conversation/list?" + filter); len(got) != want {
				h.t.Errorf("%s: %d conversations, want %d", filter, len(got), want)
			}
		}
	})
}

func TestSayingWhomAConversationIsWith(t *testing.T) { // A20 A22
	inHouse(t, options{engine: recall()}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		id := h.conversations()[0]["id"].(string)
		upsert := "/conversation/" + id + "/contact/upsert"
		ada := object{"name": "Ada", "email": "ada@example.com", "fingerprint": "0123456789abcdef0"}
		first := h.post(upsert, ada)["id"]
		h.rule("the contact is made and linked, and the engine is told", func(t rule) {
			if got := h.get("/conversation/" + id + "/fetch")["contactId"]; got != first {
				t.Errorf("linked with %v", got)
			}
			if got := h.get("/contact/" + first.(string) + "/fetch"); got["name"] != "Ada" || got["email"] != "ada@example.com" {
				t.Errorf("%v", got)
			}
			history := h.history(id)
			if got := history[len(history)-1]; got != "context: The user provided their contact information: name: Ada, email: ada@example.com" {
				t.Errorf("%q", got)
			}
			h.person(alice).Write("Do you know me?")
			h.settle()
			if texts := h.texts(alice); !strings.Contains(texts[len(texts)-1], "context The user provided their contact information: name: Ada") {
				t.Errorf("told %q", texts)
			}
		})
		h.rule("the same again changes nothing", func(t rule) {
			before := h.history(id)
			var calls sync.WaitGroup
			for range 5 {
				calls.Go(func() {
					if got := h.post(upsert, ada)["id"]; got != first {
						t.Errorf("another contact: %v", got)
					}
				})
			}
			calls.Wait()
			if diff := cmp.Diff(before, h.history(id)); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("five at once introduce once", func(t rule) {
			other := h.create("/conversation", object{})
			var calls sync.WaitGroup
			for range 5 {
				calls.Go(func() { h.post("/conversation/"+other+"/contact/upsert", object{"nick": "Bob"}) })
			}
			calls.Wait()
			if got := h.history(other); len(got) != 1 {
				t.Errorf("%q", got)
			}
		})
		h.rule("what is no contact is refused, and so is what is not theirs", func(t rule) { // P8
			if a := h.call("POST", upsert, apiSecret, object{"email": "nobody"}); a.status != 400 {
				t.Errorf("%d %s", a.status, a.text)
			}
			if a := h.call("POST", upsert, otherSecret, ada); a.status != 404 {
				t.Errorf("%d %s", a.status, a.text)
			}
			if got := h.get("/conversation/" + id + "/fetch")["contactId"]; got != first {
				t.Errorf("linked with %v", got)
			}
		})
	})
}
