package parley_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
	"parley/whatsapp/simulator"
)

func TestAskingAgainAndAgainGivesTheSame(t *testing.T) { // F163
	inHouse(t, options{}, func(h *house) {
		path := integrations + "/" + h.integration + "/fetch"
		first := h.call(http.MethodGet, path, apiSecret, nil)
		for range 100 {
			if a := h.call(http.MethodGet, path, apiSecret, nil); a.status != 200 || a.text != first.text {
				h.t.Fatalf("%d %s", a.status, a.text)
			}
		}
	})
}

// transport is a function that carries requests.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// bodyOf reads a request's body, which can still be sent.
func bodyOf(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // it is in memory
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}

// first answers the first messages to Meta by itself.
func first(next http.RoundTripper, answers ...transport) http.RoundTripper {
	var sent atomic.Int64
	return transport(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet || strings.Contains(bodyOf(r), `"status":"read"`) {
			return next.RoundTrip(r)
		}
		if n := int(sent.Add(1)); n <= len(answers) {
			return answers[n-1](r)
		}
		return next.RoundTrip(r)
	})
}

// refused is an answer of Meta's with an error.
func refused(status, code int) transport {
	return func(r *http.Request) (*http.Response, error) {
		body := fmt.Sprintf(`{"error":{"message":"(#%d) Something went wrong","type":"OAuthException","code":%[1]d}}`, code)
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// A webhook is answered at once; the model and Meta come later, by themselves.
// F167 F168 F169 F170 F174 F175 F176 F178 F179 F192 F193 F194 F201
func TestTheWayThroughTheQueue(t *testing.T) {
	model, e := modelled(t, func(a asked) reply { return reply{takes: 30 * time.Second, text: "You said: " + a.words()} })
	var mutex sync.Mutex
	var requests []string
	listens := func(next http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			mutex.Lock()
			requests = append(requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
			mutex.Unlock()
			return next.RoundTrip(r)
		})
	}
	inHouse(t, options{engine: e, way: listens}, func(h *house) {
		say := func(person, words string) {
			began := time.Now()
			if status := h.notify(text(person, "wamid."+person+words, words)); status != 200 || time.Since(began) > 100*time.Millisecond {
				h.t.Errorf("%d after %v", status, time.Since(began))
			}
		}
		say(alice, "Hello")
		time.Sleep(29 * time.Second)
		if got := h.texts(alice); len(got) != 0 {
			h.t.Errorf("answered %q before the model did", got)
		}
		h.settle()
		say(alice, "Again")
		say(bob, "Hello")
		h.settle()

		if diff := cmp.Diff([]string{"You said: Hello", "You said: Again"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		all := h.conversations()
		if len(all) != 2 {
			h.t.Fatalf("%d conversations of two people", len(all))
		}
		want := []string{"user: Hello", "bot: You said: Hello", "user: Again", "bot: You said: Again"}
		if diff := cmp.Diff(want, h.history(all[0]["id"].(string))); diff != "" {
			h.t.Error(diff)
		}
		if n := len(model.asked()); n != 3 {
			h.t.Errorf("the model was asked %d times for three messages", n)
		}
		for _, request := range requests {
			if request != "POST /v25.0/"+phoneNumber+"/messages Bearer "+accessToken {
				h.t.Errorf("Meta was asked %s", strings.Replace(request, accessToken, "the token", 1))
			}
		}
	})
}

// A session slides, and ends when nobody wrote for its time. F188 F192 F193
// F194 F196 F197 F011 F034
func TestASessionEndsWhenNobodyWrites(t *testing.T) {
	model, e := modelled(t, repeats)
	inHouse(t, options{engine: e}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"sessionDuration": 3000})
		say := func(words string) []string {
			if status := h.notify(text(alice, "wamid."+words, words)); status != 200 {
				h.t.Errorf("status %d", status)
			}
			synctest.Wait()
			return model.last().transcript()
		}
		for n := range 6 {
			got := say(fmt.Sprint(n))
			if len(got) != 2+2*n || len(h.conversations()) != 1 {
				h.t.Errorf("message %d: %d conversations, the model read %q", n, len(h.conversations()), got)
			}
			time.Sleep(2 * time.Second)
		}
		time.Sleep(2 * time.Second)
		if diff := cmp.Diff([]string{"system: You are kind.", "user: new"}, say("new")); diff != "" {
			h.t.Error(diff)
		}
		if n := len(h.conversations()); n != 2 {
			h.t.Errorf("%d conversations", n)
		}
	})
}

