package local

import (
	"context"
	"errors"
	"testing"

	"parley/events"
)

// WithTail bounds the events that are kept in memory.
func (o Options) WithTail(length, bytes int) Options {
	o.tailEvents, o.tailBytes = length, bytes
	return o
}

// WithWALLimit sets the size of the -wal file that calls for a checkpoint.
func (o Options) WithWALLimit(bytes int64) Options {
	o.walLimit = bytes
	return o
}

// Pause keeps the sequencer busy until resume is called.
func (s *Store) Pause(t testing.TB) (resume func()) {
	paused, end := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- s.sequencer.do(context.Background(), func() error {
			close(paused)
			<-end
			return nil
		})
	}()
	<-paused
	return func() {
		close(end)
		if err := <-ended; err != nil && !errors.Is(err, events.ErrClosed) {
			t.Error(err)
		}
	}
}

// Execute runs a statement on the connection that writes.
func (s *Store) Execute(statement string) error {
	return s.sequencer.do(context.Background(), func() error {
		_, err := s.sequencer.writer.conn.ExecContext(context.Background(), statement)
		return err
	})
}

// MakeDirWith is MakeDir, with another way to bring names to the disk.
func MakeDirWith(path string, sync func(string) error) error { return makeDirs(path, sync) }

// BackupWith is Backup, with something that happens after the events are copied
// and before their streams are.
func BackupWith(ctx context.Context, dir, to string, meanwhile func()) error {
	b, err := openBackup(ctx, dir, to)
	if err != nil {
		return err
	}
	if _, err = b.takeEvents(ctx); err == nil {
		meanwhile()
		err = b.takeStreams(ctx)
	}
	return errors.Join(err, b.close())
}
