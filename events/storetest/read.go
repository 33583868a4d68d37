package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
)

func testRead(t *testing.T, f Factory) {
	l, s := open(t, f), stream()
	rs := l.fill(s, 5)
	reads := []struct {
		rule  string
		from  events.Revision
		dir   events.Direction
		limit int
		want  []events.Revision
	}{
		{"forwards begins with the revision itself", 2, events.Forwards, 10, []events.Revision{2, 3, 4}},
		{"forwards from the start gives everything", events.StreamStart, events.Forwards, 10, []events.Revision{0, 1, 2, 3, 4}},
		{"forwards stops at the limit", 1, events.Forwards, 2, []events.Revision{1, 2}},
		{"forwards from the last gives one", 4, events.Forwards, 10, []events.Revision{4}},
		{"forwards from behind the last gives nothing", 5, events.Forwards, 10, nil},
		{"backwards begins with the revision itself", 2, events.Backwards, 10, []events.Revision{2, 1, 0}},
		{"backwards from StreamEnd begins with the last", events.StreamEnd, events.Backwards, 10, []events.Revision{4, 3, 2, 1, 0}},
		{"backwards stops at the limit", events.StreamEnd, events.Backwards, 2, []events.Revision{4, 3}},
		{"backwards from behind the last begins with the last", 9, events.Backwards, 1, []events.Revision{4}},
		{"backwards from the start gives one", events.StreamStart, events.Backwards, 10, []events.Revision{0}},
		{"a limit of 0 gives nothing", events.StreamStart, events.Forwards, 0, nil},
		{"the largest limit gives everything", events.StreamStart, events.Forwards, math.MaxInt, []events.Revision{0, 1, 2, 3, 4}},
	}
	for _, c := range reads {
		t.Run(c.rule, func(t *testing.T) {
			var got []events.Revision
			for _, e := range l.in(t).read(s, c.from, c.dir, c.limit) {
				got = append(got, e.Revision)
				if e.ID != rs[e.Revision].ID {
					t.Errorf("revision %d has the ID of another event", e.Revision)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("revisions (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a stream that does not exist reads as empty", func(t *testing.T) {
		l := l.in(t)
		for _, dir := range []events.Direction{events.Forwards, events.Backwards} {
			if got := l.read(stream(), 0, dir, 10); len(got) != 0 {
				t.Errorf("read %d events", len(got))
			}
		}
	})
	t.Run("a long stream reads the same both ways", func(t *testing.T) {
		l, s, n := l.in(t), stream(), 1200
		rs := records(n)
		for i := 0; i < n; i += 400 {
			l.put(s, events.Revision(i-1), rs[i:i+400]...)
		}
		forwards := l.read(s, events.StreamStart, events.Forwards, n)
		checkRun(t, forwards, s, events.StreamStart, rs)
		backwards := l.read(s, events.StreamEnd, events.Backwards, n)
		slices.Reverse(backwards)
		checkSame(t, backwards, forwards)
	})
}

func testReadAll(t *testing.T, f Factory) {
	l := open(t, f)
	streams, want := l.interleave()
	all := l.all()
	if diff := cmp.Diff(want, ids(all)); diff != "" {
		t.Fatalf("IDs of the log, in the order of the appends (-want +got):\n%s", diff)
	}
	last := all[len(all)-1].Position
	t.Run("positions increase", func(t *testing.T) {
		if !increasing(all) {
			t.Error("they do not")
		}
	})
	t.Run("the head is the newest event's position", func(t *testing.T) {
		if head := l.in(t).head(); head != last {
			t.Errorf("head %d, expected %d", head, last)
		}
	})
	t.Run("LogStart is before the first event", func(t *testing.T) {
		got, err := l.ReadAll(l.ctx, events.LogStart, events.Forwards, 1)
		if err != nil || len(got) != 1 || got[0].Position <= events.LogStart {
			t.Errorf("read %v, %v; expected the first event", got, err)
		}
	})
	t.Run("the log and the streams tell the same", func(t *testing.T) {
		l := l.in(t)
		for _, s := range streams {
			inLog := slices.DeleteFunc(slices.Clone(all), func(e events.Recorded) bool { return e.Stream != s })
			checkSame(t, l.read(s, events.StreamStart, events.Forwards, 100), inLog)
		}
	})
}

func testReadAllPages(t *testing.T, f Factory) {
	l := open(t, f)
	_, want := l.interleave()
	all := l.all()
	if len(all) != len(want) {
		t.Fatalf("the log holds %d events, expected %d", len(all), len(want))
	}
	last := all[len(all)-1].Position
	reads := []struct {
		rule  string
		from  events.Position
		dir   events.Direction
		limit int
		want  []events.ID
	}{
		{"forwards begins with the position itself", all[5].Position, events.Forwards, 3, want[5:8]},
		{"forwards from the last gives one", last, events.Forwards, 10, want[23:]},
		{"forwards from behind the last gives nothing", last + 1, events.Forwards, 10, nil},
		{"forwards from LogEnd gives nothing", events.LogEnd, events.Forwards, 10, nil},
		{"backwards begins before the position", all[5].Position, events.Backwards, 3, reversed(want[2:5])},
		{"backwards from LogEnd begins with the newest", events.LogEnd, events.Backwards, 4, reversed(want[20:])},
		{"backwards from behind the newest begins with it", last + 1, events.Backwards, 1, want[23:]},
		{"backwards from LogStart gives nothing", events.LogStart, events.Backwards, 10, nil},
		{"a limit of 0 gives nothing", last, events.Forwards, 0, nil},
	}
	for _, c := range reads {
		t.Run(c.rule, func(t *testing.T) {
			if f.EventStoreDB && c.from == last+1 {
				t.Skip("skipped: here that is no position to read from")
			}
			got, err := l.ReadAll(l.ctx, c.from, c.dir, c.limit)
			if err != nil {
				t.Fatalf("read all: %v", err)
			}
			if diff := cmp.Diff(c.want, ids(got)); diff != "" {
				t.Errorf("IDs (-want +got):\n%s", diff)
			}
		})
	}
}

// interleave appends to three streams in turn, two records at once, and
// returns them and the IDs in the order of the appends.
func (l *log) interleave() (streams []events.Stream, want []events.ID) {
	l.t.Helper()
	streams = []events.Stream{stream(), stream(), stream()}
	for i := range 4 {
		for _, s := range streams {
			rs := records(2)
			l.put(s, events.Revision(2*i-1), rs...)
			want = append(want, rs[0].ID, rs[1].ID)
		}
	}
	return streams, want
}

func testRecord(t *testing.T, f Factory) {
	bytes256 := make([]byte, 256)
	for i := range bytes256 {
		bytes256[i] = byte(i)
	}
	shapes := []struct {
		rule   string
		change func(*events.Record)
	}{
		{"binary data survives", func(r *events.Record) { r.Data = bytes256 }},
		{"JSON data survives and is marked", func(r *events.Record) { r.JSON, r.Data = true, []byte(`{"a":[1,"ü",null]}`) }},
		{"empty data survives", func(r *events.Record) { r.Data = nil }},
		{"empty metadata survives", func(r *events.Record) { r.Metadata = nil }},
		{"metadata in the server's own words survive as they are", func(r *events.Record) {
			r.Metadata = []byte(`{"$correlationId":"c","$causationId":"d","at":1}`)
		}},
		{"large data survives", func(r *events.Record) { r.Data = slices.Repeat(bytes256, 1000) }},
		{"a type with unusual letters survives", func(r *events.Record) { r.Type = "Größe.v2 'x\"" }},
	}
	for _, c := range shapes {
		t.Run(c.rule, func(t *testing.T) {
			l, s := open(t, f), stream()
			r := one()
			c.change(&r)
			l.put(s, events.NoStream, r)
			got := l.read(s, events.StreamStart, events.Forwards, 1)
			checkRun(t, got, s, events.StreamStart, []events.Record{r})
			checkSame(t, l.take(l.follow(l.start), 1), got)
			checkSame(t, l.all(), got)
			if got[0].Stored == 0 {
				t.Error("the event does not say when it was stored")
			}
		})
	}
}

func testNames(t *testing.T, f Factory) {
	t.Run("stream names are kept apart letter by letter", func(t *testing.T) {
		l, base := open(t, f), stream()
		names := []events.Stream{
			base, base + "A", base + "a", base + " ", base + ".15551234567", base + "%", base + "_", base + "'\"\\",
			base + "-größe-日本語-🙂", base + "-a-b", base + events.Stream(strings.Repeat("x", 500)),
		}
		stored := make([]events.Record, len(names))
		for i, s := range names {
			stored[i] = one()
			stored[i].Data = fmt.Appendf(nil, "of %s", s)
			l.put(s, events.NoStream, stored[i])
		}
		for i, s := range names {
			l.checkHolds(s, stored[i:i+1])
		}
	})
}

func testOwnership(t *testing.T, f Factory) {
	t.Run("what is read belongs to the reader", func(t *testing.T) {
		l, s := open(t, f), stream()
		rs := l.fill(s, 3)
		readers := map[string]func() []events.Recorded{
			"Read":    func() []events.Recorded { return l.read(s, events.StreamStart, events.Forwards, 3) },
			"ReadAll": l.all,
			"Next":    func() []events.Recorded { return l.take(l.follow(l.start), 3) },
		}
		for name, read := range readers {
			scribble(read())
			checkRun(t, read(), s, events.StreamStart, rs)
			got := read()
			_ = append(got[0].Data, "more than there was"...)
			_ = append(got[0].Metadata, "more than there was"...)
			checkRun(t, got, s, events.StreamStart, rs)
			if t.Failed() {
				t.Fatalf("after what %s returned was changed", name)
			}
		}
	})
}

// scribble overwrites everything that events point to.
func scribble(es []events.Recorded) {
	for i := range es {
		clear(es[i].Data)
		clear(es[i].Metadata)
		es[i] = events.Recorded{}
	}
}

func ids(es []events.Recorded) []events.ID {
	var ids []events.ID
	for _, e := range es {
		ids = append(ids, e.ID)
	}
	return ids
}

// increasing tells that each event has a larger position than the one before.
func increasing(es []events.Recorded) bool {
	for i := 1; i < len(es); i++ {
		if es[i].Position <= es[i-1].Position {
			return false
		}
	}
	return true
}

func reversed(ids []events.ID) []events.ID {
	r := slices.Clone(ids)
	slices.Reverse(r)
	return r
}
