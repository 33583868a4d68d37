package storetest

import (
	"testing"

	"parley/events"
)

func testReopen(t *testing.T, f Factory) {
	t.Run("everything is as it was", func(t *testing.T) {
		l := open(t, f)
		a, b := stream(), stream()
		l.fill(a, 3)
		l.put(b, events.NoStream, records(4)...)
		all, head := l.all(), l.head()
		l = l.reopen(f)
		checkSame(t, l.all(), all)
		if got := l.head(); got != head {
			t.Errorf("head %d, expected %d", got, head)
		}
		checkSame(t, l.take(l.follow(all[2].Position), 4), all[3:])
	})
	t.Run("revisions and positions go on", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := l.fill(s, 3)
		head := l.head()
		l = l.reopen(f)
		_, err := l.Append(l.ctx, s, events.NoStream, one())
		checkWrong(t, err, events.WrongRevision{Stream: s, Expected: events.NoStream, Actual: 2})
		r := one()
		if at := l.put(s, 2, r); at.Position <= head {
			t.Errorf("position %d, expected one after %d", at.Position, head)
		}
		l.checkHolds(s, append(rs, r))
	})
	t.Run("a retry is still recognised", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(3)
		first := l.put(s, events.NoStream, rs...)
		l.put(s, 2, one())
		l = l.reopen(f)
		if again := l.put(s, events.NoStream, rs...); again != first {
			t.Errorf("answer %+v, expected the first try's %+v", again, first)
		}
	})
}

func testReopenErased(t *testing.T, f Factory) {
	t.Run("what was erased stays erased and revisions go on", func(t *testing.T) {
		l := open(t, f)
		a, b := stream(), stream()
		l.fill(a, 3)
		rs := l.fill(b, 3)
		l.truncate(a, events.StreamEnd)
		l.truncate(b, 2)
		l = l.reopen(f)
		l.checkHolds(a, nil)
		checkRun(t, l.read(b, events.StreamStart, events.Forwards, 10), b, 2, rs[2:])
		l.put(a, 2, one())
		l.put(b, 2, one())
	})
	t.Run("positions of erased events are not given again", func(t *testing.T) {
		l := open(t, f)
		a, b := stream(), stream()
		l.fill(a, 3)
		erased := l.head()
		l.truncate(a, events.StreamEnd)
		l = l.reopen(f)
		if at := l.put(b, events.NoStream, one()); at.Position <= erased {
			t.Errorf("position %d, expected one after %d", at.Position, erased)
		}
	})
}

// reopen closes the store and opens what it left.
func (l *log) reopen(f Factory) *log {
	l.t.Helper()
	if err := l.close(); err != nil {
		l.t.Fatalf("close: %v", err)
	}
	again := newLog(l.t, f.Reopen(l.t, l.Store))
	again.start = l.start
	return again
}
