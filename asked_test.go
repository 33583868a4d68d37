package parley_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
)

// talk makes a conversation through the API with the house's bot.
func (h *house) talk(messages ...string) (path string) {
	h.t.Helper()
	return "/conversation/" + h.create("/conversation", object{"botId": h.bot, "messages": says(messages...)})
}

// said tells a conversation by its path.
func (h *house) said(path string) []string {
	h.t.Helper()
	return h.history(strings.TrimPrefix(path, "/conversation/"))
}

// lastTurn is what the model was asked last.
func lastTurn(e *script.Engine) engine.Turn {
	turns := e.Turns()
	return turns[len(turns)-1]
}

func TestTalkingToABot(t *testing.T) { // A21
	model := script.Func(func(t engine.Turn) []script.Step {
		var said []string
		for _, m := range t.Unanswered() {
			said = append(said, m.Text)
		}
		return []script.Step{script.Do(
			engine.Delta{Text: "You "}, engine.Delta{Text: "said: "}, engine.Delta{Text: strings.Join(said, " | ")},
			engine.Say{Text: "You said: " + strings.Join(said, " | ")},
			engine.Called{Call: engine.Call{ID: "1", Function: "look", Arguments: []byte(`{}`), Result: []byte(`true`)}},
			engine.Used{Tokens: 3}, engine.Remember{Memory: []byte("once")},
		)}
	})
	inHouse(t, options{engine: model}, func(h *house) {
		path := h.talk("context: It rains.")
		h.rule("send stores, and nobody answers", func(t rule) {
			a := h.post(path+"/send", object{"text": "Hello", "entities": []object{}})
			if a["id"] == "" || len(a["entities"].([]any)) != 0 || len(model.Turns()) != 0 {
				t.Errorf("%v", a)
			}
			got := h.told(path+"/send", object{"text": "Anybody?"})
			if typesOf(got) != "result" || got[0].Data["id"] == "" {
				t.Errorf("%v", got)
			}
		})
		h.rule("receive answers what stands there", func(t rule) {
			a := h.post(path+"/receive", object{})
			if len(a) != 3 || a["text"] != "You said: Hello | Anybody?" || a["usage"].(object)["token"] != 3.0 {
				t.Errorf("%v", a)
			}
			m := h.get(path + "/message/" + a["id"].(string) + "/fetch")
			if m["type"] != "bot" || m["text"] != a["text"] {
				t.Errorf("%v", m)
			}
		})
		h.rule("complete does both, with the zone and the words of the caller", func(t rule) {
			a := h.call(http.MethodPost, path+"/complete", apiSecret, object{"text": "Bye", "extensions": object{"backstory": "Be brief."}}, "X-Timezone", "Mars/Olympus").body
			if len(a) != 4 || a["text"] != "You said: Bye" || a["end"].(object)["reason"] != "stop" {
				t.Errorf("%v", a)
			}
			turn := lastTurn(model)
			if turn.Timezone != "Mars/Olympus" || turn.Backstory != "You are kind.\n\nBe brief." || string(turn.Memory) != "once" || turn.Abilities != (engine.Abilities{}) {
				t.Errorf("%+v", turn)
			}
		})
		h.rule("the words come one by one, and then what the object tells", func(t rule) {
			got := h.told(path+"/complete", object{"text": "Grüß Gott"})
			if typesOf(got) != "token token token message message result" || tokensOf(got) != "You said: Grüß Gott" || got[5].Data["text"] != tokensOf(got) {
				t.Errorf("%v", got)
			}
			if got := h.told(path+"/receive", object{}); got[len(got)-1].Data["end"] != nil {
				t.Errorf("%v", got)
			}
		})
		want := []string{
			"context: It rains.", "user: Hello", "user: Anybody?", "bot: You said: Hello | Anybody?", "activity: ",
			"user: Bye", "bot: You said: Bye", "activity: ", "user: Grüß Gott", "bot: You said: Grüß Gott", "activity: ", "bot: You said: ", "activity: ",
		}
		if diff := cmp.Diff(want, h.said(path)); diff != "" {
			h.t.Error(diff)
		}
		h.rule("what stands in the conversation is all that the model is told", func(t rule) {
			h.post(path+"/complete", object{"text": "Still there?"})
			var told []string
			for _, m := range lastTurn(model).History {
				told = append(told, string(m.Role)+": "+m.Text)
			}
			want := slices.Concat(want, []string{"user: Still there?"})
			for i := range want {
				want[i] = strings.Replace(want[i], "activity: ", "bot: ", 1)
			}
			if diff := cmp.Diff(want, told); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a caller's mistake is theirs, and stores nothing", func(t rule) { // P8 A13
			before := len(h.said(path))
			for what, body := range map[string]object{
				"send {}": {}, "send empty": {"text": " "}, "send number": {"text": 5}, "complete empty": {"text": ""}, "complete long": {"text": strings.Repeat("x", conversation.MaxAsked+1)},
				"complete odd": {"text": "x", "foo": 1}, "receive text": {"text": "x"}, "complete functions": {"text": "x", "functions": []object{{"name": "x"}}},
			} {
				verb, _, _ := strings.Cut(what, " ")
				if a := h.call(http.MethodPost, path+"/"+verb, apiSecret, body); a.status != 400 || a.body["code"] != "BAD_REQUEST" {
					t.Errorf("%s: %d %s", what, a.status, a.text)
				}
			}
			for _, verb := range []string{"send", "receive", "complete"} {
				body := object{"text": "x"}
				foreign := h.call(http.MethodPost, path+"/"+verb, otherSecret, body)
				unknown := h.call(http.MethodPost, "/conversation/none/"+verb, otherSecret, body)
				if foreign.status != 404 || foreign.text != unknown.text {
					t.Errorf("%s: %d %s, unknown: %d %s", verb, foreign.status, foreign.text, unknown.status, unknown.text)
				}
			}
			if got := len(h.said(path)); got != before {
				t.Errorf("%d messages, %d before", got, before)
			}
		})
	})
}