// The commands begin a new conversation at once, and nobody hears of them.
// F198 F199 F200
func TestCommandsBeginAnew(t *testing.T) {
	model, e := modelled(t, func(a asked) reply { return reply{takes: 10 * time.Second, text: "You said: " + a.words()} })
	inHouse(t, options{engine: e}, func(h *house) {
		for i, command := range []string{"/restart", "/reset", "/new", "  /Reset \n", "/NEW"} {
			person := fmt.Sprintf("1555400%04d", i)
			say := func(words string) { h.notify(text(person, "wamid."+person+words, words)) }
			say("Before")
			time.Sleep(5 * time.Second) // it is still being answered
			say(command)
			say("After")
			h.settle()
			if diff := cmp.Diff([]string{"You said: Before", "You said: After"}, h.texts(person)); diff != "" {
				h.t.Errorf("%q: %s", command, diff)
			}
			all := h.conversations()
			if len(all) != 2*(i+1) {
				h.t.Fatalf("%q: %d conversations", command, len(all))
			}
			for n, words := range []string{"Before", "After"} {
				history := h.history(all[2*i+n]["id"].(string))
				if diff := cmp.Diff([]string{"user: " + words, "bot: You said: " + words}, history); diff != "" {
					h.t.Errorf("%q: %s", command, diff)
				}
			}
			if diff := cmp.Diff([]string{"system: You are kind.", "user: After"}, model.last().transcript()); diff != "" {
				h.t.Errorf("%q: the model read %s", command, diff)
			}
		}
		h.rule("other words are words", func(t rule) {
			before := len(h.conversations())
			for i, words := range []string{"please /reset", "/resetting", "reset", "/reset now"} {
				h.notify(text(alice, fmt.Sprint("wamid.word", i), words))
				h.settle()
				if got := model.last().words(); got != words {
					t.Errorf("the model read %q", got)
				}
			}
			if n := len(h.conversations()) - before; n != 1 {
				t.Errorf("%d conversations", n)
			}
		})
	})
}

// sends are the calls that gave a message for a person to Meta.
func (h *house) sends(person string) (sends []simulator.Call) {
	for _, c := range h.sim.Calls() {
		if c.Kind == "send" && c.To == person {
			sends = append(sends, c)
		}
	}
	return sends
}

// logged are the entries of the event log of a type, oldest first.
func (h *house) logged(kind string) []object {
	h.t.Helper()
	return h.list("/event/log/list?type=integration.whatsapp." + kind)
}

