package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/events"
)

// writer is the connection that writes. Only the sequencer uses it. It takes no
// context: a write that has begun is finished.
type writer struct {
	db   *sql.DB
	conn *sql.Conn

	begin, commit, rollback *sql.Stmt
	findHead, findIDs       *sql.Stmt
	addStream, addEvent     *sql.Stmt

	heads heads
	// last is the last position given to a durable event.
	last events.Position
}

// openWriter opens the database, and makes it if it is not there.
func openWriter(path string) (*writer, error) {
	db, err := openDB(path,
		"busy_timeout(250)", // milliseconds, for other programs
		"synchronous(FULL)",
		"secure_delete(ON)",
		"wal_autocheckpoint(0)", // that would hide its errors
		"cache_size(-8192)",
	)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db, heads: newHeads(headLimit)}
	if w.conn, err = db.Conn(context.Background()); err != nil {
		return nil, errors.Join(describe(err), db.Close())
	}
	if err := w.prepare(context.Background()); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) prepare(ctx context.Context) error {
	if err := prepareSchema(ctx, w.conn); err != nil {
		return err
	}
	statements := []struct {
		prepared **sql.Stmt
		query    string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
		{&w.findHead, "SELECT id, (SELECT rev FROM events WHERE sid = id ORDER BY rev DESC LIMIT 1) FROM streams WHERE name = ?"},
		{&w.findIDs, "SELECT rev, pos, eid FROM events WHERE sid = ? AND rev > ? ORDER BY rev LIMIT ?"},
		{&w.addStream, "INSERT INTO streams (name) VALUES (?)"},
		{&w.addEvent, `INSERT INTO events (pos, sid, rev, stored, json, sum, eid, type, meta, data)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
	}
	for _, s := range statements {
		var err error
		if *s.prepared, err = w.conn.PrepareContext(ctx, s.query); err != nil {
			return fmt.Errorf("prepare %q: %w", s.query, describe(err))
		}
	}
	var last int64
	if err := w.conn.QueryRowContext(ctx, "SELECT coalesce(max(pos), 0) FROM events").Scan(&last); err != nil {
		return fmt.Errorf("find the end of the log: %w", describe(err))
	}
	w.last = events.Position(last)
	return nil
}

// findNewest gives the position of the newest event that is not erased.
func (w *writer) findNewest() (events.Position, error) {
	var newest int64
	const ask = "SELECT pos FROM events CROSS JOIN streams ON id = sid WHERE rev >= start ORDER BY pos DESC LIMIT 1"
	err := w.conn.QueryRowContext(context.Background(), ask).Scan(&newest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("find the newest event: %w", err)
	}
	return events.Position(newest), nil
}

// write runs f in a transaction. An error of f, or of the commit, rolls it back.
func (w *writer) write(f func() error) error {
	if _, err := w.begin.Exec(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := f()
	if err == nil {
		if _, err = w.commit.Exec(); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	w.heads.forget()
	// SQLITE_ERROR says that SQLite has rolled back by itself.
	if _, undo := w.rollback.Exec(); undo != nil && code(undo) != sqlite3.SQLITE_ERROR {
		return fmt.Errorf("roll back after %v: %w", err, undo)
	}
	return err
}

// head finds where a stream ends.
func (w *writer) head(s events.Stream) (head, error) {
	if at, ok := w.heads.get(s); ok {
		return at, nil
	}
	var at head
	switch err := w.findHead.QueryRow(string(s)).Scan(&at.id, &at.revision); {
	case errors.Is(err, sql.ErrNoRows):
		return head{revision: events.NoStream}, nil
	case err != nil:
		return head{}, fmt.Errorf("find the end of %s: %w", s, err)
	}
	w.heads.put(s, at)
	return at, nil
}

// checkpoint moves what the -wal file holds into the database and empties it.
// done is false when another program reads the file.
//
// The file is emptied each time, not only reused. Damage in it can then undo
// the latest commits, never mix old pages with newer ones.
func (w *writer) checkpoint() (done bool, err error) {
	var busy, frames, moved int
	row := w.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := row.Scan(&busy, &frames, &moved); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	return busy == 0, nil
}

// keepWAL makes close leave the -wal file as it is, for somebody to look at.
func (w *writer) keepWAL() error {
	return w.conn.Raw(func(c any) error {
		_, err := c.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
}

func (w *writer) close() error {
	err := closeStatements(w.begin, w.commit, w.rollback, w.findHead, w.findIDs, w.addStream, w.addEvent)
	return errors.Join(err, w.conn.Close(), w.db.Close())
}

// code is SQLite's primary result code in an error, or SQLITE_OK when the
// error is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sqlite3.SQLITE_OK
	}
	return e.Code() & 0xff
}

// describe adds what an error of SQLite means to the store's callers.
func describe(err error) error {
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", events.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", events.ErrCorrupt, err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w: another program has locked the database: %w", events.ErrUnavailable, err)
	}
	return err
}

// harmless tells that after this error of a write it is known that nothing was
// stored: the disk was full, or another program had locked the database.
func harmless(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_FULL || c == sqlite3.SQLITE_BUSY
}