func TestNobodyToAnswer(t *testing.T) { // A21
	inHouse(t, options{}, func(h *house) {
		h.rule("a conversation's own model and backstory do without a bot", func(t rule) {
			id := h.create("/conversation", object{"model": "script", "backstory": "You are a pirate."})
			if got := h.post("/conversation/"+id+"/complete", object{"text": "Ho"})["text"]; got != "You said: Ho" {
				t.Errorf("%v", got)
			}
		})
		h.stop()
		h.config.Model = ""
		h.start()
		h.rule("without any and without a default it is the caller's mistake", func(t rule) {
			path := "/conversation/" + h.create("/conversation", object{})
			for _, accept := range []string{"application/json", "application/jsonl"} {
				a := h.call(http.MethodPost, path+"/complete", apiSecret, object{"text": "Ho"}, "Accept", accept)
				if a.status != 400 || !strings.Contains(a.text, "model") {
					t.Errorf("%d %s", a.status, a.text)
				}
			}
			if got := h.said(path); len(got) != 0 {
				t.Errorf("%q", got)
			}
		})
	})
}

func TestCallsOfAConversationDoNotInterleave(t *testing.T) { // A21
	o := &overlap{takes: 5 * time.Second}
	inHouse(t, options{engine: o}, func(h *house) {
		path := h.talk()
		var calls sync.WaitGroup
		for i := range 6 {
			calls.Go(func() {
				text := fmt.Sprint("call ", i)
				got := h.call(http.MethodPost, path+"/complete", apiSecret, object{"text": text})
				if got.status != 200 || got.body["text"] != text {
					h.t.Errorf("%s: %d %s", text, got.status, got.text)
				}
			})
		}
		calls.Wait()
		if o.doubled {
			h.t.Error("turns of one conversation overlap")
		}
		said := h.said(path)
		for i := 0; i+1 < len(said); i += 2 {
			if strings.TrimPrefix(said[i], "user: ") != strings.TrimPrefix(said[i+1], "bot: ") {
				h.t.Errorf("%q", said)
			}
		}
		if len(said) != 12 {
			h.t.Errorf("%q", said)
		}
	})
}

