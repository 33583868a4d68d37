package conversation_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
)

var names = rapid.SampledFrom([]string{"", "a", "b", "c", "a-0", "b-0", "c-1"})

// anyFact draws a fact of any type with few different values, so that facts
// refer to one another by chance.
func anyFact(t *rapid.T) events.Event {
	types := events.Types()
	keys := make([]string, 0, len(types))
	for name := range types {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	v := reflect.New(reflect.TypeOf(types[rapid.SampledFrom(keys).Draw(t, "type")])).Elem()
	fill(t, v, 0)
	return v.Interface().(events.Event)
}

func fill(t *rapid.T, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(names.Draw(t, "name"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(-2, 5).Draw(t, "int"))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if depth < 4 && rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth+1)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 2).Draw(t, "length")
		if depth > 4 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), depth+1)
		}
	}
}

// anyCommand draws a command that may or may not make sense now.
func anyCommand(t *rapid.T, n int, at events.Instant) domain.Command {
	name, part := names.Draw(t, "id"), names.Draw(t, "part")
	attempt := rapid.IntRange(0, 3).Draw(t, "attempt")
	wait := time.Duration(rapid.IntRange(0, 60).Draw(t, "wait")) * time.Second
	sending := rapid.Bool().Draw(t, "sending")
	fresh := fmt.Sprintf("m%d", n)
	body := rapid.SampledFrom([]any{
		conversation.Receive{
			Policy: conversation.Policy{
				Allowed: rapid.IntRange(0, 9).Draw(t, "allowed") > 0, BotID: "bot",
				Attachments: rapid.Bool().Draw(t, "attachments"), ContactCollection: rapid.Bool().Draw(t, "collects"),
				Lifetime: rapid.SampledFrom([]int64{0, 30_000, 86_400_000}).Draw(t, "lifetime"),
			},
			Messages: []conversation.Inbound{{
				Message: fresh, Session: "s" + fresh, WAMID: "wamid." + names.Draw(t, "wamid") + fresh[:rapid.IntRange(1, len(fresh)).Draw(t, "dup")],
				Kind: "text", Text: rapid.SampledFrom([]string{"hi", "/reset"}).Draw(t, "text"), At: at, Opens: rapid.Bool().Draw(t, "opens"),
				Tap: rapid.Bool().Draw(t, "tap"), Media: rapid.SampledFrom([]*events.Media{nil, nil, {ID: "1", Name: "n"}}).Draw(t, "media"), From: "1555", Profile: name,
			}},
		},
		conversation.Receive{Policy: conversation.Policy{Lifetime: 30_000}, Echoes: []conversation.Echo{{
			Message: fresh, Session: "s" + fresh, WAMID: "wamid." + name, At: at.Add(-wait),
		}}},
		conversation.Begin{},
		conversation.Progress{Turn: name, Number: attempt, Parts: []events.Part{{ID: name + "-p"}}},
		conversation.Initiate{Session: "s" + fresh, Key: name, Parts: []events.Part{{ID: fresh + "-0"}}},
		conversation.Open{Session: name, Changes: conversation.Changes{BotID: domain.Some(part)}},
		conversation.Describe{Session: name, Changes: conversation.Changes{BotID: domain.Some(part), Name: domain.Some("n")}},
		conversation.Introduce{Session: name, Contact: part, Note: conversation.Written{ID: fresh, Type: "context"}},
		conversation.Write{Session: name, Messages: []conversation.Written{{ID: fresh, Type: "user", Text: "x"}}},
		conversation.Rewrite{Session: name, Message: part, Changes: conversation.MessageChanges{Text: domain.Some("x")}},
		conversation.Strike{Session: name, Message: part},
		conversation.Ask{Session: name, Turn: "t" + fresh, Message: part, Text: part, As: events.Session{BotID: part}},
		conversation.Erase{Session: name},
		conversation.ReportBared{Session: name, Kept: sending},
		conversation.ReportCleared{Session: name},
		conversation.Resume{},
		conversation.ReportFetched{Message: name},
		conversation.ReportUnfetched{Message: name, Retry: sending, Wait: wait},
		conversation.ReportContact{Session: name, Contact: "c"},
		conversation.SkipContact{},
		conversation.Receive{Became: []events.Person{{Phone: name}}},
		conversation.Receive{Policy: conversation.Policy{Allowed: true}, Statuses: []conversation.Status{{
			WAMID: "wamid." + name, Status: rapid.SampledFrom([]string{"sent", "read", "failed", "odd"}).Draw(t, "status"), Echo: part, At: at,
		}}},
		conversation.Answer{
			Turn: name, Sending: sending, EndSession: rapid.Bool().Draw(t, "end"),
			Messages: []events.TurnMessage{{ID: fresh, Text: "y"}}, Memory: []byte("m"),
			Parts: []events.Part{{ID: name + "-0", Payload: []byte("p")}, {ID: name + "-1"}},
		},
		conversation.Delay{Turn: name, Wait: wait},
		conversation.Close{Turn: name},
		conversation.Attempt{Part: part},
		conversation.GiveUp{Part: part},
		conversation.ReportSent{Part: part, WAMID: "wamid." + part, Sending: sending},
		conversation.ReportRefused{
			Part: part, Attempt: attempt, Retry: rapid.Bool().Draw(t, "retry"), Held: sending, Other: !sending, Wait: wait,
		},
		conversation.ReportUnclear{Part: part, Attempt: attempt},
		conversation.Abandon{Reason: "gone"},
	}).Draw(t, "command")
	return domain.Command{ID: fresh, At: at, Body: body}
}

