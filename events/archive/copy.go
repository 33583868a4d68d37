package archive

import (
	"context"
	"errors"
	"fmt"

	"parley/events"
)

// ErrForeign says that the log to copy into holds something else, or that it is
// no longer what was copied.
var ErrForeign = errors.New("the target is not a copy of this log")

// Progress tells how far a copy has come.
type Progress struct {
	// Comparing says that everything is copied, and both logs are read anew.
	Comparing bool
	// Events are those of this step so far.
	Events int
	// At of Head is how far it has come in the log that is copied.
	At, Head events.Position
}

// Copied is what a copy came to.
type Copied struct {
	// New are the events that this run put into the target, Events all that
	// both logs hold.
	New, Events int
	// Sum is the SHA-256 of them, see Report.
	Sum string
}

// Copy puts all events of a log into another, as far as the log goes when it
// begins, and then reads both anew, side by side, to see that they are the same.
// The target has nothing in it, or what earlier runs put there: a copy that was
// interrupted at any moment is gone on with by another, which finds out by the
// target's newest event where, and one whose log has grown copies the rest.
// What the log has erased or overwritten since an earlier run is so in the target,
// too; an EventStoreDB cannot overwrite, and the copy begins anew elsewhere.
//
// Kept are streams, revisions, order, IDs and every byte; the times of storing,
// if the target can keep them. System events do not move. tell hears how it goes.
// Errors: ErrForeign, wrapped, with the stream that is otherwise.
func Copy(ctx context.Context, from, to events.Store, tell func(Progress)) (Copied, error) {
	c := copier{from: from, to: to, tell: tell, erased: map[events.Stream]events.Revision{}}
	after, err := c.reached(ctx)
	if err != nil {
		return Copied{}, fmt.Errorf("look where the copy stopped: %w", err)
	}
	if err := c.move(ctx, after); err != nil {
		return c.copied, err
	}
	for range comparisons {
		again, err := c.compare(ctx)
		if err != nil {
			return c.copied, fmt.Errorf("compare the logs: %w", err)
		}
		if !again {
			return c.copied, nil
		}
	}
	return c.copied, errors.New("compare the logs: events are erased all the time; copy again")
}

// comparisons bounds how often the logs are compared anew since something was
// erased meanwhile.
const comparisons = 10

// copier copies a log.
type copier struct {
	from, to events.Store
	tell     func(Progress)
	// head is how far the log went at the beginning.
	head   events.Position
	copied Copied
	// erased says below which revisions streams of the target were erased here.
	erased map[events.Stream]events.Revision
}

// reached finds the newest event of the target that the log holds, and gives its
// position there: everything up to it was copied before. It is LogStart for a
// target that has nothing; one that has nothing of this log is foreign.
func (c *copier) reached(ctx context.Context) (events.Position, error) {
	var unknown error
	for before := events.LogEnd; ; {
		es, err := c.to.ReadAll(ctx, before, events.Backwards, page)
		if err != nil || len(es) == 0 {
			return events.LogStart, errors.Join(err, unknown)
		}
		for _, e := range es {
			before = e.Position
			here, err := eventAt(ctx, c.to, e)
			if err != nil {
				return 0, err
			}
			if len(here) == 0 || isSystem(e) || isFiller(e) {
				continue // it is erased, or will be, or is not ours
			}
			at, found, err := c.find(ctx, e)
			if err != nil || found {
				return at, err
			}
			unknown = foreign(e)
		}
	}
}

// find gives the position of the target's event in the log. It is not found if
// it is erased there.
func (c *copier) find(ctx context.Context, e events.Recorded) (at events.Position, found bool, err error) {
	held, err := eventAt(ctx, c.from, e)
	if err != nil {
		return 0, false, err
	}
	if len(held) > 0 && alike(held[0], e) {
		return held[0].Position, true, nil
	}
	gone, err := c.isErased(ctx, e)
	if err == nil && !gone {
		err = foreign(e)
	}
	return 0, false, err
}

func foreign(e events.Recorded) error {
	return fmt.Errorf("%w: its stream %s holds an event %d that is not from there", ErrForeign, e.Stream, e.Revision)
}

// eventAt reads a log's event of the same stream and revision, if there is one.
func eventAt(ctx context.Context, store events.Store, e events.Recorded) ([]events.Recorded, error) {
	held, err := store.Read(ctx, e.Stream, e.Revision, events.Forwards, 1)
	if err != nil || len(held) == 0 || held[0].Revision != e.Revision {
		return nil, err
	}
	return held, nil
}

// isErased reports that an event of the target is erased in the log, or only
// lingers in the target.
func (c *copier) isErased(ctx context.Context, e events.Recorded) (bool, error) {
	if here, err := eventAt(ctx, c.to, e); err != nil || len(here) == 0 {
		return err == nil, err
	}
	begin, err := beginOf(ctx, c.from, e.Stream)
	if err != nil || begin != events.StreamEnd {
		return begin > e.Revision, err
	}
	last, err := lastOf(ctx, c.from, e.Stream)
	return last >= e.Revision, err
}

// lastOf gives the last revision of a stream of which everything is erased, or
// NoStream if it never was. A store has no question for that; the refusal of an
// append that is impossible tells.
func lastOf(ctx context.Context, store events.Store, stream events.Stream) (events.Revision, error) {
	_, err := store.Append(ctx, stream, events.StreamEnd, events.Record{Type: "impossible"})
	var wrong *events.WrongRevision
	if errors.As(err, &wrong) {
		return wrong.Actual, nil
	}
	return events.NoStream, err
}

// erase erases the target's stream below a revision, once.
func (c *copier) erase(ctx context.Context, stream events.Stream, before events.Revision) error {
	if c.erased[stream] >= before {
		return nil
	}
	c.erased[stream] = before
	return c.to.Truncate(ctx, stream, before)
}

// move copies what comes behind a position.
func (c *copier) move(ctx context.Context, after events.Position) error {
	log, err := newCursor(ctx, c.from, after)
	if err != nil {
		return err
	}
	c.head = log.head
	m := newMover(c.to)
	m.mayErase = func(events.Recorded) bool { return true } // the target is a copy
	m.begins = func(ctx context.Context, stream events.Stream, first events.Revision) (bool, error) {
		begin, err := beginOf(ctx, c.from, stream)
		return begin >= first, err
	}
	for {
		e, ok, err := log.next(ctx)
		if err == nil && ok && !isSystem(e) {
			err = m.take(ctx, e)
		}
		if err == nil && !ok {
			err = m.flush(ctx)
		}
		c.copied.New = m.count
		if wrong := (*events.WrongRevision)(nil); errors.As(err, &wrong) {
			return fmt.Errorf("%w: its stream %s is at revision %d: %w", ErrForeign, wrong.Stream, wrong.Actual, err)
		}
		if err != nil || !ok {
			return err
		}
		c.tell(Progress{Events: m.count, At: e.Position, Head: c.head})
	}
}
