package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/events"
)

// writer owns the one connection that writes, and folds events through it.
type writer struct {
	db         *sql.DB
	connection *sql.Conn
	statements map[string]*sql.Stmt

	position events.Position
	origin   events.ID // of the log's first event

	// What is worth remembering between batches, and what one batch gathers.
	deleted map[string]bool  // integrations that are gone
	conv    map[string]int64 // conversation ID → seq, bounded
	batch   batch
}

// batch gathers what would be written again and again within one transaction.
type batch struct {
	owed    map[events.Stream]events.Instant
	touched map[int64]events.Instant // conversation seq → updated
}

const maxKnownConversations = 50_000

func openWriter(ctx context.Context, dsn string) (*writer, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	connection, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{
		db: db, connection: connection, statements: map[string]*sql.Stmt{},
		deleted: map[string]bool{}, conv: map[string]int64{},
	}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) close() error {
	for _, s := range w.statements {
		_ = s.Close() // the connection goes next
	}
	return errors.Join(w.connection.Close(), w.db.Close())
}

// prepare makes the schema in an empty file, or reads where an older one stands.
func (w *writer) prepare(ctx context.Context) error {
	var found int
	if err := w.connection.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	switch found {
	case 0:
		_, err := w.connection.ExecContext(ctx, "BEGIN;"+schema+fmt.Sprintf("PRAGMA user_version = %d; COMMIT", version))
		return err
	case version:
		return w.resume(ctx)
	}
	return errOutdated
}

func (w *writer) resume(ctx context.Context) error {
	var origin []byte
	err := w.connection.QueryRowContext(ctx, "SELECT position, origin FROM checkpoint").Scan(&w.position, &origin)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	copy(w.origin[:], origin)
	rows, err := w.connection.QueryContext(ctx, "SELECT id FROM deleted_integrations")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // read to the end below
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		w.deleted[id] = true
	}
	return rows.Err()
}

// fold writes what a page of events comes to, and the position after it, in
// one transaction.
func (w *writer) fold(ctx context.Context, page []events.Recorded) (err error) {
	if err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			clear(w.conv)
			_ = w.exec(context.WithoutCancel(ctx), "ROLLBACK") // the error is on its way already
		}
	}()
	w.batch = batch{owed: map[events.Stream]events.Instant{}, touched: map[int64]events.Instant{}}
	for _, r := range page {
		if err := w.apply(ctx, r); err != nil {
			return fmt.Errorf("event %d (%s of %s): %w", r.Position, r.Type, r.Stream, err)
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	if w.origin == (events.ID{}) {
		w.origin = page[0].ID
	}
	last := page[len(page)-1].Position
	err = w.exec(ctx, "INSERT INTO checkpoint (one, position, origin) VALUES (1, ?, ?) "+
		"ON CONFLICT (one) DO UPDATE SET position = excluded.position", last, w.origin[:])
	if err == nil {
		err = w.exec(ctx, "COMMIT")
	}
	if err == nil {
		w.position = last
	}
	return err
}

// flush writes what the batch gathered.
func (w *writer) flush(ctx context.Context) error {
	for stream, due := range w.batch.owed {
		var err error
		if due == 0 {
			err = w.exec(ctx, "DELETE FROM owed WHERE stream = ?", stream)
		} else {
			err = w.exec(ctx, "INSERT INTO owed (stream, due) VALUES (?, ?) "+
				"ON CONFLICT (stream) DO UPDATE SET due = excluded.due", stream, due)
		}
		if err != nil {
			return err
		}
	}
	for seq, at := range w.batch.touched {
		if err := w.exec(ctx, "UPDATE conversations SET updated = ? WHERE seq = ?", at, seq); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a statement, which is prepared once.
func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	s, err := w.statement(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

func (w *writer) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := w.statements[query]; ok {
		return s, nil
	}
	s, err := w.connection.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	w.statements[query] = s
	return s, nil
}
