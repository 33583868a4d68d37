package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"modernc.org/sqlite" // the database/sql driver "sqlite", too
	sqlite3 "modernc.org/sqlite/lib"

	"parley/events"
)

// Config is what a read model is made of.
type Config struct {
	// Path is the SQLite file; it and its directory are made if need be.
	Path  string
	Store events.Store
	// Slack is how far Recent may be behind the log, so that it need not be
	// asked each time; 0 asks each time.
	Slack time.Duration
	// Logger and Registerer may be nil.
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Model is one node's read model. Its queries may be called concurrently and
// see every event up to Position.
type Model struct {
	store   events.Store
	logger  *slog.Logger
	metrics *metrics
	path    string
	read    *sql.DB
	writer  *writer
	slack   time.Duration
	recent  recent

	mutex    sync.Mutex
	position events.Position
	moved    chan struct{}   // closed and replaced whenever position moves
	wanted   events.Position // the furthest that anybody asked for
	asked    chan struct{}   // holds one when somebody asked
}

// Open opens the file, or makes it anew when it is missing, damaged, of
// another version or folded from another log.
func Open(ctx context.Context, c Config) (*Model, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o700); err != nil {
		return nil, fmt.Errorf("make the read model's directory: %w", err)
	}
	m := &Model{store: c.Store, logger: c.Logger, path: c.Path, slack: c.Slack, moved: make(chan struct{}), asked: make(chan struct{}, 1)}
	m.recent.turn = make(chan struct{}, 1)
	err := m.open(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, events.ErrUnavailable) {
		c.Logger.Info("read model is folded anew", "file", c.Path, "reason", err)
		if err = m.reset(); err == nil {
			err = m.open(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the read model: %w", err)
	}
	m.metrics = newMetrics(c.Registerer, m)
	return m, nil
}

// errOutdated says why a file cannot be gone on with.
var errOutdated = errors.New("the file is of another version or another log")

func (m *Model) open(ctx context.Context) (err error) {
	dsn := "file:" + m.path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)" +
		"&_pragma=secure_delete(1)&_pragma=temp_store(memory)"
	m.writer, err = openWriter(ctx, dsn+"&_pragma=cache_size(-32768)")
	if err != nil {
		return err
	}
	if m.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)&_pragma=cache_size(-4096)"); err != nil {
		return errors.Join(err, m.writer.close())
	}
	m.read.SetMaxOpenConns(8)
	m.read.SetMaxIdleConns(8)
	if err := m.check(ctx); err != nil {
		return errors.Join(err, m.Close())
	}
	m.position = m.writer.position
	return nil
}

// check compares the file's log with the store's: a file that was folded from
// another log, or further than this log goes, is of no use. A log that was moved
// has the same events at other positions.
func (m *Model) check(ctx context.Context) error {
	if m.writer.position == events.LogStart {
		return nil
	}
	head, err := m.store.Head(ctx)
	if err != nil {
		return err
	}
	first, err := m.store.ReadAll(ctx, events.LogStart, events.Forwards, 1)
	if err != nil {
		return err
	}
	if head < m.writer.position || len(first) == 0 || first[0].ID != m.writer.origin {
		return errOutdated
	}
	newest, err := m.store.ReadAll(ctx, m.writer.position, events.Forwards, 1)
	if err == nil && (len(newest) == 0 || newest[0].Position != m.writer.position || newest[0].ID != m.writer.newest) {
		err = errOutdated
	}
	return err
}

