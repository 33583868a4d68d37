package local

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/events"
)

// Take stores events that another log holds, of any streams, as they are there:
// at their revisions, with their IDs and the times at which they were stored
// first. Positions are this log's own. All are stored, in their order, or none,
// and they are durable when it returns. Events that are here already are left.
//
// A stream that has no event, or none any more, may begin at any revision; what
// is before counts as erased. Where a stream is otherwise than an event needs
// it, or another event is in its place, the answer is a *[events.WrongRevision].
func (s *Store) Take(ctx context.Context, es []events.Recorded) error {
	es = own(slices.Clone(es))
	if err := s.sequencer.do(ctx, func() error { return s.sequencer.take(es) }); err != nil {
		return fmt.Errorf("take events over: %w", err)
	}
	return nil
}

func (q *sequencer) take(es []events.Recorded) error {
	added, err := q.writer.take(es)
	var wrong *events.WrongRevision
	switch {
	case errors.As(err, &wrong):
		return wrong
	case err != nil:
		return q.judge(err)
	}
	if err := q.witness.record(q.writer.last); err != nil {
		q.failure.set(err)
	}
	q.tail.publish(added)
	q.metrics.committed(len(added), q.writer.last)
	q.checkpointIfDue()
	return nil
}

// take stores those events that are not there yet, in one transaction, and
// gives them with their positions.
func (w *writer) take(es []events.Recorded) (added []events.Recorded, err error) {
	err = w.write(func() error {
		for _, e := range es {
			e.Position = w.last + events.Position(len(added)) + 1
			isNew, err := w.takeOne(&e)
			if err != nil {
				return fmt.Errorf("take event %d of %s: %w", e.Revision, e.Stream, err)
			}
			if isNew {
				added = append(added, e)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := len(added); n > 0 {
		w.last = added[n-1].Position
	}
	return added, nil
}

func (w *writer) takeOne(e *events.Recorded) (isNew bool, err error) {
	at, err := w.head(e.Stream)
	if err != nil {
		return false, err
	}
	switch {
	case e.Revision <= at.revision:
		return false, w.checkHeld(e, at)
	case at.id == 0 || e.Revision > at.revision+1:
		if at, err = w.beginAt(e, at); err != nil {
			return false, err
		}
	}
	at.revision = e.Revision
	if err := w.insert(at.id, e); err != nil {
		return false, err
	}
	w.heads.put(e.Stream, at)
	return true, nil
}

// checkHeld checks that an event is in its place already.
func (w *writer) checkHeld(e *events.Recorded, at head) error {
	retry := &job{stream: e.Stream, expected: e.Revision - 1, records: []events.Record{e.Record}}
	_, found, err := w.earlier(retry, at)
	if err == nil && !found {
		err = &events.WrongRevision{Stream: e.Stream, Expected: e.Revision - 1, Actual: at.revision}
	}
	return err
}

// beginAt lets a stream begin with an event, unless there is something before.
func (w *writer) beginAt(e *events.Recorded, at head) (head, error) {
	ctx := context.Background()
	if at.id == 0 {
		created, err := w.addStream.Exec(string(e.Stream))
		if err != nil {
			return at, err
		}
		if at.id, err = created.LastInsertId(); err != nil {
			return at, err
		}
	} else {
		var start events.Revision
		if err := w.conn.QueryRowContext(ctx, "SELECT start FROM streams WHERE id = ?", at.id).Scan(&start); err != nil {
			return at, err
		}
		if start <= at.revision {
			return at, &events.WrongRevision{Stream: e.Stream, Expected: e.Revision - 1, Actual: at.revision}
		}
	}
	if e.Revision == events.StreamStart {
		return at, nil
	}
	_, err := w.conn.ExecContext(ctx, "UPDATE streams SET start = ? WHERE id = ?", int64(e.Revision), at.id)
	return at, err
}
