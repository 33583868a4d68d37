package local

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"parley/events"
)

// These tests are inside the package because callers of a store cannot choose
// what the sequencer finds waiting at the same moment.

func TestBatch(t *testing.T) {
	t.Run("appends of a batch see those before them, and a refusal disturbs nobody", func(t *testing.T) {
		w := newWriter(t)
		first, second, other := newJob("a-1", -1, 2), newJob("a-1", 1, 1), newJob("b-1", -1, 1)
		retry := newJob("a-1", -1, 2)
		copy(retry.records, first.records)
		batch := []*job{
			first, newJob("a-1", -1, 1), second, newJob("a-1", 7, 1), newJob("c-1", 0, 1), retry, other,
		}
		added := commit(t, w, batch)
		want := []result{
			{outcome: wasStored, appended: events.Appended{Revision: 1, Position: 2}},
			{outcome: wasRefused, err: &events.WrongRevision{Stream: "a-1", Expected: -1, Actual: 1}},
			{outcome: wasStored, appended: events.Appended{Revision: 2, Position: 3}},
			{outcome: wasRefused, err: &events.WrongRevision{Stream: "a-1", Expected: 7, Actual: 2}},
			{outcome: wasRefused, err: &events.WrongRevision{Stream: "c-1", Expected: 0, Actual: -1}},
			{outcome: wasRepeated, appended: events.Appended{Revision: 1, Position: 2}},
			{outcome: wasStored, appended: events.Appended{Revision: 0, Position: 4}},
		}
		for i, j := range batch {
			if diff := cmp.Diff(want[i], j.result, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("append %d (-want +got):\n%s", i, diff)
			}
		}
		var places []string
		for _, e := range added {
			places = append(places, fmt.Sprintf("%s %d at %d", e.Stream, e.Revision, e.Position))
		}
		if diff := cmp.Diff([]string{"a-1 0 at 1", "a-1 1 at 2", "a-1 2 at 3", "b-1 0 at 4"}, places); diff != "" {
			t.Errorf("stored events (-want +got):\n%s", diff)
		}
	})
	t.Run("a batch that cannot be stored leaves no trace", func(t *testing.T) {
		w := newWriter(t)
		commit(t, w, []*job{newJob("a-1", -1, 1)})
		w.heads.put("b-1", head{id: 1, revision: -1}) // a lie, which UNIQUE (sid, rev) finds out
		if _, err := w.append([]*job{newJob("a-1", 0, 1), newJob("c-1", -1, 1), newJob("b-1", -1, 1)}, 0); err == nil {
			t.Fatal("two events with the same revision were stored")
		}
		again := []*job{newJob("a-1", 0, 1), newJob("b-1", -1, 1), newJob("c-1", -1, 1)}
		commit(t, w, again)
		for i, j := range again {
			if j.result.outcome != wasStored || j.result.appended.Position != events.Position(i+2) {
				t.Errorf("append %d: %+v", i, j.result)
			}
		}
	})
}

