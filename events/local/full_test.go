package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/events"
	"parley/events/local"
)

func TestFull(t *testing.T) {
	t.Run("a full database refuses appends, loses nothing and goes on when there is room", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		execute(t, s, "PRAGMA max_page_count=40")
		stored, refused := fillUp(t, s)
		checkRecords(t, s, "fact-1", stored)
		if err := s.Err(); err != nil {
			t.Fatalf("the store has failed: %v", err)
		}
		execute(t, s, "PRAGMA max_page_count=4000")
		put(t, s, "fact-1", events.Revision(len(stored)-1), refused)
		closeStore(t, s)
		checkRecords(t, openStore(t, dir), "fact-1", append(stored, refused))
	})
	t.Run("all appends of a batch without room are told so", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		execute(t, s, "PRAGMA max_page_count=40")
		fillUp(t, s)
		resume := s.Pause(t)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				stream := events.Stream(fmt.Sprintf("other-%d", i))
				_, err := s.Append(t.Context(), stream, events.NoStream, makeRecords(1, strings.Repeat("x", 10_000))...)
				if !errors.Is(err, events.ErrFull) {
					t.Errorf("error %v, expected ErrFull", err)
				}
				checkRecords(t, s, stream, nil)
			})
		}
		resume()
		wg.Wait()
	})
	t.Run("erasing works on a full database", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		execute(t, s, "PRAGMA max_page_count=40")
		fillUp(t, s)
		if err := s.Truncate(t.Context(), "fact-1", events.StreamEnd); err != nil {
			t.Error(err)
		}
		checkRecords(t, s, "fact-1", nil)
	})
}

// execute runs a statement on the connection that writes.
func execute(t *testing.T, s *local.Store, statement string) {
	t.Helper()
	if err := s.Execute(statement); err != nil {
		t.Fatal(err)
	}
}

// fillUp appends to a stream until there is no room, and returns what was
// stored and what was not.
func fillUp(t *testing.T, s *local.Store) (stored []events.Record, refused events.Record) {
	t.Helper()
	for {
		r := makeRecords(1, strings.Repeat("x", 10_000))[0]
		_, err := s.Append(t.Context(), "fact-1", events.Revision(len(stored)-1), r)
		if errors.Is(err, events.ErrFull) && len(stored) > 0 {
			return stored, r
		}
		if err != nil || len(stored) > 1000 {
			t.Fatalf("after %d appends: error %v, expected ErrFull", len(stored), err)
		}
		stored = append(stored, r)
	}
}

func TestOtherWriter(t *testing.T) {
	t.Run("a writer in the way is told, and harms nothing", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		execute(t, s, "PRAGMA busy_timeout=1")
		conn, err := connect(t, filepath.Join(dir, "log.db")).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		records := makeRecords(1, "some data")
		if _, err := s.Append(t.Context(), "fact-1", events.NoStream, records...); !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable", err)
		}
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		put(t, s, "fact-1", events.NoStream, records...)
		checkRecords(t, s, "fact-1", records)
	})
}

func TestWALSize(t *testing.T) {
	t.Run("a reader in the way lets the -wal file grow until it is gone", func(t *testing.T) {
		dir := t.TempDir()
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, nil))
		s := openWith(t, dir, local.Options{Logger: logger}.WithWALLimit(100_000))
		execute(t, s, "PRAGMA busy_timeout=1")
		grow(t, s, "fact-1", 1)
		end := beginReading(t, filepath.Join(dir, "log.db"))
		grow(t, s, "fact-2", 40)
		if size := walSize(t, dir); size < 400_000 {
			t.Errorf("the -wal file has %d bytes: the reader was not in the way", size)
		}
		end()
		grow(t, s, "fact-3", 20)
		if size := walSize(t, dir); size > 200_000 {
			t.Errorf("the -wal file has %d bytes still", size)
		}
		closeStore(t, s)
		if !strings.Contains(out.String(), "could not be emptied") {
			t.Errorf("nothing was said about it: %s", out.String())
		}
	})
	t.Run("our own readers do not keep the -wal file from being emptied", func(t *testing.T) {
		dir := t.TempDir()
		s := openWith(t, dir, local.Options{}.WithTail(1, 1).WithWALLimit(100_000))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if _, err := s.ReadAll(ctx, events.LogStart, events.Forwards, 100); err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
						return
					}
				}
			})
		}
		grow(t, s, "fact-1", 100)
		cancel()
		wg.Wait()
		if size := walSize(t, dir); size > 400_000 {
			t.Errorf("the -wal file has %d bytes after 1,000,000 were written", size)
		}
	})
}

// grow appends to a new stream n times 10,000 bytes.
func grow(t *testing.T, s *local.Store, stream events.Stream, n int) {
	t.Helper()
	for i := range n {
		put(t, s, stream, events.Revision(i-1), makeRecords(1, strings.Repeat("x", 10_000))...)
	}
}

func walSize(t *testing.T, dir string) int64 {
	t.Helper()
	wal, err := os.Stat(filepath.Join(dir, "log.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	return wal.Size()
}
