package storetest

import (
	"bytes"
	"errors"
	"testing"

	"parley/events"
)

func testOverwrite(t *testing.T, f Factory) {
	t.Run("a store that cannot says so, and keeps what it has", func(t *testing.T) {
		if !f.Fixed {
			t.Skip("skipped: this one can")
		}
		l, s := open(t, f), stream()
		rs := l.fill(s, 2)
		if err := l.Overwrite(l.ctx, s, events.Replacement{Revision: 1}); !errors.Is(err, events.ErrFixed) {
			t.Errorf("error %v, expected ErrFixed", err)
		}
		l.checkHolds(s, rs)
	})
	t.Run("data is replaced wherever it stands, and nothing else is", func(t *testing.T) {
		f.needsOverwriting(t)
		l, s := open(t, f), stream()
		rs := l.fill(s, 5)
		other := stream()
		others := l.fill(other, 2)
		before := l.follow(l.start)
		rs[1] = l.overwrite(s, 1, rs[1], []byte("x"))
		rs[3] = l.overwrite(s, 3, rs[3], nil)
		l.checkHolds(s, rs)
		l.checkHolds(other, others)
		checkSame(t, l.take(before, 7), l.all())
		if again := l.put(s, 0, rs[1:]...); again.Revision != 4 {
			t.Errorf("a late retry of the append ends at %d, not 4", again.Revision)
		}
		l.put(s, 4, one())
	})
	t.Run("it stays when the store is opened again", func(t *testing.T) {
		f.needsOverwriting(t)
		if f.Reopen == nil {
			t.Skip("skipped: this one forgets everything")
		}
		l, s := open(t, f), stream()
		rs := l.fill(s, 3)
		rs[1] = l.overwrite(s, 1, rs[1], []byte("x"))
		l = l.reopen(f)
		l.checkHolds(s, rs)
		l.put(s, 2, one())
	})
	t.Run("doing it again changes nothing", func(t *testing.T) {
		f.needsOverwriting(t)
		l, s := open(t, f), stream()
		rs := l.fill(s, 2)
		for range 2 {
			rs[0] = l.overwrite(s, 0, rs[0], []byte{7})
			l.checkHolds(s, rs)
		}
		if err := l.Overwrite(l.ctx, s); err != nil {
			t.Errorf("overwriting nothing: %v", err)
		}
	})
	t.Run("longer data is refused, and then nothing is changed", func(t *testing.T) {
		f.needsOverwriting(t)
		l, s := open(t, f), stream()
		rs := l.fill(s, 2)
		longer := append(bytes.Clone(rs[1].Data), 0)
		if err := l.Overwrite(l.ctx, s, events.Replacement{}, events.Replacement{Revision: 1, Data: longer}); err == nil {
			t.Error("it was taken")
		}
		l.checkHolds(s, rs)
		l.put(s, 1, one())
	})
	t.Run("what is erased or never was is passed over", func(t *testing.T) {
		f.needsOverwriting(t)
		l, s := open(t, f), stream()
		rs := l.fill(s, 3)
		l.truncate(s, 2)
		for _, revision := range []events.Revision{0, 1, 3, events.StreamEnd} {
			if err := l.Overwrite(l.ctx, s, events.Replacement{Revision: revision, Data: []byte("x")}); err != nil {
				t.Errorf("revision %d: %v", revision, err)
			}
		}
		if err := l.Overwrite(l.ctx, stream(), events.Replacement{Data: []byte("x")}); err != nil {
			t.Errorf("a stream that does not exist: %v", err)
		}
		checkRun(t, l.read(s, events.StreamStart, events.Forwards, 10), s, 2, rs[2:])
	})
}

// needsOverwriting skips what a store cannot do in which nothing can be
// overwritten.
func (f Factory) needsOverwriting(t *testing.T) {
	t.Helper()
	if f.Fixed {
		t.Skip("skipped: nothing can be overwritten here")
	}
}

// overwrite replaces the data of an event, which must work, and gives the record
// as it is then.
func (l *log) overwrite(s events.Stream, at events.Revision, was events.Record, data []byte) events.Record {
	l.t.Helper()
	r := events.Replacement{Revision: at, Data: data}
	if err := l.Overwrite(l.ctx, s, r); err != nil {
		l.t.Fatalf("overwrite event %d of %s: %v", at, s, err)
	}
	over, err := r.Over(was.Data)
	if err != nil {
		l.t.Fatal(err)
	}
	was.Data = over
	return was
}
