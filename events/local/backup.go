package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parley/events"
)

// Backup copies the log in a directory into another, which must not hold one,
// and gives the position up to which it holds everything: at least the last that
// was acknowledged when it began. The log may be in use by another process. The
// copy is a log like any other, positions and erased places included, and it is
// on the disk when Backup returns. What is erased meanwhile is erased in it; what
// is overwritten meanwhile, either way.
//
// It reads a few milliseconds at a time and then pauses as long. A reader keeps
// the -wal file from being emptied, and appends and erasing may wait for that.
//
// An error that wraps ErrCorrupt says that the log is damaged: every event is
// checked as it is copied.
func Backup(ctx context.Context, dir, to string) (events.Position, error) {
	last, err := backUp(ctx, dir, to)
	if err != nil {
		return 0, fmt.Errorf("back up the event log in %s: %w", dir, describe(err))
	}
	return last, nil
}

func backUp(ctx context.Context, dir, to string) (last events.Position, err error) {
	b, err := openBackup(ctx, dir, to)
	if err != nil {
		return 0, err
	}
	last, err = b.takeEvents(ctx)
	if err == nil {
		err = b.takeStreams(ctx)
	}
	if err = errors.Join(err, b.close()); err != nil {
		return 0, err
	}
	if err := syncFile(filepath.Join(to, "log.db")); err != nil {
		return 0, err
	}
	return last, testify(filepath.Join(to, "log.witness"), last)
}

