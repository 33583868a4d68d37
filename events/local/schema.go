package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"modernc.org/sqlite"

	"parley/events"
)

const (
	// applicationID marks the file as ours: "PRLY".
	applicationID = 0x50524c59
	// schemaVersion is the newest schema that this code reads and writes.
	schemaVersion = 1
)

// schema creates version 1. Rows of events stand in the order of their
// positions; UNIQUE (sid, rev) finds a stream's events, and is a guard of its
// own against two events with the same revision.
//
// No row of events is ever deleted or changes its size. SQLite then never moves
// one to another page, which could leave a copy of it behind: an erased event
// is one whose row was overwritten in place, and other data take the place of
// what was as long.
const schema = `
CREATE TABLE streams (
	id    INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE,
	start INTEGER NOT NULL DEFAULT 0 -- events with lower revisions are erased
) STRICT;
CREATE TABLE events (
	pos    INTEGER PRIMARY KEY,
	sid    INTEGER NOT NULL REFERENCES streams (id),
	rev    INTEGER NOT NULL,
	stored INTEGER NOT NULL, -- microseconds since 1970
	json   INTEGER NOT NULL,
	sum    BLOB NOT NULL,    -- CRC-32C of eid, type, meta and data
	eid    BLOB NOT NULL,
	type   TEXT NOT NULL,
	meta   BLOB NOT NULL,
	data   BLOB NOT NULL,
	UNIQUE (sid, rev)
) STRICT;
`

// openDB makes connections to the database file. Each one runs the pragmas.
func openDB(path string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": pragmas, "_dqs": {"0"}}
	connector, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// closeStatements closes those that were prepared. An open one would keep its
// connection, and with it the files, open for ever.
func closeStatements(statements ...*sql.Stmt) error {
	var errs []error
	for _, s := range statements {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// prepareSchema makes sure that the file is a log of a version that we know,
// and makes an empty file one. It changes nothing in any other file.
func prepareSchema(ctx context.Context, conn *sql.Conn) error {
	var application, version, tables int
	const ask = "SELECT (SELECT * FROM pragma_application_id), (SELECT * FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)"
	if err := conn.QueryRowContext(ctx, ask).Scan(&application, &version, &tables); err != nil {
		return fmt.Errorf("read the schema's version: %w", describe(err))
	}
	switch {
	case application == 0 && version == 0 && tables == 0:
		return createSchema(ctx, conn)
	case application != applicationID:
		return fmt.Errorf("it is a database of another program (application_id %d)", application)
	case version > schemaVersion:
		return fmt.Errorf("a newer Parley wrote it: its schema is version %d, and this program knows versions up to %d", version, schemaVersion)
	case version < 1:
		return fmt.Errorf("%w: schema version %d never existed", events.ErrCorrupt, version)
	}
	return useWAL(ctx, conn)
}

func createSchema(ctx context.Context, conn *sql.Conn) error {
	if err := useWAL(ctx, conn); err != nil {
		return err
	}
	return createTables(ctx, conn)
}

func createTables(ctx context.Context, conn *sql.Conn) error {
	create := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", schema, applicationID, schemaVersion)
	if _, err := conn.ExecContext(ctx, create); err != nil {
		return fmt.Errorf("create the schema: %w", describe(err))
	}
	return nil
}

// useWAL turns write-ahead logging on; the file remembers it.
func useWAL(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return fmt.Errorf("turn write-ahead logging on: %w", describe(err))
	}
	if mode != "wal" {
		return fmt.Errorf("write-ahead logging is not possible here: journal mode is %s", mode)
	}
	return nil
}