func quickRules() conversation.Rules {
	r := conversation.DefaultRules()
	r.SnapshotEvery = 20
	return r
}

// same compares states but for the count of facts since the last snapshot.
func same(a, b conversation.State) string {
	a.Since, b.Since = 0, 0
	return cmp.Diff(a, b)
}

func TestEvolveIsTotal(t *testing.T) {
	decider := conversation.New(quickRules())
	rapid.Check(t, func(t *rapid.T) {
		var s conversation.State
		for range rapid.IntRange(0, 30).Draw(t, "facts") {
			s = decider.Evolve(s, anyFact(t))
			_ = decider.Owed(s)
			_, _ = decider.Decide(s, anyCommand(t, 1, 1))
		}
	})
}

func TestDecisions(t *testing.T) {
	decider := conversation.New(quickRules())
	rapid.Check(t, func(t *rapid.T) {
		var s conversation.State
		var history []events.Event
		at := events.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
		for n := range rapid.IntRange(1, 60).Draw(t, "commands") {
			at = at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			c := anyCommand(t, n, at)
			if fitting := rapid.IntRange(0, 2).Draw(t, "fitting"); fitting > 0 {
				c = fit(s, c)
			}
			before := s
			facts, err := decider.Decide(s, c)
			if diff := same(before, s); diff != "" {
				t.Fatalf("deciding changed the state: %s", diff)
			}
			if err != nil {
				if !domain.IsRefusal(err, domain.Stale) && !domain.IsRefusal(err, domain.NotFound) && !domain.IsRefusal(err, domain.Busy) {
					t.Fatalf("%T: %v", c.Body, err)
				}
				ask, asks := c.Body.(conversation.Ask)
				asks = asks && ask.Session != "" && !slices.Contains(s.Erased, ask.Session)
				if asks && !s.Session.Direct && domain.IsRefusal(err, domain.NotFound) && hasSession(history) {
					t.Fatalf("nobody knows of the session after %T", history[len(history)-1])
				}
				continue
			}
			s = decider.Fold(s, facts...)
			history = append(history, facts...)

			again, err := decider.Decide(s, c)
			if diff := same(s, decider.Fold(s, again...)); err == nil && diff != "" && !mayRepeat(c.Body) {
				t.Fatalf("%T a second time changed the state: %s", c.Body, diff)
			}
			if e, ok := c.Body.(conversation.Erase); ok {
				if diff := mentions(s, e.Session); diff != "" {
					t.Fatalf("the erased session %s is still in %s", e.Session, diff)
				}
			}
			if len(s.Inbox)+len(s.Asked) > 0 && len(decider.Owed(s)) == 0 {
				t.Fatalf("messages wait and nobody sees to them after %T", c.Body)
			}
		}
		if diff := cmp.Diff(s, fromSnapshot(decider, history)); diff != "" {
			t.Fatalf("loading from the last snapshot gives another state: %s", diff)
		}
		if diff := cmp.Diff(s, fromSnapshot(decider, bared(history))); diff != "" {
			t.Fatalf("without what was said in erased sessions it is another state: %s", diff)
		}
		checkTurns(t, append(history, settle(t, decider, s, at)...))
	})
}

