package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/events"
)

func TestEraseBytes(t *testing.T) {
	t.Run("erased bytes are in no file any more", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		secret := makeRecords(3, strings.Repeat("sealed credential ", 1000))
		put(t, s, "secret-1", events.NoStream, secret...)
		put(t, s, "fact-1", events.NoStream, makeRecords(1, "open knowledge")...)
		if found := grep(t, dir, "sealed credential"); len(found) == 0 {
			t.Fatal("the test cannot see the bytes in the first place")
		}
		if err := s.Truncate(t.Context(), "secret-1", events.StreamEnd); err != nil {
			t.Fatal(err)
		}
		if found := grep(t, dir, "sealed credential"); len(found) > 0 {
			t.Errorf("erased bytes are in %v", found)
		}
		if found := grep(t, dir, "open knowledge"); len(found) == 0 {
			t.Error("bytes that were not erased are gone")
		}
		closeStore(t, s)
		if found := grep(t, dir, "sealed credential"); len(found) > 0 {
			t.Errorf("after closing, erased bytes are in %v", found)
		}
	})
	t.Run("erasing in any order leaves no bytes behind", func(t *testing.T) {
		for _, size := range []int{20, 100, 300, 700, 1500, 3000, 10_000} {
			eraseInterleaved(t, size)
		}
	})
	t.Run("a reader in the way is told, and erasing again finishes", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		execute(t, s, "PRAGMA busy_timeout=1")
		put(t, s, "secret-1", events.NoStream, makeRecords(1, "sealed credential")...)
		end := beginReading(t, filepath.Join(dir, "log.db"))
		err := s.Truncate(t.Context(), "secret-1", events.StreamEnd)
		if !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable", err)
		}
		checkRecords(t, s, "secret-1", nil)
		end()
		if err := s.Truncate(t.Context(), "secret-1", events.StreamEnd); err != nil {
			t.Errorf("erase again: %v", err)
		}
		if found := grep(t, dir, "sealed credential"); len(found) > 0 {
			t.Errorf("erased bytes are in %v", found)
		}
		if err := s.Err(); err != nil {
			t.Errorf("the store has failed: %v", err)
		}
	})
}

func TestOverwriteBytes(t *testing.T) {
	t.Run("what was overwritten is in no file any more", func(t *testing.T) {
		for _, size := range []int{20, 300, 1500, 3000, 10_000} {
			overwriteInterleaved(t, size)
		}
	})
	t.Run("a reader in the way is told, and overwriting again finishes", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		execute(t, s, "PRAGMA busy_timeout=1")
		put(t, s, "fact-1", events.NoStream, makeRecords(1, "what Alice said")...)
		end := beginReading(t, filepath.Join(dir, "log.db"))
		with := events.Replacement{Data: []byte("x")}
		if err := s.Overwrite(t.Context(), "fact-1", with); !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable", err)
		}
		end()
		if err := s.Overwrite(t.Context(), "fact-1", with); err != nil {
			t.Errorf("overwrite again: %v", err)
		}
		if found := grep(t, dir, "what Alice said"); len(found) > 0 {
			t.Errorf("what was overwritten is in %v", found)
		}
		if err := s.Err(); err != nil {
			t.Errorf("the store has failed: %v", err)
		}
	})
	t.Run("longer data is refused, and the store goes on", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		put(t, s, "fact-1", events.NoStream, makeRecords(1, "a")...)
		if err := s.Overwrite(t.Context(), "fact-1", events.Replacement{Data: make([]byte, 1000)}); err == nil || s.Err() != nil {
			t.Errorf("error %v, the store's %v", err, s.Err())
		}
		put(t, s, "fact-1", 0, makeRecords(1, "b")...)
	})
}

