package storetest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
)

func testExpected(t *testing.T, f Factory) {
	refused := []struct {
		rule             string
		events           int
		expected, actual events.Revision
	}{
		{"NoStream is refused for a stream with events", 2, events.NoStream, 1},
		{"a revision below the last is refused", 3, 1, 2},
		{"a revision above the last is refused", 2, 2, 1},
		{"a revision is refused for a stream that does not exist", 0, 0, events.NoStream},
		{"StreamEnd is no expected revision", 1, events.StreamEnd, 0},
		{"a negative revision other than NoStream is refused", 2, -2, 1},
		{"the least revision is refused", 2, math.MinInt64, 1},
	}
	for _, c := range refused {
		t.Run(c.rule, func(t *testing.T) {
			l, s := open(t, f), stream()
			stored := l.fill(s, c.events)
			_, err := l.Append(l.ctx, s, c.expected, one())
			checkWrong(t, err, events.WrongRevision{Stream: s, Expected: c.expected, Actual: c.actual})
			l.checkHolds(s, stored)
		})
	}
	t.Run("each append moves the revision by its records", func(t *testing.T) {
		l, s := open(t, f), stream()
		a := l.put(s, events.NoStream, records(2)...)
		b := l.put(s, 1, records(3)...)
		c := l.put(s, 4, one())
		if got, want := []events.Revision{a.Revision, b.Revision, c.Revision}, []events.Revision{1, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("revisions %v, expected %v", got, want)
		}
		if a.Position >= b.Position || b.Position >= c.Position {
			t.Errorf("positions %d, %d, %d do not increase", a.Position, b.Position, c.Position)
		}
	})
	t.Run("streams do not share revisions", func(t *testing.T) {
		l := open(t, f)
		a, b := stream(), stream()
		l.fill(a, 2)
		stored := l.fill(b, 1)
		l.checkHolds(b, stored)
	})
}

func testRetry(t *testing.T, f Factory) {
	t.Run("a retry is answered as the first try was", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(3)
		first := l.put(s, events.NoStream, rs...)
		if diff := cmp.Diff(first, l.put(s, events.NoStream, rs...)); diff != "" {
			t.Errorf("answers (-first +retry):\n%s", diff)
		}
		l.checkHolds(s, rs)
	})
	t.Run("a retry is recognised after later appends", func(t *testing.T) {
		l, s := open(t, f), stream()
		before := l.fill(s, 2)
		rs := records(2)
		first := l.put(s, 1, rs...)
		later := records(3)
		l.put(s, 3, later...)
		l.fill(stream(), 2)
		if diff := cmp.Diff(first, l.put(s, 1, rs...)); diff != "" {
			t.Errorf("answers (-first +retry):\n%s", diff)
		}
		l.checkHolds(s, slices.Concat(before, rs, later))
	})
	t.Run("the beginning of what was stored is answered with its own end", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(3)
		l.put(s, events.NoStream, rs...)
		got := l.put(s, events.NoStream, rs[:2]...)
		at := l.read(s, 1, events.Forwards, 1)[0]
		if want := (events.Appended{Revision: 1, Position: at.Position}); got != want {
			t.Errorf("answer %+v, expected %+v", got, want)
		}
		l.checkHolds(s, rs)
	})
	t.Run("a retry is recognised by its IDs alone", func(t *testing.T) {
		l, s := open(t, f), stream()
		r := one()
		first := l.put(s, events.NoStream, r)
		changed := r
		changed.Data = []byte("something else")
		if diff := cmp.Diff(first, l.put(s, events.NoStream, changed)); diff != "" {
			t.Errorf("answers (-first +retry):\n%s", diff)
		}
		l.checkHolds(s, []events.Record{r})
	})
}

