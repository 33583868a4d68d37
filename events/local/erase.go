package local

import (
	"context"
	"fmt"

	"parley/events"
)

// Truncate implements [events.Store]. The erased bytes are overwritten in the
// database and gone from the -wal file when it returns nil. Copies made by
// others (backups, file system snapshots) are theirs.
//
// It waits for readers of other programs only a moment; then it ends with an
// error that wraps ErrUnavailable, the events are gone from the log but may be
// left in its files, and erasing again finishes the work.
func (s *Store) Truncate(ctx context.Context, stream events.Stream, before events.Revision) error {
	err := s.sequencer.do(ctx, func() error { return s.sequencer.erase(stream, before) })
	if err != nil {
		return fmt.Errorf("erase %s: %w", stream, err)
	}
	return nil
}

func (q *sequencer) erase(stream events.Stream, before events.Revision) error {
	newest, err := q.writer.erase(stream, before)
	if err != nil {
		return q.judge(err)
	}
	q.tail.erase(stream, before, newest)
	return q.forget()
}

// forget empties the -wal file, so that what was overwritten is not in it any
// more. It is called also when there was nothing to overwrite: an earlier call
// may have failed here.
func (q *sequencer) forget() error {
	done, err := q.emptyWAL()
	if err != nil {
		return q.judge(err)
	}
	if !done {
		return fmt.Errorf("%w: another program is reading the database, which keeps the erased bytes in its -wal file; erase again later", events.ErrUnavailable)
	}
	return nil
}

// overwrite turns what events say into zeros of the same size. Position,
// revision, ID and time stay: nobody gets the same ones again, and a late retry
// of the append is still recognised.
const overwrite = `
UPDATE events SET json = 0,
	sum = zeroblob(length(sum)), meta = zeroblob(length(meta)), data = zeroblob(length(data)),
	type = CAST(zeroblob(octet_length(type)) AS TEXT)
`

// overwriteEvents does so to the events of a stream below a revision.
const overwriteEvents = overwrite + `WHERE sid = ? AND rev < ? AND rev >= (SELECT start FROM streams WHERE id = sid)`

// erase erases the events of a stream below a revision, and gives the position
// of the newest event that is left in the log.
func (w *writer) erase(stream events.Stream, before events.Revision) (newest events.Position, err error) {
	at, err := w.head(stream)
	if err != nil {
		return 0, err
	}
	before = min(before, at.revision+1)
	err = w.write(func() error {
		ctx := context.Background()
		if _, err := w.conn.ExecContext(ctx, overwriteEvents, at.id, int64(before)); err != nil {
			return fmt.Errorf("overwrite events: %w", err)
		}
		if _, err := w.conn.ExecContext(ctx, "UPDATE streams SET start = max(start, ?) WHERE id = ?", int64(before), at.id); err != nil {
			return fmt.Errorf("move the stream's start: %w", err)
		}
		newest, err = w.findNewest()
		return err
	})
	return newest, err
}