func newWriter(t *testing.T) *writer {
	t.Helper()
	w, err := openWriter(filepath.Join(t.TempDir(), "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func newJob(s events.Stream, expected events.Revision, n int) *job {
	j := &job{stream: s, expected: expected, records: make([]events.Record, n)}
	for i := range j.records {
		j.records[i] = events.Record{ID: uuid.New(), Type: "Fact"}
	}
	return j
}

func commit(t *testing.T, w *writer, batch []*job) []events.Recorded {
	t.Helper()
	added, err := w.append(batch, 0)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func TestDurability(t *testing.T) {
	t.Run("the connection that writes syncs every commit and overwrites what it frees", func(t *testing.T) {
		w := newWriter(t)
		want := map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "wal_autocheckpoint": "0"}
		got := make(map[string]string)
		for pragma := range want {
			var value string
			if err := w.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&value); err != nil {
				t.Fatal(err)
			}
			got[pragma] = value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pragmas (-want +got):\n%s", diff)
		}
	})
	t.Run("the witness never overwrites its newest slot", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log.witness")
		for at := events.Position(1); at <= 10; at++ {
			w, seen, known, err := openWitness(path)
			if err != nil || seen != at-1 || known != (at > 1) {
				t.Fatalf("witness of %d, known %v, %v; expected %d", seen, known, err, at-1)
			}
			newest := 1 - w.slot
			if err := w.record(at); err != nil {
				t.Fatal(err)
			}
			if kept, ok, err := w.read(newest); at > 1 && (kept != at-1 || !ok || err != nil) {
				t.Errorf("the other slot holds %d, %v, %v; expected %d", kept, ok, err, at-1)
			}
			if err := w.close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestGather(t *testing.T) {
	gather := func(t *testing.T, jobs ...*job) []string {
		t.Helper()
		q := newSequencer("", nil, Options{})
		for _, j := range jobs {
			q.jobs <- j
		}
		var batches []string
		for len(q.jobs) > 0 {
			batch, task := q.gather()
			batches = append(batches, fmt.Sprintf("%d appends, task %t", len(batch), task != nil))
		}
		return batches
	}
	a, task := &job{size: 100}, &job{task: func() error { return nil }}
	large := &job{size: batchBytes / 2}
	cases := []struct {
		rule string
		jobs []*job
		want []string
	}{
		{"all that wait are taken at once", []*job{a, a, a}, []string{"3 appends, task false"}},
		{"a task ends a batch", []*job{a, a, task, a}, []string{"2 appends, task true", "1 appends, task false"}},
		{"a task runs alone", []*job{task, task, a}, []string{"0 appends, task true", "0 appends, task true", "1 appends, task false"}},
		{"a batch has a limit in bytes", []*job{large, large, a, large}, []string{"2 appends, task false", "2 appends, task false"}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.want, gather(t, c.jobs...)); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeads(t *testing.T) {
	t.Run("what was used last is remembered, and not more than twice the limit", func(t *testing.T) {
		h := newHeads(10)
		name := func(i int) events.Stream { return events.Stream(fmt.Sprint(i)) }
		for i := range 1000 {
			h.put(name(i), head{id: int64(i)})
			if n := len(h.young) + len(h.old); n > 20 {
				t.Fatalf("%d streams are remembered", n)
			}
			for j := max(0, i-9); j <= i; j++ {
				if at, ok := h.get(name(j)); !ok || at.id != int64(j) {
					t.Fatalf("stream %d is forgotten after %d", j, i)
				}
			}
		}
	})
	t.Run("a newer end hides the older one", func(t *testing.T) {
		h := newHeads(2)
		for revision := range events.Revision(10) {
			h.put("a", head{id: 1, revision: revision})
			h.put("b", head{id: 2})
			h.put("c", head{id: 3})
			if at, ok := h.get("a"); ok && at.revision != revision {
				t.Errorf("revision %d, expected %d", at.revision, revision)
			}
		}
	})
}

func TestTail(t *testing.T) {
	fill := func(tl *tail, from, to, size int) {
		for p := from; p <= to; p++ {
			e := events.Recorded{Stream: "a", Revision: events.Revision(p - 1), Position: events.Position(p)}
			e.Data = make([]byte, size)
			tl.publish([]events.Recorded{e})
		}
	}
	t.Run("the newest events are held, up to a number", func(t *testing.T) {
		tl := newTail(0, 0, 10, 1000)
		fill(tl, 1, 25, 1)
		checkFrom(t, tl, 15, 0, false)
		checkFrom(t, tl, 16, 10, true)
		checkFrom(t, tl, 25, 1, true)
		checkFrom(t, tl, 26, 0, true)
	})
	t.Run("the newest events are held, up to a size", func(t *testing.T) {
		tl := newTail(0, 0, 100, 1000)
		fill(tl, 1, 50, 300)
		checkFrom(t, tl, 47, 0, false)
		checkFrom(t, tl, 48, 3, true)
		fill(tl, 51, 51, 2000) // larger than all the room
		checkFrom(t, tl, 51, 0, false)
		fill(tl, 52, 52, 10)
		checkFrom(t, tl, 52, 1, true)
	})
	t.Run("an opened log holds nothing and knows its end", func(t *testing.T) {
		tl := newTail(40, 38, 10, 1000)
		checkFrom(t, tl, 40, 0, false)
		checkFrom(t, tl, 41, 0, true)
		if last, _ := tl.watch(); last != 40 || tl.newest() != 38 {
			t.Errorf("end %d and newest %d, expected 40 and 38", last, tl.newest())
		}
	})
	t.Run("erased events free their room", func(t *testing.T) {
		tl := newTail(0, 0, 100, 1000)
		fill(tl, 1, 3, 300)
		tl.erase("a", 2, 3)
		checkFrom(t, tl, 1, 1, true)
		fill(tl, 4, 5, 300)
		checkFrom(t, tl, 1, 3, true)
	})
	t.Run("publishing wakes those who watch", func(t *testing.T) {
		tl := newTail(0, 0, 10, 1000)
		_, grown := tl.watch()
		tl.publish(nil)
		select {
		case <-grown:
			t.Error("woken up for nothing")
		default:
		}
		fill(tl, 1, 1, 1)
		<-grown
	})
}

func checkFrom(t *testing.T, tl *tail, p events.Position, want int, reaches bool) {
	t.Helper()
	if got, ok := tl.from(p, 100, anySize); len(got) != want || ok != reaches {
		t.Errorf("from %d: %d events, reaches %v; expected %d, %v", p, len(got), ok, want, reaches)
	}
}

func TestCloseWaits(t *testing.T) {
	t.Run("closing waits for a read that has begun", func(t *testing.T) {
		s, err := Open(t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.sequencer.paging.Lock() // stops the read in the middle
		readEnded, closeEnded := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := s.Read(t.Context(), "a-1", events.StreamStart, events.Forwards, 1)
			readEnded <- err
		}()
		for s.reading.TryLock() { // until the read holds it
			s.reading.Unlock()
			runtime.Gosched()
		}
		go func() { closeEnded <- s.Close() }()
		select {
		case err := <-closeEnded:
			t.Errorf("closed in the middle of a read: %v", err)
			return
		case <-time.After(20 * time.Millisecond): // a mistake shows sooner
		}
		s.sequencer.paging.Unlock()
		if err := <-readEnded; err != nil {
			t.Errorf("read: %v", err)
		}
		if err := <-closeEnded; err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func TestFailure(t *testing.T) {
	t.Run("the first cause stays, and nothing is written afterwards", func(t *testing.T) {
		f := newFailure()
		if f.error() != nil {
			t.Errorf("error %v before any failure", f.error())
		}
		first := errors.New("first")
		f.set(first)
		f.set(errors.New("second"))
		<-f.done
		err := f.or(func() error {
			t.Error("written after a failure")
			return nil
		})
		if !errors.Is(err, first) || !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable with the first cause", err)
		}
	})
}
