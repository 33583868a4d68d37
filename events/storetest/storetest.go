package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"parley/events"
)

// Factory makes the stores that the suite runs against.
type Factory struct {
	// New opens a store that nobody else writes to while the test runs. It may
	// hold older events. The suite closes it; what else has to be cleaned up,
	// New leaves to t.Cleanup.
	New func(t testing.TB) events.Store
	// Reopen opens what a store that New made, and that is closed by now, left
	// behind. It is nil for a store that forgets everything when it closes.
	Reopen func(t testing.TB, closed events.Store) events.Store
	// EventStoreDB says that the store is one itself. There erased events stay
	// in the whole log until a scavenge, and the log is read from positions of
	// events only. What the suite says beyond that is skipped.
	EventStoreDB bool
	// Fixed says that nothing can be overwritten in the store.
	Fixed bool
}

// Run checks a store against the whole contract.
func Run(t *testing.T, f Factory) {
	groups := []struct {
		name string
		test func(*testing.T, Factory)
	}{
		{"expected revision", testExpected},
		{"retry", testRetry},
		{"no retry", testNoRetry},
		{"append", testAppend},
		{"read", testRead},
		{"read all", testReadAll},
		{"read all in pages", testReadAllPages},
		{"record", testRecord},
		{"names", testNames},
		{"ownership", testOwnership},
		{"subscribe", testSubscribe},
		{"wait", testWait},
		{"wait ends", testWaitEnds},
		{"between looking and waiting", testSeam},
		{"truncate", testTruncate},
		{"truncate and count on", testTruncateCounting},
		{"truncate twice", testTruncateTwice},
		{"truncate and positions", testTruncatePositions},
		{"overwrite", testOverwrite},
		{"concurrency", testConcurrency},
		{"close", testClose},
		{"close under way", testCloseUnderWay},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { g.test(t, f) })
	}
	if f.Reopen != nil {
		t.Run("reopen", func(t *testing.T) { testReopen(t, f) })
		t.Run("reopen after erasing", func(t *testing.T) { testReopenErased(t, f) })
	}
}

// patience bounds every call of the suite, so that a store which loses a
// wake-up fails a test instead of hanging it.
const patience = time.Minute

// log is a store under test and where it stood when the test began.
type log struct {
	events.Store
	t     testing.TB
	ctx   context.Context
	start events.Position
	close func() error // closes the store once
}

func open(t testing.TB, f Factory) *log {
	t.Helper()
	return newLog(t, f.New(t))
}

func newLog(t testing.TB, s events.Store) *log {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	l := &log{Store: s, t: t, ctx: ctx, close: sync.OnceValue(s.Close)}
	t.Cleanup(func() {
		cancel()
		if err := l.close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	l.start = l.head()
	return l
}

// in is the same store in a subtest.
func (l *log) in(t testing.TB) *log {
	sub := *l
	sub.t = t
	return &sub
}

func (l *log) head() events.Position {
	l.t.Helper()
	head, err := l.Head(l.ctx)
	if err != nil {
		l.t.Fatalf("head: %v", err)
	}
	return head
}

// stream names a stream that no other test uses.
func stream() events.Stream { return events.StreamOf("storetest", uuid.NewString()) }

// records makes n records that no other append uses. Each differs from the
// others in every field that may differ.
func records(n int) []events.Record {
	rs := make([]events.Record, n)
	for i := range rs {
		id := uuid.New()
		rs[i] = events.Record{
			ID:       id,
			Type:     fmt.Sprintf("Fact%d", i),
			Data:     []byte("fact " + id.String()),
			Metadata: fmt.Appendf(nil, `{"n":%d,"id":%q}`, i, id),
		}
	}
	return rs
}

// one makes a single record.
func one() events.Record { return records(1)[0] }

// put appends records that must be accepted.
func (l *log) put(s events.Stream, expected events.Revision, rs ...events.Record) events.Appended {
	l.t.Helper()
	at, err := l.Append(l.ctx, s, expected, rs...)
	if err != nil {
		l.t.Fatalf("append to %s after %d: %v", s, expected, err)
	}
	return at
}

// fill starts a stream with n records and returns them.
func (l *log) fill(s events.Stream, n int) []events.Record {
	l.t.Helper()
	rs := records(n)
	for i, r := range rs {
		l.put(s, events.Revision(i-1), r)
	}
	return rs
}

// read reads a stream, which must work.
func (l *log) read(s events.Stream, from events.Revision, dir events.Direction, limit int) []events.Recorded {
	l.t.Helper()
	got, err := l.Read(l.ctx, s, from, dir, limit)
	if err != nil {
		l.t.Fatalf("read %s: %v", s, err)
	}
	return got
}

// all reads what was appended since the test began, oldest first.
func (l *log) all() []events.Recorded {
	l.t.Helper()
	const size = 500
	var all []events.Recorded
	for at := l.start; ; at = all[len(all)-1].Position {
		page, err := l.ReadAll(l.ctx, at, events.Forwards, size)
		if err != nil {
			l.t.Fatalf("read all from %d: %v", at, err)
		}
		n := len(page)
		if n > 0 && page[0].Position == at { // it is known, or before the test
			page = page[1:]
		}
		if all = append(all, page...); n < size {
			return all
		}
	}
}

// follow subscribes for the rest of the test.
func (l *log) follow(after events.Position) events.Subscription {
	l.t.Helper()
	sub := l.Subscribe(after)
	l.t.Cleanup(func() {
		if err := sub.Close(); err != nil {
			l.t.Errorf("close the subscription: %v", err)
		}
	})
	return sub
}

// take reads n events from a subscription.
func (l *log) take(sub events.Subscription, n int) []events.Recorded {
	l.t.Helper()
	var taken []events.Recorded
	for len(taken) < n {
		page, err := sub.Next(l.ctx)
		if err != nil {
			l.t.Fatalf("next after %d of %d events: %v", len(taken), n, err)
		}
		if len(page) == 0 {
			l.t.Fatal("next returned no events and no error")
		}
		taken = append(taken, page...)
	}
	if len(taken) != n {
		l.t.Fatalf("subscription gave %d events, expected %d", len(taken), n)
	}
	return taken
}

// checkHolds checks that a stream holds exactly these records from its start.
func (l *log) checkHolds(s events.Stream, want []events.Record) {
	l.t.Helper()
	checkRun(l.t, l.read(s, events.StreamStart, events.Forwards, len(want)+10), s, events.StreamStart, want)
}

// checkRun checks that events are these records with consecutive revisions.
func checkRun(t testing.TB, got []events.Recorded, s events.Stream, first events.Revision, want []events.Record) {
	t.Helper()
	expected := make([]events.Recorded, len(want))
	for i, r := range want {
		expected[i] = events.Recorded{Record: r, Stream: s, Revision: first + events.Revision(i)}
	}
	compare(t, got, expected, cmpopts.IgnoreFields(events.Recorded{}, "Position", "Stored"))
}

// checkSame checks that two reads gave the same events in every field.
func checkSame(t testing.TB, got, want []events.Recorded) {
	t.Helper()
	compare(t, got, want)
}

func compare(t testing.TB, got, want []events.Recorded, opts ...cmp.Option) {
	t.Helper()
	if len(got) == 0 && len(want) == 0 {
		return // a store may give nil or an empty slice
	}
	opts = append(opts, cmp.Comparer(bytes.Equal)) // likewise, and fast
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
