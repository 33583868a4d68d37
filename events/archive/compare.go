package archive

import (
	"context"
	"errors"
	"fmt"

	"parley/events"
)

// side is a log that is read beside another.
type side struct {
	*cursor
	event events.Recorded // the next one
	ok    bool            // there is one
	sum   *digest
}

func newSide(ctx context.Context, store events.Store) (*side, error) {
	c, err := newCursor(ctx, store, events.LogStart)
	if err != nil {
		return nil, err
	}
	s := &side{cursor: c, sum: newDigest()}
	return s, nil
}

// step goes to the next event that moves.
func (s *side) step(ctx context.Context) (err error) {
	for {
		if s.event, s.ok, err = s.next(ctx); err != nil || !s.ok || !isSystem(s.event) {
			return err
		}
	}
}

// compare reads both logs whole, side by side. again says that something was
// erased or overwritten in the target, as it is in the log, and that they are to
// be compared once more.
func (c *copier) compare(ctx context.Context) (again bool, err error) {
	log, err := newSide(ctx, c.from)
	if err != nil {
		return false, err
	}
	log.head = c.head // what came since is not copied
	target, err := newSide(ctx, c.to)
	if err != nil {
		return false, err
	}
	if err := errors.Join(log.step(ctx), target.step(ctx)); err != nil {
		return false, err
	}
	c.copied.Events = 0
	for log.ok || target.ok {
		if log.ok && target.ok && same(log.event, target.event) {
			log.sum.add(log.event)
			target.sum.add(target.event)
			c.copied.Events++
			c.tell(Progress{Comparing: true, Events: c.copied.Events, At: log.event.Position, Head: c.head})
			err = errors.Join(log.step(ctx), target.step(ctx))
		} else {
			again = true
			err = c.reconcile(ctx, log, target)
		}
		if err != nil {
			return false, err
		}
	}
	if c.copied.Sum = log.sum.String(); !again && c.copied.Sum != target.sum.String() {
		return false, fmt.Errorf("%w: its sum is %s, and not %s", ErrForeign, target.sum, log.sum)
	}
	return again, nil
}

// reconcile goes past what differs, if the log has overwritten or erased it:
// since it was copied, or under our hands.
func (c *copier) reconcile(ctx context.Context, log, target *side) error {
	if e := log.event; log.ok && target.ok && alike(e, target.event) {
		err := c.to.Overwrite(ctx, e.Stream, events.Replacement{Revision: e.Revision, Data: e.Data})
		if errors.Is(err, events.ErrFixed) {
			return fmt.Errorf("event %d of %s was overwritten since it was copied: copy the log anew, into an empty one: %w", e.Revision, e.Stream, err)
		}
		return errors.Join(err, log.step(ctx), target.step(ctx))
	}
	if target.ok {
		gone, err := c.isErased(ctx, target.event)
		if err != nil {
			return err
		}
		if gone {
			begin, err := beginOf(ctx, c.from, target.event.Stream)
			if err == nil {
				err = c.erase(ctx, target.event.Stream, begin)
			}
			return errors.Join(err, target.step(ctx))
		}
	}
	if log.ok {
		held, err := eventAt(ctx, c.from, log.event)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			return log.step(ctx)
		}
	}
	if target.ok {
		held, err := eventAt(ctx, c.from, target.event)
		if err != nil || len(held) == 0 || !same(held[0], target.event) {
			return errors.Join(err, foreign(target.event))
		}
	}
	return fmt.Errorf("%w: its stream %s has no event %d where the log has it", ErrForeign, log.event.Stream, log.event.Revision)
}
