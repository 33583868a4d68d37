package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

const (
	numberID = "106540352242922"
	ann      = "15550100001"
	hidden   = "US.13491208655302741918"
)

var business = simulator.Number{
	ID: numberID, WABAID: "102290129340398", Display: "15550783881",
	Token: "EAAtoken", Callback: "http://parley.test/callback", AppSecret: "app secret",
}

// server is a callback that keeps what it is told.
type server struct {
	t  testing.TB
	mu sync.Mutex
	// refuse is how many webhooks are answered with 503 first.
	refuse   int
	messages []whatsapp.Message
	statuses []whatsapp.Status
	sizes    []int // items in each webhook
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !whatsapp.Verify(r.Header.Get(whatsapp.SignatureHeader), body, business.AppSecret) {
		s.t.Errorf("the signature does not hold (%v)", err)
	}
	n, err := whatsapp.Parse(body)
	if err != nil || len(n.Problems) > 0 {
		s.t.Errorf("webhook %s: %v %v", body, err, n.Problems)
	}
	s.messages = append(s.messages, n.Messages...)
	s.statuses = append(s.statuses, n.Statuses...)
	s.sizes = append(s.sizes, len(n.Messages)+len(n.Statuses))
}

// knows reports whether a status of a message has come.
func (s *server) knows(wamid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.statuses, func(st whatsapp.Status) bool { return st.ID == wamid })
}

func (s *server) texts() (list []string) {
	for _, m := range s.messages {
		list = append(list, m.Text)
	}
	return list
}

func (s *server) statusNames() (list []string) {
	for _, st := range s.statuses {
		list = append(list, st.Status)
	}
	return list
}

// life is a simulator with a connected number, its callback and a client.
type life struct {
	*simulator.Simulator
	server *server
	client *whatsapp.Client
}

func start(t testing.TB, c simulator.Config) *life {
	l := &life{server: &server{t: t}}
	c.Deliver = simulator.Through(l.server)
	l.Simulator = simulator.New(c)
	l.Connect(business)
	l.client = whatsapp.NewClient("https://graph.test", "v25.0", l.Transport())
	return l
}

// bubble runs a life in virtual time.
func bubble(t *testing.T, c simulator.Config, run func(*testing.T, *life)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := start(t, c)
		defer l.Close()
		run(t, l)
	})
}

func calm() simulator.Config { return simulator.Config{Faults: simulator.Calm()} }

func (l *life) send(t testing.TB, to string, o whatsapp.Outbound, opaque string) (whatsapp.Sent, error) {
	t.Helper()
	address, err := whatsapp.ParseAddress(to)
	if err != nil {
		t.Fatal(err)
	}
	return l.client.Send(t.Context(), l.Credentials(numberID), address, o.Payload(), opaque)
}

func (l *life) idle(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := l.Idle(ctx); err != nil {
		t.Fatalf("webhooks are still under way: %v", err)
	}
}

func text(s string) whatsapp.Outbound { return whatsapp.Text(s)[0] }

func TestAPersonWrites(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		first := l.Person(numberID, ann).Write("héllo @/ 👋")
		l.idle(t)
		second := l.Person(numberID, hidden).Write("hidden")
		l.idle(t)
		a, h := l.server.messages[0], l.server.messages[1]
		if a.ID != first || a.Text != "héllo @/ 👋" || a.From != ann || a.UserID == "" || a.PhoneNumberID != numberID || a.WABAID != business.WABAID || a.Profile == "" || !a.Timestamp.Equal(time.Now().UTC()) {
			t.Errorf("got %+v", a)
		}
		if h.ID != second || h.From != "" || h.UserID != hidden || h.Username != "tester" {
			t.Errorf("with a hidden number: %+v", h)
		}
		if body := string(l.Webhooks()[0].Body); !strings.Contains(body, `h\u00e9llo \u0040\/ \ud83d\udc4b`) {
			t.Errorf("not escaped like on Meta's wire: %s", body)
		}
	})
}