// overwriteInterleaved overwrites events here and there in streams whose records
// of some size share the pages of the database, and looks for everything that
// was overwritten so far; the log goes on growing meanwhile.
func overwriteInterleaved(t *testing.T, size int) {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	defer closeStore(t, s)
	execute(t, s, "PRAGMA synchronous=OFF") // only for speed
	const streams, length = 4, 40
	name := func(stream int) events.Stream { return events.Stream(fmt.Sprintf("fact-%d", stream)) }
	mark := func(stream, revision int) string { return fmt.Sprintf("<mark-%03d-%04d>", stream, revision) }
	for revision := range length {
		for stream := range streams {
			data := strings.Repeat(mark(stream, revision), 1+size/len(mark(0, 0)))
			put(t, s, name(stream), events.Revision(revision-1), makeRecords(1, data)...)
		}
	}
	gone := make(map[string]bool)
	for step := range length / 4 {
		stream := step % streams
		var with []events.Replacement
		for revision := step; revision < length; revision += 7 {
			with = append(with, events.Replacement{Revision: events.Revision(revision), Data: []byte("left")})
			gone[mark(stream, revision)] = true
		}
		if err := s.Overwrite(t.Context(), name(stream), with...); err != nil {
			t.Fatal(err)
		}
		put(t, s, "other-1", events.Revision(step-1), makeRecords(1, strings.Repeat("o", size))...)
		found := marks(t, dir)
		for _, m := range found {
			if gone[m] {
				t.Fatalf("overwritten record %s of %d bytes is still on disk", m, size)
			}
		}
		if len(found) == 0 {
			t.Fatal("nothing is left of what was not overwritten")
		}
	}
}

// eraseInterleaved erases streams one by one, in two steps each, whose records
// of some size share the pages of the database. After each step it looks for
// everything erased so far: a database that moves the rows it keeps when others
// go may leave copies behind, which come to light when those rows go as well.
func eraseInterleaved(t *testing.T, size int) {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	defer closeStore(t, s)
	execute(t, s, "PRAGMA synchronous=OFF") // only for speed
	const streams, length = 6, 40
	name := func(stream int) events.Stream { return events.Stream(fmt.Sprintf("fact-%d", stream)) }
	mark := func(stream, revision int) string { return fmt.Sprintf("<mark-%03d-%04d>", stream, revision) }
	for revision := range length {
		for stream := range streams {
			data := strings.Repeat(mark(stream, revision), 1+size/len(mark(0, 0)))
			put(t, s, name(stream), events.Revision(revision-1), makeRecords(1, data)...)
		}
	}
	erased := make(map[string]bool)
	for step := range 2 * streams {
		stream := []int{0, 3, 1, 4, 2, 5}[step%streams]
		from, before := 0, length/2
		if step >= streams {
			from, before = before, length
		}
		if err := s.Truncate(t.Context(), name(stream), events.Revision(before)); err != nil {
			t.Fatal(err)
		}
		for revision := from; revision < before; revision++ {
			erased[mark(stream, revision)] = true
		}
		for _, found := range marks(t, dir) {
			if erased[found] {
				t.Fatalf("erased record %s of %d bytes is still on disk", found, size)
			}
		}
	}
}

// marks finds the marks of records in all files of a directory.
func marks(t *testing.T, dir string) (found []string) {
	t.Helper()
	pattern := regexp.MustCompile(`<mark-\d{3}-\d{4}>`)
	for _, name := range fileNames(t, dir) {
		found = append(found, pattern.FindAllString(string(readFile(t, name)), -1)...)
	}
	return found
}

// grep gives the files of a directory that hold some bytes.
func grep(t *testing.T, dir, bytes string) (found []string) {
	t.Helper()
	for _, name := range fileNames(t, dir) {
		if strings.Contains(string(readFile(t, name)), bytes) {
			found = append(found, name)
		}
	}
	return found
}

func fileNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, filepath.Join(dir, e.Name()))
	}
	return names
}

// beginReading reads a database as another program would, and does not end its
// transaction until end is called.
func beginReading(t *testing.T, path string) (end func()) {
	t.Helper()
	conn, err := connect(t, path).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	run := func(statement string) {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
	run("BEGIN")
	run("SELECT count(*) FROM events")
	return func() {
		run("ROLLBACK")
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