// Whatever Meta says instead of yes is an event that tells what was asked, by
// whom and what came back, and never the token. F238
func TestErrorsOfMetaAreEvents(t *testing.T) {
	for _, c := range []struct {
		person string
		status float64 // 0 when nobody answers
		code   float64 // 0 when it is not Meta who answers
		says   string
	}{
		{"15550000190", 401, 190, "Session has expired"},
		{"15550001026", 400, 131026, "undeliverable"},
		{"15550001030", 400, 131030, "allowed list"},
		{"15550001042", 400, 131042, "payment issue"},
		{"15550001047", 400, 131047, "Re-engagement"},
		{"15550001056", 400, 131056, "pair rate limit"},
		{"15550000429", 400, 130429, "Rate limit hit"},
		{"15550000131", 500, 131000, "Something went wrong"},
		{"15550000502", 502, 0, "HTTP status 502"},
		{"15550000503", 0, 0, "connection refused"},
		{"15550000409", 0, 0, "deadline exceeded"},
		{"15550000200", 200, 0, "no message ID"},
	} {
		t.Run(c.says, func(t *testing.T) {
			inHouse(t, options{}, func(h *house) {
				h.person(c.person).Write("Hello")
				h.settle()
				all, conversation := h.logged("api.error"), h.conversations()[0]["id"].(string)
				if len(all) == 0 {
					h.t.Fatal("no event")
				}
				meta := all[0]["meta"].(object)
				failure := meta["error"].(object)
				if all[0]["conversationId"] != conversation || all[0]["whatsappIntegrationId"] != h.integration {
					h.t.Errorf("the event is about %v", all[0])
				}
				messages := h.list("/conversation/" + conversation + "/message/list")
				if meta["operation"] != "messages.send" || meta["attempt"] != 1.0 || meta["messageId"] != messages[len(messages)-1]["id"] {
					h.t.Errorf("the event says %v", meta)
				}
				if c.status != 0 && meta["status"] != c.status || c.code != 0 && failure["code"] != c.code {
					h.t.Errorf("status %v, code %v", meta["status"], failure["code"])
				}
				if !strings.Contains(failure["message"].(string), c.says) {
					h.t.Errorf("the event says %s", failure["message"])
				}
			})
		})
	}
	t.Run("an answer that repeats the token", func(t *testing.T) {
		leak := func(next http.RoundTripper) http.RoundTripper {
			return first(next, func(r *http.Request) (*http.Response, error) {
				answer, err := refused(400, 100)(r)
				answer.Body = io.NopCloser(strings.NewReader(`{"error":{"message":"Malformed: ` + r.Header.Get("Authorization") + `","code":100}}`))
				return answer, err
			})
		}
		inHouse(t, options{way: leak}, func(h *house) {
			h.person(alice).Write("Hello")
			h.settle()
			if got := h.event("api.error")["error"].(object)["message"].(string); !strings.Contains(got, "Malformed: Bearer ********") {
				h.t.Errorf("the event says %s", got)
			}
		})
	})
}

// A file that Meta refuses costs the file alone, and an event says why. F237 F238
func TestFilesThatMetaRefuses(t *testing.T) {
	for status, code := range map[int]int{404: 131052, 500: 131000} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			refuses := func(next http.RoundTripper) http.RoundTripper {
				return transport(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodGet {
						return refused(status, code)(r)
					}
					return next.RoundTrip(r)
				})
			}
			inHouse(t, options{engine: sees(), way: refuses}, func(h *house) {
				h.attach()
				h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "Look"})
				time.Sleep(30 * time.Minute)
				if diff := cmp.Diff([]string{"Look\n[image could not be loaded]"}, h.texts(alice)); diff != "" {
					h.t.Error(diff)
				}
				failed := h.logged("attachment.failed")
				if len(failed) != 1 || failed[0]["conversationId"] != h.conversations()[0]["id"] {
					h.t.Fatalf("the events are %v", failed)
				}
				if reason := failed[0]["meta"].(object)["reason"].(string); !strings.Contains(reason, strconv.Itoa(code)) {
					h.t.Errorf("the event says %s", reason)
				}
			})
		})
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) { // F239
	broken := refused(500, 131000)
	t.Run("Meta is broken twice", func(t *testing.T) {
		inHouse(t, options{way: func(next http.RoundTripper) http.RoundTripper { return first(next, broken, broken) }}, func(h *house) {
			h.person(alice).Write("Hello")
			h.settle()
			if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
				h.t.Error(diff)
			}
			if n := len(h.logged("api.error")); n != 2 {
				h.t.Errorf("%d failures are logged", n)
			}
		})
	})
	t.Run("the model is broken twice", func(t *testing.T) {
		times := 0
		model, e := modelled(t, func(asked) reply {
			if times++; times <= 2 {
				return reply{status: 503}
			}
			return reply{text: "Hello"}
		})
		inHouse(t, options{engine: e}, func(h *house) {
			h.person(alice).Write("Hello")
			h.settle()
			if diff := cmp.Diff([]string{"Hello"}, h.texts(alice)); diff != "" || len(model.asked()) != 3 {
				h.t.Errorf("asked %d times: %s", len(model.asked()), diff)
			}
			if n := len(h.history(h.conversations()[0]["id"].(string))); n != 2 {
				h.t.Errorf("%d messages in the history", n)
			}
		})
	})
	t.Run("what stays is not tried again", func(t *testing.T) {
		const al = "15550001030"
		model, e := modelled(t, func(a asked) reply {
			if a.words() == "Fail" {
				return reply{status: 401}
			}
			return repeats(a)
		})
		inHouse(t, options{engine: e}, func(h *house) {
			h.person(al).Write("Hello")
			h.person(alice).Write("Fail")
			time.Sleep(12 * time.Hour)
			if n := len(h.sends(al)); n != 1 {
				h.t.Errorf("Meta was asked %d times", n)
			}
			if n := len(model.asked()); n != 2 {
				h.t.Errorf("the model was asked %d times for two messages", n)
			}
			if n := len(h.logged("message.failed")); n != 2 {
				h.t.Errorf("%d failures are logged", n)
			}
		})
	})
}

