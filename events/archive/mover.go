package archive

import (
	"context"
	"errors"
	"fmt"

	"parley/events"
)

// taker is a store that takes events over as another log holds them, of many
// streams in one step, with the times at which they were stored first. A stream
// that has nothing may begin at any revision, and what is there already is left.
type taker interface {
	Take(ctx context.Context, es []events.Recorded) error
}

// mover puts events into a log, in their order.
type mover struct {
	store events.Store
	taker taker // nil if the store is none
	// begins says of a stream that comes with a revision first whether that is
	// its beginning, so that what is before is erased.
	begins func(ctx context.Context, stream events.Stream, first events.Revision) (bool, error)
	// mayErase says of an event before a stream's beginning whether it may go.
	mayErase func(events.Recorded) bool

	seen    map[events.Stream]bool
	waiting []events.Recorded
	size    int
	count   int // of those that are put in
}

func newMover(store events.Store) *mover {
	m := &mover{store: store, seen: map[events.Stream]bool{}}
	m.taker, _ = store.(taker)
	return m
}

// most is how many events are put in together.
const most = 500

func (m *mover) take(ctx context.Context, e events.Recorded) error {
	if !m.joins(e) {
		if err := m.flush(ctx); err != nil {
			return err
		}
	}
	if !m.seen[e.Stream] && e.Revision > events.StreamStart {
		if err := m.prepare(ctx, e.Stream, e.Revision); err != nil {
			return fmt.Errorf("use up the erased revisions of %s: %w", e.Stream, err)
		}
	}
	m.seen[e.Stream] = true
	m.waiting, m.size = append(m.waiting, e), m.size+e.Size()
	return nil
}

// joins reports that an event can be put in together with those that wait.
func (m *mover) joins(e events.Recorded) bool {
	n := len(m.waiting)
	if n == 0 || n == most || m.size+e.Size() > events.MaxAppend {
		return n == 0
	}
	last := m.waiting[n-1]
	return m.taker != nil || e.Stream == last.Stream && e.Revision == last.Revision+1
}

func (m *mover) flush(ctx context.Context) error {
	if len(m.waiting) == 0 {
		return nil
	}
	if err := m.put(ctx); err != nil {
		return err
	}
	m.count += len(m.waiting)
	m.waiting, m.size = nil, 0
	return nil
}

func (m *mover) put(ctx context.Context) error {
	if m.taker != nil {
		return m.taker.Take(ctx, m.waiting)
	}
	first := m.waiting[0]
	records := make([]events.Record, len(m.waiting))
	for i, e := range m.waiting {
		records[i] = e.Record
	}
	if _, err := m.store.Append(ctx, first.Stream, first.Revision-1, records...); err != nil {
		return fmt.Errorf("events from %d on of %s: %w", first.Revision, first.Stream, err)
	}
	return nil
}

// prepare makes a stream ready for a revision, if what is before is erased.
func (m *mover) prepare(ctx context.Context, stream events.Stream, first events.Revision) error {
	if begins, err := m.begins(ctx, stream, first); err != nil || !begins {
		return err
	}
	old, err := m.store.Read(ctx, stream, events.StreamStart, events.Forwards, 1)
	if err != nil {
		return err
	}
	if len(old) > 0 {
		switch {
		case old[0].Revision >= first:
			return nil // it was put in before
		case !m.mayErase(old[0]):
			return &events.WrongRevision{Stream: stream, Expected: events.NoStream, Actual: old[0].Revision}
		}
		if err := m.store.Truncate(ctx, stream, first); err != nil {
			return err
		}
	}
	if m.taker != nil {
		return nil
	}
	return m.useUp(ctx, stream, first)
}

// filler is the type of the events that use up revisions. Nobody reads them.
const filler = "Erased"

func fillerID(stream events.Stream, n events.Revision) events.ID {
	return events.IDOf(stream, filler, int(n))
}

func isFiller(e events.Recorded) bool {
	return e.Type == filler && e.ID == fillerID(e.Stream, e.Revision)
}

// useUp uses up the revisions of a stream below one, and erases them.
func (m *mover) useUp(ctx context.Context, stream events.Stream, before events.Revision) error {
	for at := events.NoStream; at < before-1; {
		var records []events.Record
		for n := at + 1; n < before && len(records) < most; n++ {
			records = append(records, events.Record{ID: fillerID(stream, n), Type: filler, Metadata: []byte("{}")})
		}
		_, err := m.store.Append(ctx, stream, at, records...)
		if wrong := (*events.WrongRevision)(nil); errors.As(err, &wrong) && wrong.Actual > at {
			at = wrong.Actual // an earlier run did
			continue
		}
		if err != nil {
			return err
		}
		at += events.Revision(len(records))
	}
	return m.store.Truncate(ctx, stream, before)
}