func testNoRetry(t *testing.T, f Factory) {
	rs := records(3)
	strangers := []struct {
		rule  string
		retry []events.Record
	}{
		{"another first ID is no retry", []events.Record{one(), rs[1], rs[2]}},
		{"another later ID is no retry", []events.Record{rs[0], one(), rs[2]}},
		{"another last ID is no retry", []events.Record{rs[0], rs[1], one()}},
		{"another order is no retry", []events.Record{rs[1], rs[0], rs[2]}},
		{"more records than were stored are no retry", append(slices.Clone(rs), one())},
	}
	for _, c := range strangers {
		t.Run(c.rule, func(t *testing.T) {
			l, s := open(t, f), stream()
			l.put(s, events.NoStream, rs...)
			_, err := l.Append(l.ctx, s, events.NoStream, c.retry...)
			checkWrong(t, err, events.WrongRevision{Stream: s, Expected: events.NoStream, Actual: 2})
			l.checkHolds(s, rs)
		})
	}
	t.Run("at the end of a stream nothing is compared: an ID of before is stored again", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(2)
		l.put(s, events.NoStream, rs...)
		l.put(s, 1, rs...)
		l.checkHolds(s, slices.Concat(rs, rs))
	})
	t.Run("the IDs of another stream are no retry", func(t *testing.T) {
		l := open(t, f)
		a, b := stream(), stream()
		rs := records(2)
		l.put(a, events.NoStream, rs...)
		l.put(b, events.NoStream, rs...)
		l.checkHolds(b, rs)
	})
}

func testAppend(t *testing.T, f Factory) {
	t.Run("an append without records is refused", func(t *testing.T) {
		l, s := open(t, f), stream()
		if _, err := l.Append(l.ctx, s, events.NoStream); err == nil {
			t.Error("append without records was accepted")
		}
		l.checkHolds(s, nil)
	})
	t.Run("records that are too large together are refused and none is stored", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := sized(t, events.MaxAppend/2, events.MaxAppend/2, 100)
		if _, err := l.Append(l.ctx, s, events.NoStream, rs...); !errors.Is(err, events.ErrTooLarge) {
			t.Errorf("error %v, expected ErrTooLarge", err)
		}
		l.checkHolds(s, nil)
	})
	t.Run("records of MaxAppend bytes together are stored", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := sized(t, events.MaxAppend/2, events.MaxAppend-events.MaxAppend/2)
		l.put(s, events.NoStream, rs...)
		l.checkHolds(s, rs)
	})
	t.Run("many records in one append stay together and in order", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(500)
		at := l.put(s, events.NoStream, rs...)
		all := l.all()
		checkRun(t, all, s, events.StreamStart, rs)
		if last := all[len(all)-1]; at.Revision != last.Revision || at.Position != last.Position {
			t.Errorf("answer %+v, expected the last record's: %d, %d", at, last.Revision, last.Position)
		}
	})
	t.Run("the caller may reuse its slices afterwards", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := records(2)
		want := []events.Record{rs[0], rs[1]}
		for i := range want {
			want[i].Data, want[i].Metadata = bytes.Clone(rs[i].Data), bytes.Clone(rs[i].Metadata)
		}
		l.put(s, events.NoStream, rs...)
		for i := range rs {
			clear(rs[i].Data)
			clear(rs[i].Metadata)
			rs[i] = events.Record{}
		}
		l.checkHolds(s, want)
		checkRun(t, l.take(l.follow(l.start), 2), s, events.StreamStart, want)
	})
	t.Run("an append whose context has ended can be tried again", func(t *testing.T) {
		l, s := open(t, f), stream()
		ended, cancel := context.WithCancel(l.ctx)
		cancel()
		rs := records(2)
		if _, err := l.Append(ended, s, events.NoStream, rs...); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, expected the context's", err)
		}
		l.put(s, events.NoStream, rs...)
		l.checkHolds(s, rs)
	})
}

// sized makes records of these sizes, as Record.Size counts.
func sized(t testing.TB, sizes ...int) []events.Record {
	t.Helper()
	rs := records(len(sizes))
	for i, size := range sizes {
		rest := size - len(rs[i].Type) - len(rs[i].Metadata)
		rs[i].Data = bytes.Repeat([]byte{'x'}, rest)
		if rs[i].Size() != size {
			t.Fatalf("record of %d bytes, expected %d", rs[i].Size(), size)
		}
	}
	return rs
}

// checkWrong checks that an append was refused, and with what it says.
func checkWrong(t testing.TB, err error, want events.WrongRevision) {
	t.Helper()
	var wrong *events.WrongRevision
	if !errors.As(err, &wrong) {
		t.Fatalf("error %v, expected a *WrongRevision", err)
	}
	if *wrong != want {
		t.Errorf("refused with %+v, expected %+v", *wrong, want)
	}
}