// Every step of a message is an event with fields that programs can read.
// F249 F250
func TestEventsTellTheWholeStory(t *testing.T) {
	times := 0
	_, e := modelled(t, func(asked) reply {
		if times++; times == 1 {
			return reply{status: 503}
		}
		return reply{takes: 2 * time.Second, text: "Hello yourself"}
	})
	slow := func(next http.RoundTripper) http.RoundTripper {
		return first(next, refused(500, 131000), func(r *http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return next.RoundTrip(r)
		})
	}
	inHouse(t, options{engine: e, way: slow, rules: func(r *conversation.Rules) { r.Gather, r.GatherMost = time.Second, time.Second }}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		wamid := h.person(alice).Write("Hello")
		h.settle()
		conversation, contact := h.conversations()[0]["id"].(string), h.conversations()[0]["contactId"]
		messages := h.list("/conversation/" + conversation + "/message/list")
		if len(messages) != 2 || len(h.sim.Accepted(alice)) != 1 {
			h.t.Fatalf("%d messages, Meta got %q", len(messages), h.texts(alice))
		}
		asks, says := messages[0]["id"], messages[1]["id"]
		turn := asks // a turn is named for the message that opens it
		want := []struct {
			kind string
			meta object
		}{
			{"session.created", object{}},
			{"callback.notification", object{"messages": 1.0}},
			{"message.received", object{"messageId": asks, "whatsappMessageId": wamid, "from": alice, "kind": "text"}},
			{"message.delayed", object{"turnId": turn, "attempt": 1.0}},
			{"message.processed", object{
				"turnId": turn, "messageIds": []any{says}, "model": "script", "parts": 1.0, "waitingTime": 1000.0, "modelTime": 2000.0,
			}},
			{"api.error", object{"messageId": says, "attempt": 1.0, "operation": "messages.send"}},
			{"message.sent", object{"messageId": says, "whatsappMessageId": h.sim.Accepted(alice)[0].WAMID, "sendingTime": 3000.0}},
		}
		got := h.list("/event/log/list?conversationId=" + conversation)
		got = slices.DeleteFunc(got, func(e object) bool {
			return strings.Contains(e["type"].(string), ".status.") || strings.HasSuffix(e["type"].(string), "contact.linked")
		})
		story := []string{}
		for _, e := range got {
			story = append(story, strings.TrimPrefix(e["type"].(string), "integration.whatsapp."))
		}
		for i, w := range want {
			if i >= len(got) || story[i] != w.kind {
				h.t.Fatalf("the events are %q", story)
			}
			if got[i]["whatsappIntegrationId"] != h.integration || got[i]["conversationId"] != conversation || contact == nil || got[i]["contactId"] != contact || got[i]["createdAt"].(float64) == 0 {
				h.t.Errorf("%s is about %v", w.kind, got[i])
			}
			for field, value := range w.meta {
				if diff := cmp.Diff(value, got[i]["meta"].(object)[field]); diff != "" {
					h.t.Errorf("%s, %s: %s", w.kind, field, diff)
				}
			}
		}
	})
}