func TestTooManyCallsOfAConversation(t *testing.T) { // A21
	hangs := script.Func(func(engine.Turn) []script.Step { return []script.Step{script.Hang()} })
	inHouse(t, options{engine: hangs}, func(h *house) {
		path := h.talk()
		var statuses [600]int
		var calls sync.WaitGroup
		var mutex sync.Mutex
		for range 20 {
			calls.Go(func() {
				a := h.call(http.MethodPost, path+"/complete", apiSecret, object{"text": "x"})
				mutex.Lock()
				defer mutex.Unlock()
				statuses[a.status]++
			})
		}
		calls.Wait()
		if statuses[429] != 3 || statuses[504] != 17 {
			h.t.Errorf("%d are told to come again, %d that it takes too long", statuses[429], statuses[504])
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := h.said(path); len(got) != 0 {
			h.t.Errorf("%q", got)
		}
	})
}

func TestAFailingModelLeavesNothingBehind(t *testing.T) { // A21
	model := script.New(
		script.Rule{On: "bad", Steps: []script.Step{script.Fail(&engine.Error{Reason: "the server said: key sk-123"})}},
		script.Rule{On: "busy", Steps: []script.Step{script.Fail(&engine.Error{Reason: "the server said: busy", Transient: true})}},
		script.Rule{On: "flaky", Times: 2, Steps: []script.Step{script.Fail(&engine.Error{Reason: "busy", Transient: true})}},
		script.Rule{On: "flaky", Steps: []script.Step{script.Say("At last.")}},
		script.Rule{On: "wrong", Steps: []script.Step{script.Fail(&engine.Error{Reason: "the model is none", Invalid: true})}},
		script.Rule{On: "hang", Steps: []script.Step{script.Hang()}},
		script.Rule{On: "breaks", Steps: []script.Step{script.Do(engine.Delta{Text: "Once"}), script.Fail(&engine.Error{Reason: "busy", Transient: true})}},
	)
	inHouse(t, options{engine: model, apology: "Sorry."}, func(h *house) {
		path := h.talk("user: Hello", "bot: Hi")
		for _, c := range []struct {
			text, want string
			patience   time.Duration
		}{
			{"bad", "502 BAD_GATEWAY", 2 * time.Second},
			{"busy", "503 SERVICE_UNAVAILABLE", 25 * time.Second},
			{"wrong", "400 BAD_REQUEST", 2 * time.Second},
			{"hang", "504 GATEWAY_TIMEOUT", 61 * time.Second},
		} {
			for _, accept := range []string{"application/json", "application/jsonl"} {
				began := time.Now()
				a := h.call(http.MethodPost, path+"/complete", apiSecret, object{"text": c.text}, "Accept", accept)
				if fmt.Sprint(a.status, " ", a.body["code"]) != c.want || strings.Contains(a.text, "server said") || time.Since(began) > c.patience {
					h.t.Errorf("%s: after %v: %d %s", c.text, time.Since(began), a.status, a.text)
				}
			}
		}
		got := h.told(path+"/complete", object{"text": "breaks"})
		if typesOf(got) != "token error" || got[1].Data["code"] != "SERVICE_UNAVAILABLE" {
			h.t.Errorf("%v", got)
		}
		h.settle()
		if diff := cmp.Diff([]string{"user: Hello", "bot: Hi"}, h.said(path)); diff != "" {
			h.t.Error(diff)
		}
		turns := len(model.Turns())
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := len(model.Turns()); got != turns {
			h.t.Errorf("%d more tries after the call", got-turns)
		}
		if a := h.post(path+"/complete", object{"text": "flaky"}); a["text"] != "At last." {
			h.t.Errorf("%v", a)
		}
		for _, turn := range model.Turns() {
			if n := len(turn.History); n != 3 {
				h.t.Errorf("the model is told %d messages", n)
			}
		}
	})
}

func TestAPanickingEngineIsItsFailure(t *testing.T) { // A21
	inHouse(t, options{engine: script.Func(func(engine.Turn) []script.Step { panic("oops") })}, func(h *house) {
		path := h.talk("user: Hello")
		for _, path := range []string{path + "/complete", path + "/receive", "/conversation/complete"} {
			body := object{"text": "x"}
			switch {
			case path == "/conversation/complete":
				body = object{"messages": says("user: hi")}
			case strings.HasSuffix(path, "receive"):
				body = object{}
			}
			if a := h.call(http.MethodPost, path, apiSecret, body); a.status != 502 || strings.Contains(a.text, "oops") {
				h.t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
		if diff := cmp.Diff([]string{"user: Hello"}, h.said(path)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestAnAskedTurnGoesOnAfterACrash(t *testing.T) { // P4 A21
	slow := script.Func(func(t engine.Turn) []script.Step {
		said := t.Unanswered()
		return []script.Step{script.Wait(20 * time.Second), script.Say("You said: " + said[len(said)-1].Text)}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		path := h.talk()
		var calls sync.WaitGroup
		for _, text := range []string{"One", "Two"} {
			ask := h.leaving(http.MethodPost, path+"/complete", object{"text": text})
			calls.Go(func() {
				if a := ask(); a.status != http.StatusServiceUnavailable { // of the node that died
					h.t.Errorf("%d %s", a.status, a.text)
				}
			})
			time.Sleep(time.Second)
		}
		time.Sleep(5 * time.Second)
		h.crash()
		h.settle()
		calls.Wait()
		if diff := cmp.Diff([]string{"user: One", "bot: You said: One", "user: Two", "bot: You said: Two"}, h.said(path)); diff != "" {
			h.t.Error(diff)
		}
	})
}

// leaving gives a call to the node as it is now, which may die in the middle;
// nil if none is up.
func (h *house) leaving(method, path string, body any) (ask func() answer) {
	h.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest(method, "/api/v1"+path, bytes.NewReader(encoded))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	r.Header.Set("X-Timezone", askedZone)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.node == nil {
		return nil
	}
	node := h.node.Handler()
	return func() answer {
		w := httptest.NewRecorder()
		node.ServeHTTP(w, r)
		a := answer{status: w.Code, text: w.Body.String()}
		_ = json.Unmarshal(w.Body.Bytes(), &a.body) // a dead node may say anything
		return a
	}
}

func TestAskedTurnsLeaveThePersonAlone(t *testing.T) { // A21 P3
	model := script.Func(func(t engine.Turn) []script.Step {
		last := t.History[len(t.History)-1]
		return []script.Step{script.Wait(5 * time.Second), script.Say("You said: " + last.Text)}
	})
	inHouse(t, options{engine: model}, func(h *house) {
		h.person(alice).Write("Hello")
		time.Sleep(time.Second)
		session := h.conversations()[0]["id"].(string)
		path := "/conversation/" + session
		var calls sync.WaitGroup
		calls.Go(func() { // behind the turn that is under way
			if got := h.told(path+"/complete", object{"text": "Who is this?"}); tokensOf(got) != "You said: Who is this?" {
				h.t.Errorf("%v", got)
			}
		})
		calls.Wait()
		h.person(alice).Write("And now?")
		h.settle()
		if diff := cmp.Diff([]string{"You said: Hello", "You said: And now?"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		want := []string{"user: Hello", "bot: You said: Hello", "user: Who is this?", "bot: You said: Who is this?", "user: And now?", "bot: You said: And now?"}
		if diff := cmp.Diff(want, h.history(session)); diff != "" {
			h.t.Error(diff)
		}
		h.rule("a session that is over long ago can be asked, too", func(t rule) {
			pirate := h.create("/bot", object{"model": "script", "backstory": "You are a pirate."})
			h.post(integrations+"/"+h.integration+"/update", object{"botId": pirate})
			h.person(alice).Write("/reset")
			h.person(alice).Write("Anew")
			h.settle()
			if got := h.post(path+"/complete", object{"text": "Remember?"})["text"]; got != "You said: Remember?" {
				t.Errorf("%v", got)
			}
			if got := h.post(path+"/receive", object{}); got["id"] == "" {
				t.Errorf("%v", got)
			}
			got := h.history(session)
			if len(got) != 9 || got[6] != "user: Remember?" {
				t.Errorf("%q", got)
			}
			turns := model.Turns()
			if old := turns[len(turns)-2]; len(old.History) != 7 || old.Backstory != "You are kind." {
				t.Errorf("the model was told %d messages and %q", len(old.History), old.Backstory)
			}
		})
		h.rule("not even a deleted integration ends it", func(t rule) {
			h.post(integrations+"/"+h.integration+"/delete", object{})
			calls := len(h.sim.Calls())
			if got := h.post(path+"/complete", object{"text": "Still?"})["text"]; got != "You said: Still?" {
				t.Errorf("%v", got)
			}
			h.settle()
			if got := len(h.sim.Calls()); got != calls {
				t.Errorf("%d calls to Meta", got-calls)
			}
		})
	})
}