func TestEverythingThatAPersonCanDoIsUnderstood(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		person := l.Person(numberID, ann)
		ask, err := l.send(t, ann, whatsapp.Buttons("Go?", "", []whatsapp.Button{{ID: "y", Title: "Yes"}})[0], "")
		if err != nil {
			t.Fatal(err)
		}
		list, err := l.send(t, ann, whatsapp.List(whatsapp.Menu{Body: "Eat?", Sections: []whatsapp.Section{{Rows: []whatsapp.Row{{ID: "p", Title: "Pesto", Description: "green"}}}}})[0], "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := person.Tap(ask.WAMID, "y"); err != nil {
			t.Fatal(err)
		}
		if _, err := person.Tap(list.WAMID, "p"); err != nil {
			t.Fatal(err)
		}
		person.ShareLocation(1.5, -2, "Here", "")
		person.React(ask.WAMID, "👍")
		if _, err := person.Tap(ask.WAMID, "no such button"); err == nil {
			t.Error("tapped what is not there")
		}
		l.idle(t)
		var got []string
		for _, m := range l.server.messages {
			prompt, _ := m.Prompt()
			got = append(got, m.Type+": "+prompt)
		}
		want := []string{
			"interactive: [selection button id=y] Yes", "interactive: [selection list id=p] Pesto",
			`location: [location lat=1.5 lon=-2 name="Here" ]`, "reaction: ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if l.server.messages[0].Context.ReplyTo != ask.WAMID {
			t.Error("a tap must refer to the message with the button")
		}
	})
}

func TestAMessageIsSentDeliveredAndRead(t *testing.T) {
	for _, person := range []string{ann, hidden} {
		t.Run(person, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				sent, err := l.send(t, person, text("hi"), "part-1")
				if err != nil {
					t.Fatal(err)
				}
				l.idle(t)
				if diff := cmp.Diff([]string{"sent", "delivered", "read"}, l.server.statusNames()); diff != "" {
					t.Errorf("statuses: -want +got\n%s", diff)
				}
				for _, s := range l.server.statuses {
					if s.ID != sent.WAMID || s.Opaque != "part-1" || s.Recipient() != person || s.UserID == "" {
						t.Errorf("got %+v", s)
					}
				}
				a := l.Accepted(person)
				if len(a) != 1 || a[0].WAMID != sent.WAMID || a[0].Opaque != "part-1" || a[0].Text() != "hi" || a[0].Type != "text" {
					t.Errorf("accepted: %+v", a)
				}
				if (sent.WaID == "") == (person == ann) || (sent.UserID == "") == (person == hidden) {
					t.Errorf("sent: %+v", sent)
				}
			})
		})
	}
}

func TestRoles(t *testing.T) {
	type try struct {
		code    int    // of an *Error
		kind    string // "sent", "unclear" or "unsent" otherwise
		waits   time.Duration
		accepts int // how many were accepted after it
	}
	cases := map[string][]try{
		"15550000200": {{kind: "unclear", accepts: 1}, {kind: "sent", accepts: 2}},
		"15550000408": {{kind: "unclear", waits: 15 * time.Second, accepts: 1}, {kind: "sent", accepts: 2}},
		"15550000409": {{kind: "unclear", waits: 15 * time.Second}, {kind: "sent", accepts: 1}},
		"15550000429": {{code: 130429}, {code: 130429}, {kind: "sent", accepts: 1}},
		"15550000500": {{kind: "unclear"}, {kind: "sent", accepts: 1}},
		"15550000502": {{kind: "unclear", accepts: 1}, {kind: "sent", accepts: 2}},
		"15550000503": {{kind: "unsent"}, {kind: "sent", accepts: 1}},
		"15550000131": {{code: 131000}, {kind: "sent", accepts: 1}},
		"15550000190": {{code: 190}, {code: 190}},
		"15550001026": {{code: 131026}, {code: 131026}},
		"15550001030": {{code: 131030}, {code: 131030}},
		"15550001042": {{code: 131042}, {code: 131042}},
		"15550001047": {{code: 131047}, {code: 131047}},
		"15550001056": {{code: 131056}, {kind: "sent", accepts: 1}},
		"15550001060": {{kind: "sent", accepts: 1}},
		"15550002026": {{kind: "sent", accepts: 1}},
		"15550002047": {{kind: "sent", accepts: 1}},
	}
	for _, role := range simulator.Cast() {
		t.Run(role.Does, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				if len(cases[role.Number]) == 0 {
					t.Fatalf("%s is not tested", role.Number)
				}
				for i, want := range cases[role.Number] {
					begin := time.Now()
					_, err := l.send(t, role.Number, text("hi"), fmt.Sprint(i))
					got := try{kind: kindOf(err), waits: time.Since(begin), accepts: len(l.Accepted(role.Number))}
					if e := (*whatsapp.Error)(nil); got.kind == "" && errors.As(err, &e) {
						got.code = e.Code
					}
					if diff := cmp.Diff(want, got, cmp.AllowUnexported(try{})); diff != "" {
						t.Errorf("try %d (%v): -want +got\n%s", i, err, diff)
					}
				}
				l.idle(t)
				for _, a := range l.Accepted("") { // what is accepted gets its statuses, however it was answered
					if !slices.ContainsFunc(l.server.statuses, func(s whatsapp.Status) bool { return s.Opaque == a.Opaque && s.Status != "sent" }) {
						t.Errorf("no status for try %s", a.Opaque)
					}
				}
			})
		})
	}
}

