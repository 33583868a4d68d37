package local_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"parley/events"
	"parley/events/local"
)

func TestOpen(t *testing.T) {
	t.Run("a directory that is not there is made", func(t *testing.T) {
		s := openStore(t, filepath.Join(t.TempDir(), "deep", "log"))
		if head, err := s.Head(t.Context()); err != nil || head != events.LogStart {
			t.Errorf("head %d, %v; expected LogStart", head, err)
		}
	})
	t.Run("a directory that is made is on the disk, and those above it", func(t *testing.T) {
		above := t.TempDir()
		var synced []string
		err := local.MakeDirWith(filepath.Join(above, "a", "b", "log"), func(path string) error {
			synced = append(synced, path)
			return nil
		})
		if diff := cmp.Diff([]string{above, filepath.Join(above, "a"), filepath.Join(above, "a", "b")}, synced); diff != "" || err != nil {
			t.Errorf("%v, synced (-want +got):\n%s", err, diff)
		}
	})
	t.Run("any name will do for a directory", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "50% of?a=b&c #1 größe")
		s := openStore(t, dir)
		records := makeRecords(2, "some data")
		put(t, s, "fact-1", events.NoStream, records...)
		checkRecords(t, s, "fact-1", records)
		if _, err := os.Stat(filepath.Join(dir, "log.db")); err != nil {
			t.Error(err)
		}
	})
	t.Run("a second open of the same directory is refused with its name and the owner's pid", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		_, err := local.Open(dir, local.Options{})
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
			t.Errorf("error %v, expected one with %s and pid %d", err, dir, os.Getpid())
		}
		closeStore(t, s)
		openStore(t, dir)
	})
	t.Run("only the owner may read what the log holds", func(t *testing.T) {
		dir := t.TempDir()
		put(t, openStore(t, dir), "fact-1", events.NoStream, makeRecords(1, "some data")...)
		for _, name := range fileNames(t, dir) {
			if file, err := os.Stat(name); err != nil || file.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v; expected 0600", name, file.Mode(), err)
			}
		}
	})
	t.Run("closing leaves the whole log in one file", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		records := makeRecords(2, "some data")
		put(t, s, "fact-1", events.NoStream, records...)
		checkRecords(t, s, "fact-1", records)
		closeStore(t, s)
		want := []string{filepath.Join(dir, "log.db"), filepath.Join(dir, "log.lock"), filepath.Join(dir, "log.witness")}
		if diff := cmp.Diff(want, fileNames(t, dir)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
	t.Run("a file in the way of the directory is an error", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, []byte("not a directory"))
		if _, err := local.Open(path, local.Options{}); err == nil {
			t.Error("opened")
		}
	})
}

func TestForeignFiles(t *testing.T) {
	foreign := []struct {
		rule    string
		make    func(t *testing.T, path string)
		says    string
		corrupt bool
	}{
		{"a newer schema is refused", func(t *testing.T, path string) {
			closeStore(t, openStore(t, filepath.Dir(path)))
			tamper(t, path, "PRAGMA user_version=2")
		}, "a newer Parley wrote it: its schema is version 2", false},
		{"a database of another program is refused", func(t *testing.T, path string) {
			tamper(t, path, "CREATE TABLE customers (name TEXT)")
		}, "database of another program", false},
		{"a database that another program has marked is refused", func(t *testing.T, path string) {
			tamper(t, path, "PRAGMA application_id=7", "CREATE TABLE customers (name TEXT)")
		}, "application_id 7", false},
		{"what is no database is refused", func(t *testing.T, path string) {
			writeFile(t, path, []byte(strings.Repeat("no database ", 1000)))
		}, "not a database", true},
	}
	for _, c := range foreign {
		t.Run(c.rule, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log.db")
			c.make(t, path)
			before := readFile(t, path)
			_, err := local.Open(filepath.Dir(path), local.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, events.ErrCorrupt) != c.corrupt {
				t.Errorf("error %v, expected one with %q, ErrCorrupt: %v", err, c.says, c.corrupt)
			}
			if string(readFile(t, path)) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestDamagedEvents(t *testing.T) {
	damages := []struct {
		rule, statement string
	}{
		{"data that changed on disk is noticed", "UPDATE events SET data = CAST('other data' AS BLOB) WHERE pos = 2"},
		{"metadata that changed on disk is noticed", "UPDATE events SET meta = CAST('{}' AS BLOB) WHERE pos = 2"},
		{"a type that changed on disk is noticed", "UPDATE events SET type = 'Other' WHERE pos = 2"},
		{"an ID that changed on disk is noticed", "UPDATE events SET eid = zeroblob(16) WHERE pos = 2"},
		{"an ID of another length is noticed", "UPDATE events SET eid = zeroblob(3) WHERE pos = 2"},
	}
	for _, c := range damages {
		t.Run(c.rule, func(t *testing.T) {
			s := damaged(t, c.statement)
			_, readErr := s.Read(t.Context(), "fact-1", events.StreamStart, events.Forwards, 10)
			_, allErr := s.ReadAll(t.Context(), events.LogEnd, events.Backwards, 10)
			_, nextErr := s.Subscribe(events.LogStart).Next(t.Context())
			for _, err := range []error{readErr, allErr, nextErr} {
				if !errors.Is(err, events.ErrCorrupt) || !strings.Contains(err.Error(), "stream fact-1, position 2") {
					t.Errorf("error %v, expected ErrCorrupt with the stream and the position", err)
				}
			}
			if got, err := s.Read(t.Context(), "fact-1", 2, events.Forwards, 10); err != nil || len(got) != 1 {
				t.Errorf("read %d events behind the damage, %v; expected one", len(got), err)
			}
		})
	}
	t.Run("an event that is missing between two others is noticed", func(t *testing.T) {
		s := damaged(t, "DELETE FROM events WHERE pos = 2")
		for _, dir := range []events.Direction{events.Forwards, events.Backwards} {
			from := events.StreamStart
			if dir == events.Backwards {
				from = events.StreamEnd
			}
			_, err := s.Read(t.Context(), "fact-1", from, dir, 10)
			if !errors.Is(err, events.ErrCorrupt) || !strings.Contains(err.Error(), "event 1 of stream fact-1 is missing") {
				t.Errorf("error %v, expected ErrCorrupt with the event", err)
			}
		}
	})
}

// damaged opens a log of three events of which somebody changed the second.
func damaged(t *testing.T, statement string) *local.Store {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	put(t, s, "fact-1", events.NoStream, makeRecords(3, "some data")...)
	closeStore(t, s)
	tamper(t, filepath.Join(dir, "log.db"), statement)
	return openStore(t, dir)
}

// connect opens a database as another program would.
func connect(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// tamper changes a database as another program would.
func tamper(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
