package parley_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/actors"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
)

// answerLine is one line of a bot's answer.
type answerLine struct {
	Type string
	Data object
}

// told asks for an answer as lines and reads them as strictly as the strictest
// client.
func (h *house) told(path string, body any, header ...string) []answerLine {
	h.t.Helper()
	a := h.call(http.MethodPost, path, apiSecret, body, append([]string{"Accept", "application/jsonl"}, header...)...)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/jsonl" {
		h.t.Fatalf("POST %s: %d %s %s", path, a.status, a.header.Get("Content-Type"), a.text)
	}
	return h.strictly(a.text)
}

func (h *house) strictly(text string) []answerLine {
	h.t.Helper()
	var all []answerLine
	for l := range strings.Lines(text) {
		if strings.IndexFunc(l, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 || len(l) >= 1<<20 || !strings.HasSuffix(l, "\n") {
			h.t.Fatalf("line %q", l)
		}
		d := json.NewDecoder(strings.NewReader(l))
		d.DisallowUnknownFields()
		var e answerLine
		if err := d.Decode(&e); err != nil || e.Data == nil {
			h.t.Fatalf("line %q: %v", l, err)
		}
		all = append(all, e)
	}
	return all
}

// typesOf are the types of lines.
func typesOf(lines []answerLine) string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Type)
	}
	return strings.Join(all, " ")
}

// tokensOf are the words of lines, put together.
func tokensOf(lines []answerLine) string {
	var all strings.Builder
	for _, l := range lines {
		if l.Type == "token" {
			all.WriteString(l.Data["token"].(string))
		}
	}
	return all.String()
}

func says(texts ...string) []object {
	all := make([]object, len(texts))
	for i, text := range texts {
		kind, text, _ := strings.Cut(text, ": ")
		all[i] = object{"type": kind, "text": text}
	}
	return all
}