func kindOf(err error) string {
	var unclear *whatsapp.Unclear
	var unsent *whatsapp.Unsent
	switch {
	case err == nil:
		return "sent"
	case errors.As(err, &unclear):
		return "unclear"
	case errors.As(err, &unsent):
		return "unsent"
	}
	return ""
}

func TestAMessageFailsLater(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		if _, err := l.send(t, "15550002026", text("hi"), "p"); err != nil {
			t.Fatal(err)
		}
		l.idle(t)
		if diff := cmp.Diff([]string{"sent", "failed"}, l.server.statusNames()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if got := l.server.statuses[1].Errors[0].Code; got != 131026 {
			t.Errorf("code %d", got)
		}
	})
}

func TestAGhostComesBeforeTheMessage(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.Person(numberID, "15550001060").Write("boo")
		l.idle(t)
		ghost, real := l.server.messages[0], l.server.messages[1]
		if !ghost.IsPlaceholder() || ghost.ID != id || real.ID != id || real.Text != "boo" || ghost.Sender() != real.Sender() {
			t.Errorf("got %+v\nand %+v", ghost, real)
		}
	})
}

func TestAUserIDInToIsLostWithoutAWord(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		status, body := l.post(t, `{"messaging_product":"whatsapp","to":"`+hidden+`","type":"text","text":{"body":"hi"}}`)
		l.idle(t)
		if status != 200 || !strings.Contains(body, "wamid.") || len(l.server.statuses) != 0 || !l.Accepted("")[0].Dropped {
			t.Errorf("%d %s, statuses %v", status, body, l.server.statuses)
		}
	})
}

func TestTheWindow(t *testing.T) {
	c := calm()
	c.Window = true
	bubble(t, c, func(t *testing.T, l *life) {
		check := func(when string, want whatsapp.Action) {
			t.Helper()
			if _, err := l.send(t, ann, text("hi"), ""); whatsapp.Advise(err).Action != want {
				t.Errorf("%s: %v", when, err)
			}
		}
		check("before the person wrote", whatsapp.NeedTemplate)
		l.Person(numberID, ann).Write("hello")
		time.Sleep(23 * time.Hour)
		check("23 hours after", "")
		time.Sleep(2 * time.Hour)
		check("25 hours after", whatsapp.NeedTemplate)
	})
}

func TestRefusedWebhooksAreRepeatedEverMoreRarely(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		l.server.refuse = 3
		begin := time.Now()
		l.Person(numberID, ann).Write("hello")
		l.idle(t)
		if got := time.Since(begin); got != 7*time.Second {
			t.Errorf("three repeats took %v, want 1+2+4 s", got)
		}
		if diff := cmp.Diff([]string{"hello"}, l.server.texts()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if hook := l.Webhooks()[0]; !hook.Delivered || !slices.Equal(hook.Answers, []int{503, 503, 503, 200}) {
			t.Errorf("recorded: %v %v", hook.Delivered, hook.Answers)
		}
	})
}

func TestARefusedWebhookDoesNotHoldUpTheNext(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		l.server.refuse = 1
		l.Person(numberID, ann).Write("one")
		l.Person(numberID, ann).Write("two")
		l.idle(t)
		if diff := cmp.Diff([]string{"two", "one"}, l.server.texts()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestWebhooksAreGivenUpSomeTime(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		l.server.refuse = 1000
		l.Person(numberID, ann).Write("hello")
		l.idle(t)
		if hook := l.Webhooks()[0]; hook.Delivered || len(hook.Answers) < 10 {
			t.Errorf("recorded: %v %v", hook.Delivered, hook.Answers)
		}
	})
}

