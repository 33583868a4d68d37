package parley_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
	"parley/whatsapp/simulator"
)

// What lives have found is told here once more, each by itself.

// brokenOff is a log that stores the first attempt to send, does not answer, and
// is away for a while.
type brokenOff struct {
	events.Store
	broke, away atomic.Bool
}

func (b *brokenOff) Append(ctx context.Context, s events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	if b.away.Load() {
		return events.Appended{}, events.ErrUnavailable
	}
	at, err := b.Store.Append(ctx, s, r, records...)
	isAttempt := func(r events.Record) bool { return r.Type == "SendAttempted" }
	if slices.ContainsFunc(records, isAttempt) && b.broke.CompareAndSwap(false, true) {
		b.away.Store(true)
		time.AfterFunc(40*time.Second, func() { b.away.Store(false) })
		return events.Appended{}, events.ErrUnavailable
	}
	return at, err
}

func (b *brokenOff) Read(ctx context.Context, s events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	if b.away.Load() {
		return nil, events.ErrUnavailable
	}
	return b.Store.Read(ctx, s, from, dir, limit)
}

// lastSend is a way on which the process dies as soon as Meta takes a message.
type lastSend struct {
	http.RoundTripper
	sent func()
}

func (l lastSend) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	l.sent()
	return response, err
}

func TestACallIsNotMadeLongAfterItsAttempt(t *testing.T) { // P5
	var sim *simulator.Simulator
	var process *life
	die := func() {
		if len(sim.Accepted(alice)) == 1 {
			process.over.Store(true)
		}
	}
	inHouse(t, options{
		store: func() events.Store { return &brokenOff{Store: memory.New()} },
		way:   func(way http.RoundTripper) http.RoundTripper { return lastSend{way, die} },
	}, func(h *house) {
		sim, process = h.sim, h.life
		h.notify(text(alice, "wamid.1", "Hello"))
		for !process.over.Load() {
			time.Sleep(time.Millisecond)
		}
		h.crash()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestASessionThatIsStillAnsweredIsRemembered(t *testing.T) {
	slow := script.Func(func(t engine.Turn) []script.Step {
		said := t.Unanswered()[0].Text
		return []script.Step{
			script.Wait(10 * time.Second), script.Say("You said: " + said), script.Do(engine.Remember{Memory: []byte(said)}),
		}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		for i, says := range []string{"one", "two", "/reset", "three"} {
			h.notify(text(alice, "wamid."+string(rune('a'+i)), says))
		}
		h.settle()
		var remembered []string
		for _, turn := range slow.Turns() {
			remembered = append(remembered, string(turn.Memory))
		}
		if diff := cmp.Diff([]string{"", "one", ""}, remembered); diff != "" {
			h.t.Error(diff)
		}
	})
}
