package archive

import (
	"context"
	"fmt"
	"strings"

	"parley/events"
)

// page is how many events are read at a time.
const page = 512

// lingerer is a store whose whole log may show events that are erased, and that
// their streams do not show any more. An EventStoreDB does, until a scavenge.
type lingerer interface {
	Lingers() bool
}

// cursor goes through a log in its order, as far as the log went when the cursor
// was made. What is erased is left out.
type cursor struct {
	store events.Store
	head  events.Position
	// last is the position of the event before, LogStart at the beginning.
	last events.Position
	page []events.Recorded
	over bool
	// begins are the first revisions of streams, where erased events linger;
	// else it is nil.
	begins map[events.Stream]events.Revision
}

// newCursor makes a cursor that goes on behind an event; LogStart is the
// beginning.
func newCursor(ctx context.Context, store events.Store, after events.Position) (*cursor, error) {
	head, err := store.Head(ctx)
	if err != nil {
		return nil, err
	}
	c := &cursor{store: store, head: head, last: after}
	if l, ok := store.(lingerer); ok && l.Lingers() {
		c.begins = map[events.Stream]events.Revision{}
	}
	return c, nil
}

// next gives the next event; ok is false at the end.
func (c *cursor) next(ctx context.Context) (e events.Recorded, ok bool, err error) {
	for {
		if len(c.page) == 0 {
			if err := c.turn(ctx); err != nil || len(c.page) == 0 {
				return events.Recorded{}, false, err
			}
		}
		e, c.page = c.page[0], c.page[1:]
		if e.Position > c.head {
			c.page, c.over = nil, true
			return events.Recorded{}, false, nil
		}
		c.last = e.Position
		if gone, err := c.isErased(ctx, e); err != nil || !gone {
			return e, err == nil, err
		}
	}
}

// turn reads the next page. It is empty at the end.
func (c *cursor) turn(ctx context.Context) error {
	if c.over {
		return nil
	}
	es, err := c.store.ReadAll(ctx, c.last, events.Forwards, page)
	if err != nil {
		return err
	}
	c.over = len(es) < page
	if len(es) > 0 && c.last > events.LogStart && es[0].Position == c.last {
		es = es[1:] // it is known
	}
	if c.page = es; len(es) == 0 && !c.over {
		return fmt.Errorf("%w: the log does not go on behind position %d", events.ErrCorrupt, c.last)
	}
	return nil
}

// isErased reports that an event only lingers.
func (c *cursor) isErased(ctx context.Context, e events.Recorded) (bool, error) {
	if c.begins == nil {
		return false, nil
	}
	begin, known := c.begins[e.Stream]
	if !known {
		var err error
		if begin, err = beginOf(ctx, c.store, e.Stream); err != nil {
			return false, err
		}
		c.begins[e.Stream] = begin
	}
	return e.Revision < begin, nil
}

// beginOf gives the first revision of a stream that is not erased, StreamEnd if
// there is none.
func beginOf(ctx context.Context, store events.Store, stream events.Stream) (events.Revision, error) {
	first, err := store.Read(ctx, stream, events.StreamStart, events.Forwards, 1)
	if err != nil || len(first) == 0 {
		return events.StreamEnd, err
	}
	return first[0].Revision, nil
}

// walk calls a function for every event of a log, in order, as far as the log
// went when it began.
func walk(ctx context.Context, store events.Store, each func(events.Recorded) error) error {
	c, err := newCursor(ctx, store, events.LogStart)
	if err != nil {
		return err
	}
	for {
		e, ok, err := c.next(ctx)
		if err != nil || !ok {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// isSystem reports that an event is an EventStoreDB's own, such as a stream's
// metadata. A log that was served as one has some. They do not move: what they
// say of erasing is done to the streams, and another store writes its own.
func isSystem(e events.Recorded) bool {
	return strings.HasPrefix(string(e.Stream), "$") || strings.HasPrefix(e.Type, "$")
}
