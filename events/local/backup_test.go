package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/local"
)

func everything(t *testing.T, s *local.Store) []events.Recorded {
	t.Helper()
	es, err := s.ReadAll(t.Context(), events.LogStart, events.Forwards, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

// The directories may be named from where one is.
func TestABackupByRelativeNames(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openStore(t, "data")
	put(t, s, "a-1", events.NoStream, makeRecords(1, "fact")...)
	for _, to := range []string{"backups", "./deep/er", filepath.Join("..", filepath.Base(t.TempDir()))} {
		if _, err := local.Backup(t.Context(), "./data", to); err != nil {
			t.Errorf("into %s: %v", to, err)
			continue
		}
		if diff := cmp.Diff(everything(t, s), everything(t, openStore(t, to))); diff != "" {
			t.Errorf("into %s: %s", to, diff)
		}
	}
}

// A backup of a log that is in use holds what was acknowledged before, and what
// is in it is as it was, positions included. It is a log like any other.
func TestBackup(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "log")
	s := openWith(t, dir, local.Options{}.WithWALLimit(64<<10))
	for i := range 700 {
		put(t, s, events.Stream(fmt.Sprintf("a-%d", i%50)), events.Revision(i/50-1), makeRecords(1, fmt.Sprint("fact ", i))...)
	}
	put(t, s, "secret-1", events.NoStream, makeRecords(2, "the old secret")...)
	if err := s.Truncate(t.Context(), "secret-1", events.StreamEnd); err != nil {
		t.Fatal(err)
	}
	if err := s.Truncate(t.Context(), "a-7", 3); err != nil {
		t.Fatal(err)
	}
	want := everything(t, s)
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			put(t, s, events.Stream(fmt.Sprintf("late-%d", i)), events.NoStream, makeRecords(3, "late")...)
		}
	})
	last, err := local.Backup(t.Context(), dir, to)
	stop()
	load.Wait()
	if err != nil || last < head {
		t.Fatalf("position %d, %v", last, err)
	}

	restored := openStore(t, to)
	got := everything(t, restored)
	if n := len(got); n < len(want) || got[n-1].Position > last {
		t.Fatalf("it holds %d events up to %d, and the log had %d", n, got[n-1].Position, len(want))
	}
	if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(everything(t, s)[:len(got)], got); diff != "" {
		t.Error(diff)
	}
	put(t, restored, "a-7", 13, makeRecords(1, "goes on")...)
	put(t, restored, "secret-1", 1, makeRecords(1, "goes on")...)
	put(t, restored, "new-1", events.NoStream, makeRecords(1, "begins")...)
	for name, mode := range map[string]os.FileMode{"log.db": 0o600, "log.witness": 0o600, "": 0o700 | os.ModeDir} {
		if stat, err := os.Stat(filepath.Join(to, name)); err != nil || stat.Mode() != mode {
			t.Errorf("%q has mode %v, %v", name, stat.Mode(), err)
		}
	}
}