func TestStatelessComplete(t *testing.T) { // A21
	model := script.New(
		script.Rule{On: "twice", Steps: []script.Step{script.Do(
			engine.Delta{Text: "Grüß "}, engine.Delta{Text: "Gott"}, engine.Say{Text: "Grüß Gott"}, engine.Used{Tokens: 5},
			engine.Called{Call: engine.Call{ID: "1", Function: "look", Arguments: []byte(`{"at":"sky"}`), Result: []byte(`{"ok":true}`)}},
			engine.Say{Text: "🤖"}, engine.Used{Tokens: 2}, engine.Ended{Reason: engine.EndLength})}},
		script.Rule{On: "tap", Steps: []script.Step{script.Do(engine.Buttons{Body: "Which?", Buttons: []engine.Button{{ID: "a", Title: "This"}, {ID: "b", Title: "That"}}})}},
		script.Rule{On: "secret", Steps: []script.Step{script.Fail(&engine.Error{Reason: "the server said: key sk-123 is bad"})}},
		script.Rule{On: "busy", Steps: []script.Step{script.Fail(&engine.Error{Reason: "the server said: busy", Transient: true})}},
		script.Rule{On: "late", Steps: []script.Step{script.Hang()}},
		script.Rule{On: "breaks", Steps: []script.Step{script.Do(engine.Delta{Text: "Once"}), script.Fail(&engine.Error{Reason: "key sk-123"})}},
		script.Rule{Steps: []script.Step{script.Say("Good day.")}},
	)
	inHouse(t, options{engine: model}, func(h *house) {
		const path = "/conversation/complete"
		ask := func(text string) object { return object{"model": "script", "messages": says("user: " + text)} }
		h.rule("one object tells all", func(t rule) {
			want := object{"text": "Grüß Gott\n\n🤖", "usage": object{"token": 7.0}, "end": object{"reason": "length"}}
			if diff := cmp.Diff(want, h.post(path, ask("twice"))); diff != "" {
				t.Error(diff)
			}
			want = object{"text": "Good day.", "usage": object{"token": 0.0}, "end": object{"reason": "stop"}}
			if diff := cmp.Diff(want, h.post(path, ask("hi"))); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("lines tell every word, then the messages, then the object", func(t rule) {
			got := h.told(path, ask("twice"))
			if typesOf(got) != "token token token message message message result" || tokensOf(got) != "Grüß Gott\n\n🤖" {
				t.Errorf("%v", got)
			}
			want := []answerLine{
				{"message", object{"type": "bot", "text": "Grüß Gott"}},
				{"message", object{"type": "activity", "text": "", "meta": object{"activity": object{
					"type": "response", "function": object{"name": "look", "arguments": object{"at": "sky"}, "result": object{"ok": true}},
				}}}},
				{"message", object{"type": "bot", "text": "🤖"}},
				{"result", h.post(path, ask("twice"))},
			}
			if diff := cmp.Diff(want, got[3:]); diff != "" {
				t.Error(diff)
			}
			if a := h.call(http.MethodPost, path, apiSecret, ask("hi"), "Accept", "text/event-stream"); !strings.HasPrefix(a.text, "event: token\ndata: {\"token\":\"Good day.\"}\n\nevent: message\n") {
				t.Errorf("%q", a.text)
			}
		})
		h.rule("what only WhatsApp shows becomes text", func(t rule) {
			if got := h.post(path, ask("tap"))["text"]; got != "Which?\n\n1. This\n2. That" {
				t.Errorf("%q", got)
			}
			turns := model.Turns()
			if got := turns[len(turns)-1].Abilities; got != (engine.Abilities{}) {
				t.Errorf("the model is offered %+v", got)
			}
		})
		h.rule("a model that fails is no secret's leak, in either form", func(t rule) {
			for text, want := range map[string]string{"secret": "502 BAD_GATEWAY", "busy": "503 SERVICE_UNAVAILABLE", "late": "504 GATEWAY_TIMEOUT"} {
				for _, accept := range []string{"application/json", "application/jsonl"} {
					a := h.call(http.MethodPost, path, apiSecret, ask(text), "Accept", accept)
					if fmt.Sprint(a.status, " ", a.body["code"]) != want || strings.Contains(a.text, "server said") {
						t.Errorf("%s: %d %s", text, a.status, a.text)
					}
				}
			}
		})
		h.rule("what fails after the first word is the last line", func(t rule) {
			got := h.told(path, ask("breaks"))
			if typesOf(got) != "token error" || got[1].Data["code"] != "BAD_GATEWAY" || strings.Contains(got[1].Data["message"].(string), "sk-") {
				t.Errorf("%v", got)
			}
		})
		h.rule("a bot lends its model and backstory, by ID and by alias", func(t rule) {
			h.create("/bot", object{"alias": "clerk", "model": "script/temperature=1", "backstory": "You are a clerk."})
			for _, id := range []string{h.bot, "@clerk"} {
				h.told(path, object{"botId": id, "messages": says("context: It rains.", "bot: Hello.", "reasoning: Hm.", "user: hi"), "extensions": object{"backstory": "Be brief."}}, "X-Timezone", "Europe/London")
			}
			turns := model.Turns()
			got := turns[len(turns)-1]
			want := []engine.Message{{Role: engine.Context, Text: "It rains."}, {Role: engine.Bot, Text: "Hello."}, {Role: engine.User, Text: "hi"}}
			if diff := cmp.Diff(want, got.History); diff != "" || got.Backstory != "You are a clerk.\n\nBe brief." || got.Timezone != "Europe/London" || got.Model != "script/temperature=1" {
				t.Errorf("%+v\n%s", got, diff)
			}
		})
		h.rule("a caller's mistake is theirs", func(t rule) { // P8 A13
			theirs := h.call(http.MethodPost, "/bot/create", otherSecret, object{"alias": "spy"}).body["id"].(string)
			for name, body := range map[string]object{
				"no messages":   {"model": "script"},
				"none at all":   {"messages": says()},
				"no list":       {"messages": "hi"},
				"no type":       {"messages": []object{{"text": "hi"}}},
				"odd type":      {"messages": says("person: hi")},
				"text no text":  {"messages": []object{{"type": "user", "text": 5}}},
				"foreign bot":   {"messages": says("user: hi"), "botId": theirs},
				"foreign alias": {"messages": says("user: hi"), "botId": "@spy"},
				"functions":     {"messages": says("user: hi"), "functions": []object{{"name": "x"}}},
				"dataset":       {"messages": says("user: hi"), "datasetId": "d"},
				"limits":        {"messages": says("user: hi"), "limits": object{"calls": 0}},
				"unknown":       {"messages": says("user: hi"), "foo": 1},
			} {
				for _, accept := range []string{"application/json", "application/jsonl"} {
					if a := h.call(http.MethodPost, path, apiSecret, body, "Accept", accept); a.status != 400 || a.body["code"] != "BAD_REQUEST" {
						t.Errorf("%s: %d %s", name, a.status, a.text)
					}
				}
			}
			unknown := h.call(http.MethodPost, path, apiSecret, object{"messages": says("user: hi"), "botId": "none"})
			foreign := h.call(http.MethodPost, path, apiSecret, object{"messages": says("user: hi"), "botId": theirs})
			if unknown.text != foreign.text {
				t.Errorf("a foreign bot differs from none: %s and %s", foreign.text, unknown.text)
			}
		})
		h.rule("nothing is stored but what it cost", func(t rule) {
			const words = "my very own words"
			h.post(path, ask(words))
			all, err := h.store.ReadAll(h.t.Context(), events.LogStart, events.Forwards, 10_000)
			if err != nil {
				t.Fatalf("%v", err)
			}
			spent := 0
			for _, r := range all {
				if strings.Contains(string(r.Data), words) || strings.Contains(string(r.Data), "Good day.") {
					t.Errorf("%s of %s holds the words", r.Type, r.Stream)
				}
				if fact, _ := events.Decode(r.Type, r.Data); r.Type == "CompletionMade" {
					spent += fact.(events.CompletionMade).Tokens
				}
			}
			if spent != 21 || len(h.conversations()) != 0 {
				t.Errorf("%d tokens, %d conversations", spent, len(h.conversations()))
			}
		})
	})
}

func TestStatelessCompleteIsBounded(t *testing.T) { // A21
	slow := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Wait(5 * time.Second), script.Say("Yes.")}
	})
	inHouse(t, options{engine: slow, limits: func(l *actors.Limits) { l.Tasks = 2 }}, func(h *house) {
		body := object{"messages": says("user: hi")}
		statuses := make(chan int, 8)
		for range 8 {
			go func() { statuses <- h.call(http.MethodPost, "/conversation/complete", apiSecret, body).status }()
		}
		got := map[int]int{}
		for range 8 {
			got[<-statuses]++
		}
		if diff := cmp.Diff(map[int]int{200: 4, 503: 4}, got); diff != "" {
			h.t.Error(diff) // two at a time in ten seconds, and the others were told to come again
		}
	})
}