// testify makes the witness of a copy, so that one of which the end is lost is
// noticed as with any log.
func testify(path string, last events.Position) error {
	w, _, known, err := openWitness(path)
	if err != nil {
		return err
	}
	if known {
		return errors.Join(errors.New("there is a witness already"), w.close())
	}
	err = errors.Join(w.record(last), w.file.Sync(), w.close())
	return errors.Join(err, syncDir(filepath.Dir(path)))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// backup is a new database that has the log of a directory at its side, under
// the name "log".
type backup struct {
	dir  string
	path string
	db   *sql.DB
	conn *sql.Conn
	// synced is the size that was on the disk, in bytes.
	synced int64
}

func openBackup(ctx context.Context, dir, to string) (*backup, error) {
	to, err := filepath.Abs(to) // a database's address begins at the root
	if err != nil {
		return nil, err
	}
	log, path := filepath.Join(dir, "log.db"), filepath.Join(to, "log.db")
	if _, err := os.Stat(log); err != nil {
		return nil, err // SQLite would make one
	}
	if err := MakeDir(to); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// Nobody sees the copy before it is whole, so it needs no journal.
	db, err := openDB(path, "busy_timeout(10000)", "journal_mode(OFF)", "synchronous(OFF)", "secure_delete(ON)", "cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	b := &backup{dir: dir, path: path, db: db}
	if b.conn, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := b.attach(ctx, log); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// attach puts the log at the side of the new database, to be read only: whoever
// owns it also empties its -wal file.
func (b *backup) attach(ctx context.Context, log string) error {
	log, err := filepath.Abs(log)
	if err != nil {
		return err
	}
	address := (&url.URL{Scheme: "file", Path: log, RawQuery: "mode=ro"}).String()
	if _, err := b.conn.ExecContext(ctx, "ATTACH ? AS log", address); err != nil {
		return err
	}
	var application, version int
	if err := b.conn.QueryRowContext(ctx, "PRAGMA log.application_id").Scan(&application); err != nil {
		return err
	}
	if err := b.conn.QueryRowContext(ctx, "PRAGMA log.user_version").Scan(&version); err != nil {
		return err
	}
	if application != applicationID || version != schemaVersion {
		return fmt.Errorf("it is not of the schema that this program knows: version %d of application %d", version, application)
	}
	return createTables(ctx, b.conn)
}

func (b *backup) close() error { return errors.Join(b.conn.Close(), b.db.Close()) }

// takeEvents copies the events that there are, and gives the last position.
func (b *backup) takeEvents(ctx context.Context) (events.Position, error) {
	seen, err := testimony(filepath.Join(b.dir, "log.witness"))
	if err != nil {
		return 0, err
	}
	last, err := b.number(ctx, "SELECT coalesce(max(pos), 0) FROM log.events")
	if err != nil {
		return 0, err
	}
	if seen > events.Position(last) {
		return 0, fmt.Errorf("%w: it ends at position %d, but positions up to %d were acknowledged", events.ErrCorrupt, last, seen)
	}
	return events.Position(last), b.pages(ctx, last, copyEvents, b.check)
}

// takeStreams copies the streams of the events that were copied before. So it
// learns what was erased meanwhile.
func (b *backup) takeStreams(ctx context.Context) error {
	last, err := b.number(ctx, "SELECT coalesce(max(sid), 0) FROM main.events")
	if err != nil {
		return err
	}
	if err := b.pages(ctx, last, copyStreams, func(context.Context, int64, int64) error { return nil }); err != nil {
		return err
	}
	_, err = b.conn.ExecContext(ctx, eraseCopied)
	return err
}

// check checks that the events behind a position and up to another are all
// there, and are what was written. A damaged one is not to take the place of a
// good one in an earlier backup.
func (b *backup) check(ctx context.Context, from, to int64) (err error) {
	const ask = "SELECT pos, eid, type, meta, data, sum FROM main.events WHERE pos > ? AND pos <= ? ORDER BY pos"
	rows, err := b.conn.QueryContext(ctx, ask, from, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for from++; rows.Next(); from++ {
		var r events.Record
		var position int64
		var id, sum []byte
		if err := rows.Scan(&position, &id, &r.Type, &r.Metadata, &r.Data, &sum); err != nil {
			return err
		}
		if position != from {
			break
		}
		erased := bytes.Equal(sum, make([]byte, len(sum))) // see overwrite
		if copy(r.ID[:], id) != len(id) || len(id) != len(r.ID) || !erased && !bytes.Equal(sum, checksum(&r)) {
			return fmt.Errorf("%w: the event at position %d is not what was written", events.ErrCorrupt, position)
		}
	}
	if from <= to && rows.Err() == nil {
		return fmt.Errorf("%w: there is no event at position %d", events.ErrCorrupt, from)
	}
	return rows.Err()
}

// testimony is what a witness says, LogStart if there is none.
func testimony(path string) (events.Position, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return events.LogStart, nil
	}
	w, seen, _, err := openWitness(path)
	if err != nil {
		return 0, err
	}
	return seen, w.close()
}

const copyEvents = `
INSERT INTO main.events (pos, sid, rev, stored, json, sum, eid, type, meta, data)
SELECT pos, sid, rev, stored, json, sum, eid, type, meta, data FROM log.events WHERE pos > ? AND pos <= ?`

// copyStreams leaves a stream's beginning within what was copied of it: it may
// have gone on since, and all of it may be erased.
const copyStreams = `
INSERT INTO main.streams (id, name, start)
SELECT id, name, min(start, (SELECT rev + 1 FROM main.events WHERE sid = id ORDER BY rev DESC LIMIT 1))
FROM log.streams WHERE id > ? AND id <= ?`

// eraseCopied erases what was erased after it was copied.
const eraseCopied = overwrite + `
WHERE sid IN (SELECT id FROM streams WHERE start > 0) AND rev < (SELECT start FROM streams WHERE id = sid)
	AND sum <> zeroblob(length(sum))`

func (b *backup) number(ctx context.Context, ask string) (n int64, err error) {
	return n, b.conn.QueryRowContext(ctx, ask).Scan(&n)
}

const (
	// readTime is how long the log is read at once, more or less.
	readTime = 10 * time.Millisecond
	// firstRows and mostRows bound the rows that are read at once.
	firstRows = 256
	mostRows  = 1 << 14
	// syncBytes is how much is brought to the disk at once. The log's own syncs
	// wait meanwhile.
	syncBytes = 4 << 20
)

// pages runs a statement over all numbers up to a last one, some at a time, and
// checks each time what it has done.
func (b *backup) pages(ctx context.Context, last int64, statement string, check func(ctx context.Context, from, to int64) error) error {
	rows := int64(firstRows)
	for from := int64(0); from < last; {
		to := min(from+rows, last)
		began := time.Now()
		if _, err := b.conn.ExecContext(ctx, statement, from, to); err != nil {
			return err
		}
		took := time.Since(began)
		if err := errors.Join(check(ctx, from, to), b.sync()); err != nil {
			return err
		}
		from = to
		switch {
		case took > 2*readTime:
			rows = max(rows/2, 1)
		case took < readTime/2:
			rows = min(2*rows, mostRows)
		}
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sync brings the copy to the disk, once it has grown enough.
func (b *backup) sync() error {
	stat, err := os.Stat(b.path)
	if err != nil || stat.Size() < b.synced+syncBytes {
		return err
	}
	b.synced = stat.Size()
	return syncFile(b.path)
}