func hasSession(facts []events.Event) bool {
	return slices.ContainsFunc(facts, func(f events.Event) bool { _, ok := f.(events.SessionStarted); return ok })
}

// checkTurns holds turns to what is promised of them: there is one at a time;
// those that were asked for come in their order, end, and send nothing; and
// what was said with them is there with an answer, and else not at all.
func checkTurns(t *rapid.T, facts []events.Event) {
	open := ""
	var waiting []events.Ask
	asked, written := map[string]string{}, map[string]bool{}
	end := func(turn string, wasAsked bool, parts []events.Part) {
		message, ok := asked[turn]
		switch {
		case turn == open:
			open = ""
		case ok:
			t.Fatalf("the turn %s ends, and %q is open", turn, open)
		}
		if ok != wasAsked || ok && len(parts) > 0 {
			t.Fatalf("the turn %s ends, asked for: %v, with %d parts", turn, wasAsked, len(parts))
		}
		delete(asked, turn)
		delete(written, message)
	}
	for _, fact := range facts {
		switch f := fact.(type) {
		case events.TurnAsked:
			waiting, asked[f.Ask.Turn] = append(waiting, f.Ask), f.Ask.Message
		case events.TurnStarted:
			if open != "" {
				t.Fatalf("the turn %s starts while %s is open", f.Turn, open)
			}
			if open = f.Turn; f.Asked {
				if f.Turn != waiting[0].Turn {
					t.Fatalf("the turn %s starts before %s", f.Turn, waiting[0].Turn)
				}
				waiting = waiting[1:]
			}
		case events.MessageWritten:
			written[f.Message] = true
		case events.TurnAnswered:
			if message := asked[f.Turn]; message != "" && !written[message] {
				t.Fatalf("the turn %s is answered without what was said", f.Turn)
			}
			end(f.Turn, f.Asked, f.Parts)
		case events.TurnClosed:
			if message := asked[f.Turn]; message != "" && written[message] {
				t.Fatalf("the turn %s is closed, and what was said stays", f.Turn)
			}
			if i := slices.IndexFunc(waiting, func(a events.Ask) bool { return a.Turn == f.Turn }); i >= 0 && f.Reason == conversation.Deleted {
				waiting = slices.Delete(waiting, i, i+1) // it never started
				delete(asked, f.Turn)
				continue
			}
			end(f.Turn, f.Asked, f.Parts)
		}
	}
	if len(asked) > 0 {
		t.Fatalf("nobody answers what was asked for: %v", asked)
	}
}

// mayRepeat names the command for which a second one is a second wish. The
// grain tells the two apart by their IDs.
func mayRepeat(body any) bool {
	switch b := body.(type) {
	case conversation.Delay, conversation.ReportUnfetched:
		return true
	case conversation.Initiate:
		return b.Key == ""
	}
	return false
}

// fit makes a drawn command name what is under way.
func fit(s conversation.State, c domain.Command) domain.Command {
	turn, part, attempt := "", "", 0
	if s.Turn != nil {
		turn = s.Turn.ID
	}
	if len(s.Outbox) > 0 {
		part, attempt = s.Outbox[0].ID, s.Outbox[0].Attempts
	}
	switch b := c.Body.(type) {
	case conversation.Answer:
		b.Turn = turn
		b.Parts = []events.Part{{ID: turn + "-0", Payload: []byte("p")}, {ID: turn + "-1"}}
		c.Body = b
	case conversation.Ask:
		b.Session, b.Message = s.Session.ID, "q"+b.Turn
		c.Body = b
	case conversation.Delay:
		b.Turn = turn
		c.Body = b
	case conversation.Progress:
		b.Turn, b.Parts = turn, []events.Part{{ID: turn + "-p"}}
		c.Body = b
	case conversation.ReportFetched:
		if len(s.Fetches) > 0 {
			b.Message = s.Fetches[0].Message
		}
		c.Body = b
	case conversation.ReportUnfetched:
		if len(s.Fetches) > 0 {
			b.Message = s.Fetches[0].Message
		}
		c.Body = b
	case conversation.Close:
		b.Turn = turn
		c.Body = b
	case conversation.Erase:
		if b.Session = s.Session.ID; attempt%2 == 0 && s.Turn != nil {
			b.Session = s.Turn.Session
		}
		c.Body = b
	case conversation.ReportBared:
		if len(s.Baring) > 0 {
			b.Session = s.Baring[0]
		}
		c.Body = b
	case conversation.ReportCleared:
		if len(s.Clearing) > 0 {
			b.Session = s.Clearing[0].Session
		}
		c.Body = b
	case conversation.Strike:
		b.Session = s.Session.ID
		if len(s.Inbox) > 0 {
			b.Message = s.Inbox[0].Message
		} else if s.Turn != nil {
			b.Message = s.Turn.ID
		}
		c.Body = b
	case conversation.Attempt:
		b.Part = part
		c.Body = b
	case conversation.GiveUp:
		b.Part = part
		c.Body = b
	case conversation.ReportSent:
		b.Part = part
		c.Body = b
	case conversation.ReportRefused:
		b.Part, b.Attempt = part, attempt
		c.Body = b
	case conversation.ReportUnclear:
		b.Part, b.Attempt = part, attempt
		c.Body = b
	}
	return c
}

