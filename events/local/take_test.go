package local_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
)

// foreign gives an event as another log holds it.
func foreign(stream events.Stream, revision events.Revision, data string) events.Recorded {
	r := makeRecords(1, data)[0]
	r.ID = events.IDOf(stream, data, int(revision))
	return events.Recorded{Record: r, Stream: stream, Revision: revision, Position: 777, Stored: 1_600_000_000_000_000}
}

func TestTake(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	put(t, s, "ours-1", events.NoStream, makeRecords(2, "ours")...)
	theirs := []events.Recorded{
		foreign("a-1", 0, "one"), foreign("b-1", 5, "erased before"), foreign("a-1", 1, "two"), foreign("b-1", 6, "next"),
	}
	subscription := s.Subscribe(2)
	defer subscription.Close()
	for range 2 { // what is there is left
		if err := s.Take(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
	}
	want := append([]events.Recorded(nil), theirs...)
	for i := range want {
		want[i].Position = events.Position(i + 3)
	}
	check := func() {
		t.Helper()
		got, err := s.ReadAll(t.Context(), 3, events.Forwards, 10)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
	check()
	if seen, err := subscription.Next(t.Context()); err != nil || len(seen) != len(want) {
		t.Errorf("a subscription sees %d events, %v", len(seen), err)
	}
	t.Run("streams count on, and retries are known", func(t *testing.T) {
		put(t, s, "b-1", 6, makeRecords(1, "ours")...)
		if _, err := s.Append(t.Context(), "a-1", 0, theirs[2].Record); err != nil {
			t.Error(err)
		}
	})
	for rule, wrong := range map[string]events.Recorded{
		"another event in its place": foreign("a-1", 1, "three"),
		"a gap":                      foreign("a-1", 3, "four"),
		"an event that is erased":    foreign("b-1", 4, "five"),
	} {
		t.Run(rule+" is refused, and nothing is stored", func(t *testing.T) {
			err := s.Take(t.Context(), []events.Recorded{foreign("c-1", 0, "fine"), wrong})
			var refused *events.WrongRevision
			if !errors.As(err, &refused) || refused.Stream != wrong.Stream || !strings.Contains(err.Error(), string(wrong.Stream)) {
				t.Errorf("error %v", err)
			}
			if left := readStream(t, s, "c-1"); len(left) > 0 {
				t.Error("something was stored")
			}
		})
	}
	t.Run("a stream of which all is erased may go on anywhere behind", func(t *testing.T) {
		put(t, s, "d-1", events.NoStream, makeRecords(3, "old")...)
		if err := s.Truncate(t.Context(), "d-1", events.StreamEnd); err != nil {
			t.Fatal(err)
		}
		if err := s.Take(t.Context(), []events.Recorded{foreign("d-1", 9, "new")}); err != nil {
			t.Fatal(err)
		}
		put(t, s, "d-1", 9, makeRecords(1, "newer")...)
	})
	closeStore(t, s)
	s = openStore(t, dir)
	if got := readStream(t, s, "d-1"); len(got) != 2 || got[0].Revision != 9 {
		t.Errorf("after a restart %v", got)
	}
	put(t, s, "a-1", 1, makeRecords(1, "ours")...)
}