// With the debug level on every stage leaves one line with its IDs, and nothing
// of what people say; without it, nothing is said as long as nothing fails. F251
func TestDebugLogsFollowAMessage(t *testing.T) {
	_, e := modelled(t, repeats)
	inHouse(t, options{engine: e}, func(h *house) {
		h.attach()
		h.person(alice).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: "my words"})
		h.settle()
		conversation := h.conversations()[0]["id"].(string)
		messages := h.list("/conversation/" + conversation + "/message/list")
		turn, wamid := messages[0]["id"].(string), h.sim.Accepted(alice)[0].WAMID
		h.mutex.Lock()
		logs := h.logs.String()
		h.mutex.Unlock()
		for _, stage := range []struct{ line, names string }{
			{"file stored", turn}, {"notification stored", "messages=1 statuses=0"}, {"turn begins", turn}, {"turn begins", conversation}, {"engine answered", turn}, {"part sent", wamid},
		} {
			var lines []string
			for line := range strings.Lines(logs) {
				if strings.Contains(line, `msg="`+stage.line+`"`) && strings.Contains(line, stage.names) && strings.Contains(line, h.integration) {
					lines = append(lines, line)
				}
			}
			if len(lines) != 1 {
				h.t.Errorf("%s %s: %q", stage.line, stage.names, lines)
			}
		}
		for line := range strings.Lines(logs) {
			if !strings.Contains(line, "level=DEBUG") || strings.Contains(line, "my words") || strings.Contains(line, alice) {
				h.t.Errorf("the log says %s", line)
			}
		}
	})
}

// somebody is one of many who use everything there is. They end what they say
// with a mark that nobody else has.
func (h *house) somebody(n int) (marks []string) {
	who := fmt.Sprintf("1555500%04d", n)
	p := h.person(who)
	mark := func(what string) string {
		marks = append(marks, fmt.Sprintf("%s/%d/%d.", what, n, len(marks)))
		return marks[len(marks)-1]
	}
	pause := func() { time.Sleep(time.Duration(1+(7*n+len(marks))%13) * time.Second) }
	p.Write(mark("text"))
	pause()
	p.SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png", Caption: mark("picture")})
	pause()
	p.ShareLocation(float64(n), 2, mark("place"), "")
	pause()
	row := mark("row")
	p.Write("menu " + row)
	for range 300 {
		time.Sleep(time.Second)
		menus := slices.DeleteFunc(h.sim.Accepted(who), func(a simulator.Accepted) bool { return a.Type != "interactive" })
		if len(menus) > 0 {
			if _, err := p.Tap(menus[0].WAMID, row); err != nil {
				h.t.Error(err)
			}
			break
		}
	}
	p.Write(mark("work"))
	pause()
	if n%3 == 0 {
		time.Sleep(10 * time.Second) // more than Meta brings out of order
		p.Write("/new")
		time.Sleep(10 * time.Second)
	}
	p.Write(mark("end"))
	return marks
}

// unanswered are the messages since the bot said something. That it stored a
// file is no answer.
func unanswered(t engine.Turn) (messages []engine.Message) {
	for _, m := range t.History {
		switch {
		case m.Role == engine.User:
			messages = append(messages, m)
		case m.Call == nil:
			messages = nil
		}
	}
	return messages
}

// Everything at once, by many people, while Meta misbehaves and the process
// dies: everybody is answered, once and in full. F172 F254
func TestEverythingAtOnce(t *testing.T) {
	answers := script.Func(func(t engine.Turn) []script.Step {
		var said []string
		var steps []script.Step
		for _, m := range unanswered(t) {
			row, wants := strings.CutPrefix(m.Text, "menu ")
			if wants {
				steps = append(steps, script.Do(engine.List{Body: "Which?", Button: "Open", Sections: []engine.Section{{
					Rows: []engine.Row{{ID: "none", Title: "None"}, {ID: row, Title: "This"}},
				}}}))
				continue
			}
			if strings.HasPrefix(m.Text, "work") {
				steps = append(steps, script.Do(engine.Progress{Text: "Working …"}), script.Wait(5*time.Second))
			}
			said = append(said, m.Text)
		}
		return append(steps, script.Wait(time.Second), script.Say("You said: "+strings.Join(said, "\n")))
	})
	hostile := simulator.Hostile()
	inHouse(t, options{engine: answers, faults: &hostile, seed: 7}, func(h *house) {
		h.attach()
		const people = 30
		marks := make([][]string, people)
		var all sync.WaitGroup
		for n := range people {
			all.Go(func() { marks[n] = h.somebody(n) })
		}
		for range 2 {
			time.Sleep(17 * time.Second)
			h.crash()
		}
		all.Wait()
		time.Sleep(10 * time.Minute)
		for n, said := range marks {
			person := fmt.Sprintf("1555500%04d", n)
			heard := strings.Join(h.texts(person), "\n")
			for _, mark := range said {
				if times := strings.Count(heard, mark); times != 1 {
					h.t.Errorf("%s: %q was answered %d times", person, mark, times)
				}
			}
		}
		for _, e := range h.logged("message.failed") {
			if part := e["meta"].(object)["partId"]; part == nil || !strings.Contains(part.(string), "-p") { // progress is told once
				h.t.Errorf("a failure: %v", e)
			}
		}
		if n := len(h.conversations()); n != people+people/3 {
			h.t.Errorf("%d conversations", n)
		}
	})
}

