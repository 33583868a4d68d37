package perform

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/memory"
)

// TestTailsSayWhatTheStreamSays lets a stream grow while its tail is told of it,
// read, crowded out, and told again what it was told, and compares what a turn
// would be given with and without the tail.
func TestTailsSayWhatTheStreamSays(t *testing.T) { // P6
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		with := &Conversation{Store: &readCounter{Store: memory.New()}, Tails: NewTails(random.IntN(20_000))}
		g := growing{t: t, random: random, with: with, without: &Conversation{Store: with.Store}}
		for range 60 {
			switch random.IntN(8) {
			case 0:
				g.session++
				g.append(events.SessionStarted{Session: events.Session{ID: g.id()}})
			case 1:
				g.with.Tails.drop(growingStream)
			case 2:
				g.with.Follow("conversation-other", 0, []events.Event{events.TurnStarted{}}, random.IntN(20_000))
			case 3:
				g.tellAgain()
			case 4:
				g.compare()
			default:
				g.append(events.MessageReceived{Session: g.id(), Message: fmt.Sprint(g.next)}, events.PartSent{}, events.TurnStarted{Messages: []string{fmt.Sprint(g.next)}})
			}
		}
		g.compare()
	}
}

const growingStream events.Stream = "conversation-i.p"

// growing is a stream that grows.
type growing struct {
	t             *testing.T
	random        *rand.Rand
	with, without *Conversation
	session       int
	next          events.Revision
	facts         []events.Event
}

func (g *growing) id() string { return fmt.Sprint("s", g.session) }

func (g *growing) append(facts ...events.Event) {
	g.t.Helper()
	records, err := events.Records(growingStream, events.Metadata{Command: fmt.Sprint(g.next)}, facts...)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.with.Store.Append(g.t.Context(), growingStream, g.next-1, records...); err != nil {
		g.t.Fatal(err)
	}
	if g.random.IntN(10) > 0 { // else another node appended it
		g.with.Follow(growingStream, g.next, facts, 100*len(facts))
	}
	g.next += events.Revision(len(facts))
	g.facts = append(g.facts, facts...)
}

// tellAgain is what an actor does that reads the stream anew.
func (g *growing) tellAgain() {
	if g.next > 0 {
		from := g.random.IntN(int(g.next))
		g.with.Follow(growingStream, events.Revision(from), g.facts[from:], 100*(len(g.facts)-from))
	}
}

func (g *growing) compare() {
	g.t.Helper()
	session := fmt.Sprint("s", g.random.IntN(g.session+1))
	got, err := g.with.sessionFacts(g.t.Context(), growingStream, g.next-1, session)
	if err != nil {
		g.t.Fatal(err)
	}
	want, err := g.without.sessionFacts(g.t.Context(), growingStream, g.next-1, session)
	if err != nil {
		g.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		g.t.Fatal(diff)
	}
	if g.with.Tails.size > g.with.Tails.bound {
		g.t.Fatalf("%d bytes are kept, and %d allowed", g.with.Tails.size, g.with.Tails.bound)
	}
}

// readCounter counts what is read of a store.
type readCounter struct {
	events.Store
	reads int
}

func (c *readCounter) Read(ctx context.Context, s events.Stream, from events.Revision, d events.Direction, most int) ([]events.Recorded, error) {
	c.reads++
	return c.Store.Read(ctx, s, from, d, most)
}

func TestATurnReadsNothingThatTheNodeHasWritten(t *testing.T) {
	store := &readCounter{Store: memory.New()}
	g := growing{t: t, random: rand.New(rand.NewPCG(1, 1)), with: &Conversation{Store: store, Tails: NewTails(1 << 20)}, without: &Conversation{Store: store}}
	g.append(events.SessionStarted{Session: events.Session{ID: "s0"}})
	g.tellAgain()
	for range 100 {
		g.append(events.MessageReceived{Session: "s0", Message: fmt.Sprint(g.next), Notification: &events.NotificationReceived{}})
		g.tellAgain()
		facts, err := g.with.sessionFacts(t.Context(), growingStream, g.next-1, "s0")
		if err != nil || len(facts) != int(g.next) {
			t.Fatalf("%d facts of %d, and %v", len(facts), g.next, err)
		}
		if m := facts[len(facts)-1].(events.MessageReceived); m.Notification != nil {
			t.Fatal("the notification is kept")
		}
	}
	if store.reads > 0 {
		t.Errorf("%d reads", store.reads)
	}
	g.with.Tails.drop(growingStream)
	for range 3 { // the first reads, and keeps nothing: whoever follows does
		g.append(events.TurnStarted{})
		g.tellAgain()
		if _, err := g.with.sessionFacts(t.Context(), growingStream, g.next-1, "s0"); err != nil {
			t.Fatal(err)
		}
	}
	if store.reads != 1 {
		t.Errorf("%d reads after the tail was lost, want 1", store.reads)
	}
}

func TestWhatIsReadTooLateIsNotKept(t *testing.T) {
	tails := NewTails(1 << 20)
	fact := func(id string) events.Event { return events.TurnStarted{Turn: id} }
	tails.Follow(growingStream, 10, []events.Event{fact("ten")}, 1)
	tails.Follow(growingStream, 20, []events.Event{fact("twenty")}, 1) // meanwhile what is between was lost
	tails.precede(growingStream, 10, tail{from: 9, facts: []numbered{{9, fact("nine")}}, size: 1})
	facts, from, ok := tails.upTo(growingStream, 20)
	if len(facts) != 1 || from != 20 || !ok {
		t.Errorf("%v from %d, %v", facts, from, ok)
	}
}
