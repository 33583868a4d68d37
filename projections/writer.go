package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"parley/events"
)

// writer owns the one connection that writes, and folds events through it.
type writer struct {
	db         *sql.DB
	connection *sql.Conn
	statements map[string]*sql.Stmt

	position events.Position
	origin   events.ID // of the log's first event
	newest   events.ID // of the event at the position

	// What is worth remembering between batches.
	deleted    map[string]bool // integrations that are gone
	deletedNow []string        // those of the fold under way
	subjects   known[int64]    // ID of a conversation → seq
	names      known[int64]    // name → number
	owed       known[events.Instant]
	metadata   metadataCache
	// leftover says that the files may hold what was erased.
	leftover bool
	// due gathers what streams owe after the batch.
	due map[events.Stream]events.Instant
	// used gathers what the batch adds to the usage.
	used map[usageDay]Usage
}

// known remembers rows that were read or written, up to a bound.
type known[V any] map[string]V

const maxKnown = 50_000

func (k known[V]) put(key string, value V) {
	if len(k) >= maxKnown {
		clear(k)
	}
	k[key] = value
}

// forget drops what is remembered: after a roll-back it may not be so.
func (w *writer) forget() {
	clear(w.subjects)
	clear(w.names)
	clear(w.owed)
	for _, id := range w.deletedNow {
		delete(w.deleted, id)
	}
}

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
		deleted: map[string]bool{}, subjects: known[int64]{}, names: known[int64]{}, owed: known[events.Instant]{},
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
		w.leftover = true // for all we know
		return w.resume(ctx)
	}
	return errOutdated
}

func (w *writer) resume(ctx context.Context) error {
	var origin, newest []byte
	err := w.connection.QueryRowContext(ctx, "SELECT position, origin, newest FROM checkpoint").Scan(&w.position, &origin, &newest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	copy(w.origin[:], origin)
	copy(w.newest[:], newest)
	types := events.Types()
	err = w.each(ctx, "SELECT type FROM passed_over", func(eventType string) error {
		if _, known := types[eventType]; known {
			return errOutdated
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.each(ctx, "SELECT id FROM deleted_integrations", func(id string) error {
		w.deleted[id] = true
		return nil
	})
}

// each calls a function for every text that a query gives.
func (w *writer) each(ctx context.Context, query string, do func(text string) error) error {
	rows, err := w.connection.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close() // read to the end below
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := do(text); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fold writes what a page of events comes to, and the position after it, in
// one transaction.
func (w *writer) fold(page []events.Recorded) (err error) {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.forget()
			_ = w.exec("ROLLBACK") // the error is on its way already
		}
	}()
	w.due, w.used, w.deletedNow = map[events.Stream]events.Instant{}, map[usageDay]Usage{}, nil
	for _, r := range page {
		if err := w.apply(r); err != nil {
			return fmt.Errorf("event %d (%s of %s): %w", r.Position, r.Type, r.Stream, err)
		}
		runtime.Gosched() // requests go first
	}
	for stream, due := range w.due {
		if err := w.owe(stream, due); err != nil {
			return err
		}
	}
	if err := w.addUsage(); err != nil {
		return err
	}
	if w.origin == (events.ID{}) {
		w.origin = page[0].ID
	}
	last := page[len(page)-1]
	err = w.exec("INSERT INTO checkpoint (one, position, origin, newest) VALUES (1, ?, ?, ?) "+
		"ON CONFLICT (one) DO UPDATE SET position = excluded.position, newest = excluded.newest", last.Position, w.origin[:], last.ID[:])
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err == nil {
		w.position, w.newest = last.Position, last.ID
	}
	return err
}

// owe writes when a stream owes work, if that is new.
func (w *writer) owe(stream events.Stream, due events.Instant) error {
	if was, ok := w.owed[string(stream)]; ok && was == due {
		return nil
	}
	w.owed.put(string(stream), due)
	if due == 0 {
		return w.exec("DELETE FROM owed WHERE stream = ?", string(stream))
	}
	return w.exec("INSERT INTO owed (stream, due) VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET due = excluded.due",
		string(stream), due)
}

// exec runs a statement, which is prepared once. It takes no context: a fold
// that has begun is finished, and one that can be cut off costs a goroutine for
// each statement.
func (w *writer) exec(query string, args ...any) error {
	s, err := w.statement(query)
	if err != nil {
		return err
	}
	_, err = s.Exec(args...)
	return err
}

func (w *writer) statement(query string) (*sql.Stmt, error) {
	if s, ok := w.statements[query]; ok {
		return s, nil
	}
	s, err := w.connection.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	w.statements[query] = s
	return s, nil
}

// number finds the row that a query gives for a text; 0 means that there is
// none.
func (w *writer) number(query, text string) (n int64, err error) {
	s, err := w.statement(query)
	if err != nil {
		return 0, err
	}
	if err = s.QueryRow(text).Scan(&n); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// text finds the text that a query gives; "" if there is none.
func (w *writer) text(query string, args ...any) (found string, err error) {
	s, err := w.statement(query)
	if err != nil {
		return "", err
	}
	if err = s.QueryRow(args...).Scan(&found); errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return found, err
}

// name gives the number that stands for a name, and makes one if need be.
func (w *writer) name(name string) (int64, error) {
	if n, ok := w.names[name]; ok {
		return n, nil
	}
	const find = "SELECT id FROM names WHERE name = ?"
	n, err := w.number(find, name)
	if err == nil && n == 0 {
		if err = w.exec("INSERT INTO names (name) VALUES (?)", name); err == nil {
			n, err = w.number(find, name)
		}
	}
	if err == nil {
		w.names.put(name, n)
	}
	return n, err
}
