package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// mover moves pages from the -wal file into the database on a connection of
// its own while the sequencer goes on committing. What is left for the
// sequencer's own checkpoint then is what was written meanwhile: it keeps
// appends waiting for a moment, not for a whole checkpoint.
type mover struct {
	db *sql.DB
	// moved holds the outcome of the move under way; it is nil if there is none.
	moved chan error
}

func openMover(path string) (*mover, error) {
	db, err := openDB(path, "busy_timeout(0)", "synchronous(FULL)", "wal_autocheckpoint(0)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &mover{db: db}, nil
}

// start begins a move.
func (m *mover) start() {
	moved := make(chan error, 1)
	m.moved = moved
	go func() { moved <- m.move() }()
}

// busy reports that a move is under way.
func (m *mover) busy() bool { return m.moved != nil && len(m.moved) == 0 }

// wait waits for the move under way, if there is one.
func (m *mover) wait() error {
	if m.moved == nil {
		return nil
	}
	err := <-m.moved
	m.moved = nil
	return err
}

func (m *mover) move() error {
	var busy, frames, moved int
	row := m.db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	if err := row.Scan(&busy, &frames, &moved); err != nil && !harmless(err) {
		return fmt.Errorf("move pages into the database: %w", err)
	}
	return nil
}

func (m *mover) close() error { return errors.Join(m.wait(), m.db.Close()) }