// fromSnapshot folds only the facts from the last snapshot on.
func fromSnapshot(d domain.Decider[conversation.State], facts []events.Event) conversation.State {
	first := 0
	for i, f := range facts {
		if events.IsSnapshot(f) {
			first = i
		}
	}
	return d.Fold(conversation.State{}, facts[first:]...)
}

// bared gives facts as they stand in the log when what was erased is bare.
func bared(facts []events.Event) []events.Event {
	facts = slices.Clone(facts)
	for i, fact := range facts {
		if erased, ok := fact.(events.SessionErased); ok {
			for j := range i {
				facts[j] = events.Bare(facts[j], erased.Session)
			}
		}
	}
	return facts
}

// settle does what is owed until nothing is: work must come to an end. It gives
// what happens.
func settle(t *rapid.T, d domain.Decider[conversation.State], s conversation.State, at events.Instant) (happened []events.Event) {
	for range 1000 {
		owed := d.Owed(s)
		if len(owed) == 0 {
			return happened
		}
		at = max(at, owed[0].Due)
		var body any
		switch task := owed[0].Body.(type) {
		case conversation.RunTurn:
			body = conversation.Answer{Turn: task.Turn.ID, Parts: []events.Part{{ID: task.Turn.ID + "-last"}}}
		case conversation.Deliver:
			facts, err := d.Decide(s, domain.Command{At: at, Body: conversation.Attempt{Part: task.Part.ID}})
			if err != nil {
				t.Fatalf("a part that is owed may not be sent: %v", err)
			}
			s, happened = d.Fold(s, facts...), append(happened, facts...)
			body = conversation.ReportSent{Part: task.Part.ID, WAMID: "wamid." + task.Part.ID}
		case conversation.GiveUp, conversation.Begin:
			body = task
		case conversation.Fetch:
			body = conversation.ReportUnfetched{Message: task.File.Message, Retry: true}
		case conversation.Bare:
			body = conversation.ReportBared{Session: task.Session}
		case conversation.Clear:
			body = conversation.ReportCleared(task)
		case conversation.Collect:
			body = conversation.ReportContact{Session: task.Session, Contact: "c"}
		}
		facts, err := d.Decide(s, domain.Command{At: at, Body: body})
		if err != nil {
			t.Fatalf("%T: %v", body, err)
		}
		s, happened = d.Fold(s, facts...), append(happened, facts...)
	}
	t.Fatalf("work never ends: %+v", d.Owed(s))
	return nil
}

// mentions names a part of the state that has something of a session to do.
func mentions(s conversation.State, session string) string {
	in := func(id string) bool { return id == session }
	switch {
	case in(s.Session.ID), slices.ContainsFunc(s.Earlier, func(e events.Session) bool { return in(e.ID) }):
		return "the sessions"
	case s.Turn != nil && in(s.Turn.Session), slices.ContainsFunc(s.Inbox, func(w events.Waiting) bool { return in(w.Session) }),
		slices.ContainsFunc(s.Asked, func(a events.Ask) bool { return in(a.Session) }):
		return "the messages to answer"
	case slices.ContainsFunc(s.Outbox, func(p events.OpenPart) bool { return in(p.Session) }):
		return "the parts to send"
	case slices.ContainsFunc(s.Fetches, func(f events.OpenFetch) bool { return in(f.Session) }), slices.ContainsFunc(s.Collect, in):
		return "the files and contacts to store"
	}
	return ""
}
