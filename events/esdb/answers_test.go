package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"parley/events"
	"parley/events/memory"
)

// forgetful is a log that stores an append without an answer, and does not
// recognise that it is tried again.
type forgetful struct {
	*memory.Store
	tries int
	// before runs ahead of the first try.
	before func(*memory.Store)
}

func (f *forgetful) Append(ctx context.Context, stream events.Stream, expected events.Revision, records ...events.Record) (events.Appended, error) {
	if f.tries++; f.tries > 1 {
		last, err := f.Read(ctx, stream, events.StreamEnd, events.Backwards, 1)
		if err != nil {
			return events.Appended{}, err
		}
		return events.Appended{}, &events.WrongRevision{Stream: stream, Expected: expected, Actual: last[0].Revision}
	}
	if f.before != nil {
		f.before(f.Store)
	}
	_, _ = f.Store.Append(ctx, stream, expected, records...) // nobody learns what became of it
	return events.Appended{}, events.ErrUnavailable
}

func facts(n int) (rs []events.Record) {
	for range n {
		rs = append(rs, events.Record{ID: uuid.New(), Type: "Fact", Data: []byte("data"), Metadata: []byte("{}")})
	}
	return rs
}

func TestARefusalAfterATryWithoutAnAnswer(t *testing.T) {
	t.Run("is none if the stream holds what was tried", func(t *testing.T) {
		behind := &forgetful{Store: memory.New()}
		store := openStore(t, "esdb://"+serve(t, behind, "127.0.0.1:0").address+"?tls=false")
		defer closeStore(t, store)
		done, err := store.Append(t.Context(), "a-1", events.NoStream, facts(3)...)
		if want := (events.Appended{Revision: 2, Position: 3}); err != nil || done != want {
			t.Errorf("%+v, %v; expected %+v", done, err, want)
		}
		if behind.tries != 2 {
			t.Errorf("%d tries", behind.tries)
		}
	})
	t.Run("is one if somebody else was first", func(t *testing.T) {
		behind := &forgetful{Store: memory.New()}
		behind.before = func(s *memory.Store) {
			if _, err := s.Append(t.Context(), "a-1", events.NoStream, facts(3)...); err != nil {
				t.Error(err)
			}
		}
		store := openStore(t, "esdb://"+serve(t, behind, "127.0.0.1:0").address+"?tls=false")
		defer closeStore(t, store)
		_, err := store.Append(t.Context(), "a-1", events.NoStream, facts(3)...)
		var wrong *events.WrongRevision
		if !errors.As(err, &wrong) || *wrong != (events.WrongRevision{Stream: "a-1", Expected: events.NoStream, Actual: 2}) {
			t.Errorf("error %v", err)
		}
	})
}

// refusing is a log that cannot be used, for a reason.
type refusing struct {
	*memory.Store
	reason error
}

func (r refusing) Append(context.Context, events.Stream, events.Revision, ...events.Record) (events.Appended, error) {
	return events.Appended{}, r.reason
}

func (r refusing) Read(context.Context, events.Stream, events.Revision, events.Direction, int) ([]events.Recorded, error) {
	return nil, r.reason
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	for _, reason := range []error{events.ErrFull, events.ErrTooLarge, events.ErrCorrupt} {
		t.Run(reason.Error(), func(t *testing.T) {
			behind := refusing{memory.New(), fmt.Errorf("behind: %w", reason)}
			store := openStore(t, "esdb://"+serve(t, behind, "127.0.0.1:0").address+"?tls=false")
			defer closeStore(t, store)
			if _, err := store.Append(t.Context(), "a-1", events.NoStream, facts(1)...); !errors.Is(err, reason) {
				t.Errorf("append: error %v", err)
			}
			if _, err := store.Read(t.Context(), "a-1", 0, events.Forwards, 1); reason == events.ErrCorrupt && !errors.Is(err, reason) {
				t.Errorf("read: error %v", err)
			}
		})
	}
}

func TestTheServersOwnEventsAreLeftOut(t *testing.T) {
	behind := memory.New()
	put := func(stream events.Stream, n int, kind string) {
		t.Helper()
		at := events.NoStream
		if last, err := behind.Read(t.Context(), stream, events.StreamEnd, events.Backwards, 1); err != nil {
			t.Fatal(err)
		} else if len(last) > 0 {
			at = last[0].Revision
		}
		rs := facts(n)
		for i := range rs {
			rs[i].Type = kind
		}
		if _, err := behind.Append(t.Context(), stream, at, rs...); err != nil {
			t.Fatal(err)
		}
	}
	put("$stats-1", 2500, "$statsCollected")
	put("a-1", 1, "Fact")
	put("$stats-1", 2500, "Fact") // whatever it is called
	put("b-1", 3000, "Fact")
	put("a-1", 1, "$>") // a link
	put("$stats-1", 2500, "$statsCollected")
	store := openStore(t, "esdb://"+serve(t, behind, "127.0.0.1:0").address+"?tls=false")
	defer closeStore(t, store)
	want := []events.Position{2501}
	for i := range 3000 {
		want = append(want, events.Position(5002+i))
	}
	t.Run("forwards", func(t *testing.T) {
		all, err := store.ReadAll(t.Context(), events.LogStart, events.Forwards, 1<<20)
		if diff := cmp.Diff(want, positions(all)); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("backwards", func(t *testing.T) {
		all, err := store.ReadAll(t.Context(), events.LogEnd, events.Backwards, 1<<20)
		slices.Reverse(all)
		if diff := cmp.Diff(want, positions(all)); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("at the head", func(t *testing.T) {
		if head, err := store.Head(t.Context()); err != nil || head != want[3000] {
			t.Errorf("%d, %v", head, err)
		}
	})
	t.Run("by a subscription", func(t *testing.T) {
		sub := store.Subscribe(events.LogStart)
		defer sub.Close()
		var got []events.Recorded
		for len(got) < len(want) {
			page, err := sub.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page...)
		}
		if diff := cmp.Diff(want, positions(got)); diff != "" {
			t.Error(diff)
		}
	})
}

func positions(es []events.Recorded) (ps []events.Position) {
	for _, e := range es {
		ps = append(ps, e.Position)
	}
	return ps
}