func TestPartsAreSentOneAfterTheOther(t *testing.T) { // F233
	asks := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Do(engine.AskLocation{Prompt: "one"}, engine.AskLocation{Prompt: "two"}, engine.AskLocation{Prompt: "three"})}
	})
	var mutex sync.Mutex
	var story []string
	slow := func(next http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			part := regexp.MustCompile("one|two|three").FindString(bodyOf(r))
			if part == "" {
				return next.RoundTrip(r)
			}
			tell := func(what string) (refuse bool) {
				mutex.Lock()
				defer mutex.Unlock()
				story = append(story, what+" "+part)
				return part == "two" && !slices.Contains(story, "refused two")
			}
			refuse := tell("gives")
			time.Sleep(3 * time.Second)
			if refuse {
				tell("refused")
				return refused(500, 131000)(r)
			}
			defer tell("accepted")
			return next.RoundTrip(r)
		})
	}
	inHouse(t, options{engine: asks, way: slow}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		want := []string{"gives one", "accepted one", "gives two", "refused two", "gives two", "accepted two", "gives three", "accepted three"}
		if diff := cmp.Diff(want, story); diff != "" {
			h.t.Error(diff)
		}
		if diff := cmp.Diff([]string{"one", "two", "three"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

// statusOf is the body of a webhook about a message of the business's.
func statusOf(wamid, status string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q}]}}]}]}`, phoneNumber, wamid, status, time.Now().Unix(), alice)
}

// What was sent is known by Meta's ID, so that what becomes of it is tied to
// the message and its conversation. F235 F236
func TestDeliveryIsFollowed(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		wamid, conversation := h.sim.Accepted(alice)[0].WAMID, h.conversations()[0]["id"]
		messages := h.list("/conversation/" + conversation.(string) + "/message/list")
		message := messages[len(messages)-1]["id"]
		for _, kind := range []string{"message.sent", "status.sent", "status.delivered", "status.read"} {
			item := h.get("/event/log/list?type=integration.whatsapp." + kind)["items"].([]any)[0].(object)
			meta := item["meta"].(object)
			if meta["whatsappMessageId"] != wamid || meta["messageId"] != message || item["conversationId"] != conversation {
				h.t.Errorf("%s: %v", kind, item)
			}
		}
		h.rule("a day and a restart later", func(t rule) {
			time.Sleep(24 * time.Hour)
			h.stop()
			h.start()
			h.notify(statusOf(wamid, "played"))
			item := h.get("/event/log/list?type=integration.whatsapp.status.played")["items"].([]any)[0].(object)
			if item["meta"].(object)["messageId"] != message || item["conversationId"] != conversation {
				t.Errorf("%v", item)
			}
		})
		h.rule("an unknown one is logged, and nothing else", func(t rule) {
			if status := h.notify(statusOf("wamid.unknown", "deleted")); status != 200 {
				t.Errorf("status %d", status)
			}
			item := h.get("/event/log/list?type=integration.whatsapp.status.deleted")["items"].([]any)[0].(object)
			if meta := item["meta"].(object); meta["whatsappMessageId"] != "wamid.unknown" || meta["messageId"] != nil || item["conversationId"] != nil {
				t.Errorf("%v", item)
			}
			h.person(alice).Write("Still there?")
			h.settle()
			if got := h.texts(alice); len(got) != 2 || got[1] != "You said: Still there?" {
				t.Errorf("%q", got)
			}
		})
	})
}
