package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
)

// Options say where a store reports to. The zero Options are fine.
type Options struct {
	// Logger gets what an operator should know. nil logs nothing.
	Logger *slog.Logger
	// Metrics gets the store's metrics for as long as it is open. nil counts
	// in vain.
	Metrics prometheus.Registerer

	// tailEvents and tailBytes bound what is kept in memory; 0 is the default.
	tailEvents, tailBytes int
	// walLimit is the size of the -wal file, in bytes, that calls for a
	// checkpoint; 0 is the default.
	walLimit int64
}

func (o Options) withDefaults() Options {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.tailEvents = cmp.Or(o.tailEvents, 8192)
	o.tailBytes = cmp.Or(o.tailBytes, 32<<20)
	// Up to about 16 MiB SQLite's index of the -wal file does not grow. That
	// could fail on a full disk when it is too late to refuse an append.
	o.walLimit = cmp.Or(o.walLimit, 8<<20)
	return o
}

// Store is an event log in a directory. Make it with Open.
type Store struct {
	lock      *os.File
	reader    *reader
	sequencer *sequencer
	tail      *tail
	metrics   *metrics
	// reading is held by every read, so that Close waits for them.
	reading sync.RWMutex
	close   func() error
}

var _ events.Store = (*Store)(nil)

// Open opens the event log in a directory, and makes both if they are not
// there. The directory must be on a local disk and belongs to the log.
//
// An error that wraps ErrCorrupt says that the log is damaged, or that
// acknowledged events at its end are missing, and what can be done. One that
// wraps ErrInUse says that another process has it open.
func Open(dir string, opts Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	s := new(Store)
	s.close = sync.OnceValue(s.shutDown)
	if err := s.open(dir, opts.withDefaults()); err != nil {
		return nil, fmt.Errorf("open event log in %s: %w", dir, errors.Join(err, s.release()))
	}
	go s.sequencer.run()
	return s, nil
}

func (s *Store) open(dir string, opts Options) (err error) {
	if err := MakeDir(dir); err != nil {
		return err
	}
	if s.lock, err = lockDir(dir); err != nil {
		return err
	}
	if s.metrics, err = newMetrics(opts.Metrics); err != nil {
		return err
	}
	path := filepath.Join(dir, "log.db")
	if err := makePrivate(path); err != nil {
		return err
	}
	q := newSequencer(path, s.metrics, opts)
	s.sequencer = q
	if q.writer, err = openWriter(path); err != nil {
		return err
	}
	if q.mover, err = openMover(path); err != nil {
		return err
	}
	if err := q.openWitness(filepath.Join(dir, "log.witness")); err != nil {
		return err
	}
	// This also empties a -wal file that a crash left behind.
	if err := q.checkpoint(); err != nil {
		return err
	}
	if s.reader, err = openReader(path, &q.paging); err != nil {
		return err
	}
	newest, err := q.writer.findNewest()
	if err != nil {
		return describe(err)
	}
	s.tail = newTail(q.writer.last, newest, opts.tailEvents, opts.tailBytes)
	q.tail = s.tail
	q.logger.Info("event log opened", "path", dir, "position", q.writer.last)
	return syncDir(dir)
}

// MakeDir makes a directory, and those above it that are missing, for their
// owner alone. All their names are on the disk when it returns.
func MakeDir(path string) error { return makeDirs(filepath.Clean(path), syncDir) }

func makeDirs(path string, sync func(string) error) error {
	above := filepath.Dir(path)
	err := os.Mkdir(path, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist) && above != path:
		if err := makeDirs(above, sync); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return sync(above)
}

// makePrivate makes an empty file that only its owner may read, unless there is
// one already. SQLite takes an empty file for an empty database, and gives the
// files beside it the same permissions.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Head implements [events.Store].
func (s *Store) Head(ctx context.Context) (events.Position, error) {
	if err := s.usable(ctx); err != nil {
		return events.LogStart, err
	}
	return s.tail.newest(), nil
}

// Failed is closed when a write went wrong in a way that leaves it unknown what
// is on the disk. The store then refuses to write for good, and still reads.
// The process should end, so that the next one starts from what is there.
func (s *Store) Failed() <-chan struct{} { return s.sequencer.failure.done }

// Err tells why Failed is closed; it wraps ErrUnavailable and the cause. It is
// nil before.
func (s *Store) Err() error { return s.sequencer.failure.error() }

// Close implements [events.Store]. Appends that are being committed are
// finished. Closing again is no error.
func (s *Store) Close() error { return s.close() }

func (s *Store) shutDown() error {
	close(s.sequencer.closing)
	<-s.sequencer.stopped
	s.reading.Lock()
	defer s.reading.Unlock()
	if err := s.release(); err != nil {
		return fmt.Errorf("close event log: %w", err)
	}
	return nil
}

// release gives back whatever was opened. The lock goes last.
func (s *Store) release() error {
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.close())
	}
	if s.sequencer != nil {
		errs = append(errs, s.sequencer.release())
	}
	if s.metrics != nil {
		s.metrics.unregister()
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// failure remembers the first error after which nothing can be written.
type failure struct {
	mu    sync.Mutex
	cause error
	done  chan struct{} // closed once there is a cause
}

func newFailure() *failure { return &failure{done: make(chan struct{})} }

func (f *failure) set(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cause == nil {
		f.cause = cause
		close(f.done)
	}
}

// error tells why nothing can be written, or gives nil.
func (f *failure) error() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cause == nil {
		return nil
	}
	return fmt.Errorf("%w: writing stopped for good: %w", events.ErrUnavailable, f.cause)
}

// or calls write unless writing has failed before.
func (f *failure) or(write func() error) error {
	if err := f.error(); err != nil {
		return err
	}
	return write()
}
