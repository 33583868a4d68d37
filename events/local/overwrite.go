package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/events"
)

// Overwrite implements [events.Store]. The bytes that were there are overwritten
// in the database and gone from the -wal file when it returns nil. What is said
// of [Store.Truncate] about copies and other readers holds here, too.
func (s *Store) Overwrite(ctx context.Context, stream events.Stream, with ...events.Replacement) error {
	own := make([]events.Replacement, len(with)) // the caller may go before the work is done
	for i, r := range with {
		own[i] = events.Replacement{Revision: r.Revision, Data: bytes.Clone(r.Data)}
	}
	if err := s.sequencer.do(ctx, func() error { return s.sequencer.overwrite(stream, own) }); err != nil {
		return fmt.Errorf("overwrite %s: %w", stream, err)
	}
	return nil
}

func (q *sequencer) overwrite(stream events.Stream, with []events.Replacement) error {
	changed, err := q.writer.replaced(stream, with)
	if err != nil {
		return err // nothing is written yet
	}
	if err := q.writer.overwrite(changed); err != nil {
		return q.judge(err)
	}
	q.tail.overwrite(changed)
	return q.forget()
}

// replaced gives those events that replacements change, as they will be.
func (w *writer) replaced(stream events.Stream, with []events.Replacement) (changed []events.Recorded, err error) {
	at, err := w.head(stream)
	if err != nil {
		return nil, describe(err)
	}
	for _, r := range with {
		e, err := w.event(at.id, stream, r.Revision)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it is erased, or never was
		}
		if err != nil {
			return nil, err
		}
		over, err := r.Over(e.Data)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(over, e.Data) {
			e.Data = over
			changed = append(changed, e)
		}
	}
	return changed, nil
}

// event reads one event. Errors: sql.ErrNoRows, too.
func (w *writer) event(id int64, stream events.Stream, revision events.Revision) (events.Recorded, error) {
	e := events.Recorded{Stream: stream, Revision: revision}
	const find = "SELECT pos, eid, type, meta, data, sum FROM events JOIN streams ON id = sid WHERE sid = ? AND rev = ? AND rev >= start"
	var position int64
	var eid, sum []byte
	err := w.conn.QueryRowContext(context.Background(), find, id, int64(revision)).
		Scan(&position, &eid, &e.Type, &e.Metadata, &e.Data, &sum)
	if err != nil {
		return e, describe(err)
	}
	e.Position = events.Position(position)
	if copy(e.ID[:], eid) != len(e.ID) || !bytes.Equal(sum, checksum(&e.Record)) {
		return e, fmt.Errorf("%w: event %d, position %d, is not what was written", events.ErrCorrupt, revision, position)
	}
	return e, nil
}

// overwrite writes the data of events where it stands already. No row changes
// its size, see schema.
func (w *writer) overwrite(changed []events.Recorded) error {
	if len(changed) == 0 {
		return nil
	}
	return w.write(func() error {
		for _, e := range changed {
			_, err := w.conn.ExecContext(context.Background(), "UPDATE events SET sum = ?, data = ? WHERE pos = ?",
				checksum(&e.Record), notNil(e.Data), int64(e.Position))
			if err != nil {
				return fmt.Errorf("overwrite event %d: %w", e.Revision, err)
			}
		}
		return nil
	})
}