func (m *Model) reset() error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(m.path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close closes the file. Run must have ended.
func (m *Model) Close() error { return errors.Join(m.read.Close(), m.writer.close()) }

// Run folds the log until the context ends, and then returns nil. A log that is
// unavailable is waited for. An error means that the read model cannot go on.
func (m *Model) Run(ctx context.Context) error {
	subscription := m.store.Subscribe(m.Position())
	defer subscription.Close() // nothing is lost by it
	for {
		page, err := m.next(ctx, subscription)
		if err == nil {
			err = m.fold(ctx, page)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("fold the log: %w", err)
		}
		m.metrics.folded.Add(float64(len(page)))
		m.move(page[len(page)-1].Position)
		m.pause(ctx, len(page))
	}
}

// next reads on, and tries again for as long as the log is unavailable.
func (m *Model) next(ctx context.Context, s events.Subscription) ([]events.Recorded, error) {
	for away := false; ; {
		page, err := s.Next(ctx)
		switch {
		case err == nil && away:
			m.logger.Info("the log is folded again", "position", uint64(m.Position()))
			return page, nil
		case !errors.Is(err, events.ErrUnavailable):
			return page, err
		case !away:
			away = true
			m.logger.Warn("the log is not folded while it is unavailable", "position", uint64(m.Position()), "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(whenAway):
		}
	}
}

// whenAway is the time between tries to read a log that is unavailable.
const whenAway = time.Second

// fold folds a page, and tries again for as long as the disk is full: nothing of
// it is written then, and the log itself goes on refusing what finds no room.
func (m *Model) fold(ctx context.Context, page []events.Recorded) error {
	for {
		err := m.writer.fold(page)
		if err == nil {
			m.forgetErased()
		}
		if !isFull(err) {
			return err
		}
		m.logger.Error("read model is not folded: the disk is full", "position", uint64(m.Position()), "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(whenFull):
		}
	}
}

// forgetErased sees to it that the file forgets what was erased. What is in its
// way now may be gone after the next page.
func (m *Model) forgetErased() {
	if err := m.writer.forgetErased(m.path); err != nil {
		m.logger.Warn("read model may hold what was erased until its next change", "file", m.path, "err", err)
	}
}

// whenFull is the time between tries on a full disk.
const whenFull = time.Second

func isFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// unasked is how long the read model lets the log grow while nobody waits for
// it: one transaction for many events costs less than many for few.
const unasked = 20 * time.Millisecond

// pause waits until somebody asks for more than is folded, or a moment. A full
// page means that there is more already.
func (m *Model) pause(ctx context.Context, folded int) {
	if folded >= fullPage {
		return
	}
	timer := time.NewTimer(unasked)
	defer timer.Stop()
	for {
		m.mutex.Lock()
		behind := m.wanted > m.position
		m.mutex.Unlock()
		if behind {
			return
		}
		select {
		case <-m.asked:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// fullPage is a number of events that is worth a transaction.
const fullPage = 256

func (m *Model) move(to events.Position) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.position = to
	close(m.moved)
	m.moved = make(chan struct{})
}

// Position is how far the log is folded.
func (m *Model) Position() events.Position {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.position
}

// Moved gives how far the log is folded, and a channel that is closed once it is
// folded further.
func (m *Model) Moved() (events.Position, <-chan struct{}) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.position, m.moved
}

// Wait returns when the log is folded up to a position, or with the context's
// error.
func (m *Model) Wait(ctx context.Context, position events.Position) error {
	for {
		m.mutex.Lock()
		reached, moved := m.position >= position, m.moved
		m.wanted = max(m.wanted, position)
		m.mutex.Unlock()
		if reached {
			return nil
		}
		select {
		case m.asked <- struct{}{}:
		default:
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Until returns when a condition holds, or with its or the context's error. The
// condition is looked at again whenever more of the log is folded.
func (m *Model) Until(ctx context.Context, holds func(ctx context.Context) (bool, error)) error {
	for {
		next := m.Position() + 1
		if is, err := holds(ctx); is || err != nil {
			return err
		}
		if err := m.Wait(ctx, next); err != nil {
			return err
		}
	}
}

// CatchUp waits for everything that is in the log now.
func (m *Model) CatchUp(ctx context.Context) error {
	head, err := m.store.Head(ctx)
	if err != nil {
		return fmt.Errorf("find the log's end: %w", err)
	}
	return m.Wait(ctx, head)
}

// ErrBeyond says that a position is after the end of the log.
var ErrBeyond = errors.New("the log does not go that far")

// Reach is Wait for a position that somebody names. Errors: ErrBeyond, too.
func (m *Model) Reach(ctx context.Context, position events.Position) error {
	if m.Position() >= position {
		return nil
	}
	switch head, err := m.store.Head(ctx); {
	case err != nil:
		return fmt.Errorf("find the log's end: %w", err)
	case head < position:
		return ErrBeyond
	}
	return m.Wait(ctx, position)
}