// What is erased while a backup is made is erased in it: nothing of it is left
// in its files. P9
func TestBackupWhileErasing(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "log")
	s := openStore(t, dir)
	put(t, s, "secret-1", events.NoStream, makeRecords(3, "the secret")...)
	put(t, s, "a-1", events.NoStream, makeRecords(3, "said before")...)
	err := local.BackupWith(t.Context(), dir, to, func() {
		put(t, s, "secret-1", 2, makeRecords(3, "the next secret")...)
		put(t, s, "late-1", events.NoStream, makeRecords(1, "late")...)
		for stream, before := range map[events.Stream]events.Revision{"secret-1": events.StreamEnd, "a-1": 2} {
			if err := s.Truncate(t.Context(), stream, before); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if file := readFile(t, filepath.Join(to, "log.db")); bytes.Contains(file, []byte("the secret")) {
		t.Error("the backup holds what is erased")
	}
	restored := openStore(t, to)
	if left := everything(t, restored); len(left) != 1 || left[0].Stream != "a-1" || left[0].Revision != 2 {
		t.Errorf("left are %v", left)
	}
	put(t, restored, "secret-1", 2, makeRecords(1, "goes on")...)
	put(t, restored, "a-1", 2, makeRecords(1, "goes on")...)
	if got := readStream(t, restored, "secret-1"); len(got) != 1 || got[0].Revision != 3 {
		t.Errorf("what is new in secret-1 reads as %v", got)
	}
}

func TestBackupOfALogThatNobodyUses(t *testing.T) {
	image := crashImage(t)
	t.Run("what a crash left in the -wal file is in it", func(t *testing.T) {
		dir, to := restore(t, image, func(map[string][]byte) {}), t.TempDir()
		if last, err := local.Backup(t.Context(), dir, to); err != nil || last != crashAppends {
			t.Errorf("position %d, %v", last, err)
		}
		if n := len(readStream(t, openStore(t, to), "fact-1")); n != crashAppends {
			t.Errorf("%d events", n)
		}
		if n := len(readStream(t, openStore(t, dir), "fact-1")); n != crashAppends {
			t.Errorf("%d events are left in the log itself", n)
		}
	})
	t.Run("one that has lost its end is not backed up, and left as it is", func(t *testing.T) {
		dir := restore(t, image, func(f map[string][]byte) { f["log.db-wal"] = f["log.db-wal"][:len(f["log.db-wal"])/2] })
		before := readFile(t, filepath.Join(dir, "log.db-wal"))
		if _, err := local.Backup(t.Context(), dir, t.TempDir()); !errors.Is(err, events.ErrCorrupt) {
			t.Errorf("error %v", err)
		}
		if !bytes.Equal(before, readFile(t, filepath.Join(dir, "log.db-wal"))) {
			t.Error("its -wal file was changed")
		}
		checkLost(t, dir)
	})
	t.Run("a backup that has lost its end is noticed", func(t *testing.T) {
		dir, to := restore(t, image, func(map[string][]byte) {}), t.TempDir()
		if _, err := local.Backup(t.Context(), dir, to); err != nil {
			t.Fatal(err)
		}
		tamper(t, filepath.Join(to, "log.db"), fmt.Sprintf("DELETE FROM events WHERE pos = %d", crashAppends))
		if _, err := local.Open(to, local.Options{}); !errors.Is(err, events.ErrCorrupt) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("there is none, or there is one already", func(t *testing.T) {
		if _, err := local.Backup(t.Context(), t.TempDir(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
		dir := restore(t, image, func(map[string][]byte) {})
		if _, err := local.Backup(t.Context(), dir, dir); !errors.Is(err, os.ErrExist) {
			t.Errorf("error %v", err)
		}
	})
}

// A backup of what is damaged would take the place of a good one.
func TestBackupOfADamagedLog(t *testing.T) {
	for rule, statement := range map[string]string{
		"data that changed on disk": "UPDATE events SET data = CAST('other data' AS BLOB) WHERE pos = 602",
		"an ID of another length":   "UPDATE events SET eid = zeroblob(3) WHERE pos = 602",
		"a type that changed":       "UPDATE events SET type = 'Other' WHERE pos = 602",
		"an event that is missing":  "DELETE FROM events WHERE pos = 602",
	} {
		t.Run(rule+" is noticed", func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir)
			put(t, s, "fact-1", events.NoStream, makeRecords(600, "some data")...)
			put(t, s, "fact-2", events.NoStream, makeRecords(600, "some data")...)
			if err := s.Truncate(t.Context(), "fact-1", 500); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			if _, err := local.Backup(t.Context(), dir, filepath.Join(t.TempDir(), "log")); err != nil {
				t.Fatal(err)
			}
			tamper(t, filepath.Join(dir, "log.db"), statement)
			_, err := local.Backup(t.Context(), dir, filepath.Join(t.TempDir(), "log"))
			if !errors.Is(err, events.ErrCorrupt) || !strings.Contains(err.Error(), "602") {
				t.Errorf("error %v", err)
			}
		})
	}
}
