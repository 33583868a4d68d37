package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"sync"

	"parley/events"
)

const (
	// readerCount bounds the connections that read.
	readerCount = 8
	// pageRows bounds what one query reads. Between queries the connection
	// holds no read transaction, so that the -wal file can be emptied.
	pageRows = 512
)

// reader is the read side of the database. It may be used concurrently.
type reader struct {
	db *sql.DB
	// paging is held while a query runs.
	paging *sync.RWMutex

	streamForwards, streamBackwards *sql.Stmt
	logForwards, logBackwards       *sql.Stmt
}

func openReader(path string, paging *sync.RWMutex) (*reader, error) {
	db, err := openDB(path, "query_only(ON)", "busy_timeout(5000)", "cache_size(-4096)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readerCount)
	db.SetMaxIdleConns(readerCount)
	r := &reader{db: db, paging: paging}
	const from = `SELECT pos, name, rev, stored, json, sum, eid, type, meta, data FROM events JOIN streams ON id = sid WHERE rev >= start AND `
	for prepared, rest := range map[**sql.Stmt]string{
		&r.streamForwards:  "name = ? AND rev >= ? AND pos <= ? ORDER BY rev LIMIT ?",
		&r.streamBackwards: "name = ? AND rev <= ? AND pos <= ? ORDER BY rev DESC LIMIT ?",
		&r.logForwards:     "pos >= ? AND pos <= ? ORDER BY pos LIMIT ?",
		&r.logBackwards:    "pos < ? ORDER BY pos DESC LIMIT ?",
	} {
		if *prepared, err = db.Prepare(from + rest); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", rest, describe(err)), r.close())
		}
	}
	return r, nil
}

func (r *reader) close() error {
	err := closeStatements(r.streamForwards, r.streamBackwards, r.logForwards, r.logBackwards)
	return errors.Join(err, r.db.Close())
}

// anySize is room for events of whatever size.
const anySize = math.MaxInt

// page runs a query and verifies what it gives, up to the event that fills the
// room in bytes. It takes no context: the query is short, and a connection that
// is interrupted would be thrown away.
func (r *reader) page(room int, query *sql.Stmt, args ...any) (page []events.Recorded, err error) {
	r.paging.RLock()
	defer r.paging.RUnlock()
	rows, err := query.Query(args...)
	if err != nil {
		return nil, describe(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for room > 0 && rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		page, room = append(page, e), room-e.Size()
	}
	return page, describe(rows.Err())
}

func scan(rows *sql.Rows) (events.Recorded, error) {
	var e events.Recorded
	var position int64
	var sum, id []byte
	err := rows.Scan(&position, &e.Stream, &e.Revision, &e.Stored, &e.JSON, &sum, &id, &e.Type, &e.Metadata, &e.Data)
	if err != nil {
		return e, describe(err)
	}
	e.Position = events.Position(position)
	if len(id) != len(e.ID) || copy(e.ID[:], id) != len(id) || !bytes.Equal(sum, checksum(&e.Record)) {
		return e, fmt.Errorf("%w: event %d of stream %s, position %d, is not what was written",
			events.ErrCorrupt, e.Revision, e.Stream, e.Position)
	}
	return e, nil
}

// Read implements [events.Store]. An event whose checksum is wrong, or that is
// missing between two others, is an ErrCorrupt that names it.
func (s *Store) Read(ctx context.Context, stream events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	last, _ := s.tail.watch()
	query, step := s.reader.streamForwards, events.Revision(1)
	if dir == events.Backwards {
		query, step = s.reader.streamBackwards, -1
	}
	read, err := s.pages(ctx, limit, func(n int) ([]events.Recorded, error) {
		page, err := s.reader.page(anySize, query, string(stream), int64(from), int64(last), n)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		from = page[len(page)-1].Revision + step
		return page, checkSteps(page, step)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	return read, nil
}

// checkSteps checks that no revision is missing within a page. Between two
// pages some may be: they may have been erased meanwhile.
func checkSteps(page []events.Recorded, step events.Revision) error {
	for i := 1; i < len(page); i++ {
		if want := page[i-1].Revision + step; page[i].Revision != want {
			return fmt.Errorf("%w: event %d of stream %s is missing", events.ErrCorrupt, want, page[i].Stream)
		}
	}
	return nil
}

// ReadAll implements [events.Store]. An event whose checksum is wrong is an
// ErrCorrupt that names it.
func (s *Store) ReadAll(ctx context.Context, from events.Position, dir events.Direction, limit int) ([]events.Recorded, error) {
	last, _ := s.tail.watch()
	from = min(from, last+1)
	read, err := s.pages(ctx, limit, func(n int) (page []events.Recorded, err error) {
		if dir == events.Backwards {
			page, err = s.reader.page(anySize, s.reader.logBackwards, int64(from), n)
		} else {
			page, err = s.forwards(from, last, n, anySize)
		}
		if err != nil || len(page) == 0 {
			return nil, err
		}
		from = page[len(page)-1].Position
		if dir == events.Forwards {
			from++
		}
		return page, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return read, nil
}

// forwards reads up to n events from a position to a last one, and no more than
// there is room for in bytes but for the last of them; from memory if it can.
func (s *Store) forwards(from, last events.Position, n, room int) ([]events.Recorded, error) {
	if page, ok := s.tail.from(from, n, room); ok {
		return own(page), nil
	}
	return s.reader.page(room, s.reader.logForwards, int64(from), int64(last), n)
}

// pages calls next for up to limit events, page by page, until a page is short.
// It keeps the store open meanwhile, unless the store is being closed.
func (s *Store) pages(ctx context.Context, limit int, next func(n int) ([]events.Recorded, error)) ([]events.Recorded, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	var read []events.Recorded
	for {
		if err := s.usable(ctx); err != nil {
			return nil, err
		}
		n := min(limit-len(read), pageRows)
		if n <= 0 {
			return read, nil
		}
		page, err := next(n)
		if err != nil {
			return nil, err
		}
		read = append(read, page...)
		if len(page) < n {
			return read, nil
		}
	}
}

// usable tells why a call cannot be served.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.sequencer.closing:
		return events.ErrClosed
	default:
		return ctx.Err()
	}
}

// own copies what events point to, in one piece, so that the reader may change
// it. It changes the events themselves in place.
func own(es []events.Recorded) []events.Recorded {
	size := 0
	for i := range es {
		size += len(es[i].Data) + len(es[i].Metadata)
	}
	space := make([]byte, 0, size)
	for i := range es {
		es[i].Data, space = carve(space, es[i].Data)
		es[i].Metadata, space = carve(space, es[i].Metadata)
	}
	return es
}

// carve puts a copy of b at the end of space, and gives the copy and the rest.
func carve(space, b []byte) (copied, rest []byte) {
	space = append(space, b...)
	n := len(b)
	return space[:n:n], space[n:]
}