func TestHostileDaysLoseNothing(t *testing.T) {
	var repeated, shared, reordered, early, throttled bool
	for seed := range uint64(8) {
		bubble(t, simulator.Config{Seed: seed}, func(t *testing.T, l *life) {
			var written []string
			accepted := map[string]bool{}
			for i := range 6 {
				for _, person := range []string{ann, hidden, "15550100002"} {
					written = append(written, l.Person(numberID, person).Write(fmt.Sprint(person, i)))
					sent, err := l.send(t, person, text("hi"), "")
					if err != nil {
						throttled = true
						continue
					}
					accepted[sent.WAMID] = true
					early = early || l.server.knows(sent.WAMID)
				}
			}
			l.idle(t)
			var got []string
			for _, m := range l.server.messages {
				if slices.Contains(got, m.ID) {
					repeated = true
				} else {
					got = append(got, m.ID)
				}
			}
			reordered = reordered || !slices.Equal(written, got)
			shared = shared || slices.Max(l.server.sizes) > 1
			slices.Sort(written)
			slices.Sort(got)
			if diff := cmp.Diff(written, got); diff != "" {
				t.Errorf("seed %d: messages: -want +got\n%s", seed, diff)
			}
			found := map[string]int{}
			for _, s := range l.server.statuses {
				found[s.ID+s.Status] = 1
			}
			if len(found) != 3*len(accepted) {
				t.Errorf("seed %d: %d statuses for %d messages", seed, len(found), len(accepted))
			}
		})
	}
	if !repeated || !shared || !reordered || !early || !throttled {
		t.Errorf("a fault never happened: repeated %v, shared %v, reordered %v, early %v, throttled %v", repeated, shared, reordered, early, throttled)
	}
}

func TestTheSameSeedMeetsTheSameFaults(t *testing.T) {
	// Without faults that let updates meet by chance, even the times are equal.
	faults := simulator.Hostile()
	faults.Batch, faults.Reorder = 0, 0
	run := func(seed uint64) (seen []string) {
		bubble(t, simulator.Config{Seed: seed, Faults: &faults}, func(t *testing.T, l *life) {
			begin := time.Now()
			for i := range 20 {
				_, err := l.send(t, ann, text("hi"), fmt.Sprint(i))
				seen = append(seen, fmt.Sprint(time.Since(begin), err))
			}
			l.idle(t)
			for _, hook := range l.Webhooks() {
				seen = append(seen, fmt.Sprint(string(hook.Body), len(hook.Answers)))
			}
		})
		return seen
	}
	if diff := cmp.Diff(run(7), run(7)); diff != "" {
		t.Errorf("seed 7 twice:\n%s", diff)
	}
	if cmp.Equal(run(7), run(8)) {
		t.Error("seeds 7 and 8 meet the same faults")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, simulator.Config{})
		l.server.refuse = 1000
		l.Person(numberID, ann).Write("hello")
		done := make(chan error)
		go func() {
			_, err := l.send(t, "15550000409", text("hi"), "")
			done <- err
		}()
		synctest.Wait()
		l.Close()
		if err := <-done; err == nil {
			t.Error("the call that hung came back without an error")
		}
		if err := l.Idle(t.Context()); err == nil {
			t.Error("idle without an error although a webhook was dropped")
		}
		l.Person(numberID, ann).Write("after") // must do no harm
	})
}

func TestThroughSockets(t *testing.T) {
	callback := &server{t: t}
	hooks := httptest.NewServer(callback)
	defer hooks.Close()
	s := simulator.New(calm())
	defer s.Close()
	graph := httptest.NewServer(s)
	defer graph.Close()
	n := business
	n.Callback = hooks.URL
	s.Connect(n)
	l := &life{Simulator: s, server: callback, client: whatsapp.NewClient(graph.URL, "v25.0", nil)}

	s.Person(numberID, ann).Write("hello")
	if _, err := l.send(t, ann, text("hi"), "p"); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{"15550000500": "unclear", "15550000503": "unclear", "15550000190": ""} {
		if _, err := l.send(t, number, text("hi"), ""); err == nil || kindOf(err) != want {
			t.Errorf("%s: %v", number, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // gives up once the call has arrived
		for !slices.ContainsFunc(s.Calls(), func(c simulator.Call) bool { return c.To == "15550000408" }) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	address, _ := whatsapp.ParseAddress("15550000408")
	if _, err := l.client.Send(ctx, s.Credentials(numberID), address, text("hi").Payload(), ""); kindOf(err) != "unclear" {
		t.Errorf("a call that was given up: %v", err)
	}
	l.idle(t)
	if callback.texts()[0] != "hello" || !slices.Contains(callback.statusNames(), "read") {
		t.Errorf("got %v and %v", callback.texts(), callback.statusNames())
	}
}
