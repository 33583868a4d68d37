package local_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"parley/events"
	"parley/events/local"
)

func TestFailedWrite(t *testing.T) {
	t.Run("after a failed commit nothing is written any more, and reads go on", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		stored := makeRecords(3, "some data")
		put(t, s, "fact-1", events.NoStream, stored...)
		breakWrites(t, filepath.Join(dir, "log.db-wal"))

		_, err := s.Append(t.Context(), "fact-1", 2, makeRecords(1, "more data")...)
		checkUnavailable(t, err)
		checkFailed(t, s)
		_, again := s.Append(t.Context(), "fact-1", 2, makeRecords(1, "more data")...)
		checkUnavailable(t, again)
		checkUnavailable(t, s.Truncate(t.Context(), "fact-1", events.StreamEnd))
		checkRecords(t, s, "fact-1", stored)
		if got, err := s.ReadAll(t.Context(), events.LogEnd, events.Backwards, 10); err != nil || len(got) != 3 {
			t.Errorf("read %d events of the log, %v; expected 3", len(got), err)
		}
		closeStore(t, s)

		s = openStore(t, dir)
		checkRecords(t, s, "fact-1", stored)
		put(t, s, "fact-1", 2, makeRecords(1, "more data")...)
	})
	t.Run("when the witness cannot be written, the append stands and the store stops", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		breakWrites(t, filepath.Join(dir, "log.witness"))
		stored := makeRecords(1, "some data")
		put(t, s, "fact-1", events.NoStream, stored...)
		checkFailed(t, s)
		_, err := s.Append(t.Context(), "fact-1", 0, makeRecords(1, "more data")...)
		checkUnavailable(t, err)
		closeStore(t, s)
		checkRecords(t, openStore(t, dir), "fact-1", stored)
	})
	t.Run("when somebody removes the -wal file, the store stops", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		if err := os.Remove(filepath.Join(dir, "log.db-wal")); err != nil {
			t.Fatal(err)
		}
		put(t, s, "fact-1", events.NoStream, makeRecords(1, "some data")...)
		_, err := s.Append(t.Context(), "fact-1", 0, makeRecords(1, "more data")...)
		checkUnavailable(t, err)
		checkFailed(t, s)
	})
}

func checkUnavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, events.ErrUnavailable) {
		t.Errorf("error %v, expected ErrUnavailable", err)
	}
}

func checkFailed(t *testing.T, s *local.Store) {
	t.Helper()
	select {
	case <-s.Failed():
	default:
		t.Error("the store says that it has not failed")
	}
	checkUnavailable(t, s.Err())
}

// breakWrites makes every descriptor that this process has of a file one that
// can only read, so that the next write fails as it does on a broken disk.
func breakWrites(t *testing.T, path string) {
	t.Helper()
	readable, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := readable.Close(); err != nil {
			t.Error(err)
		}
	})
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("open files cannot be listed: %v", err)
	}
	broken := 0
	for _, d := range descriptors {
		var fd int
		if _, err := fmt.Sscan(d.Name(), &fd); err != nil {
			t.Fatal(err)
		}
		name, err := os.Readlink(filepath.Join("/proc/self/fd", d.Name()))
		if err != nil || name != path || fd == int(readable.Fd()) {
			continue
		}
		if err := syscall.Dup3(int(readable.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		broken++
	}
	if broken == 0 {
		t.Fatalf("nobody has %s open", path)
	}
}

func TestFullDisk(t *testing.T) {
	t.Run("a full disk loses nothing, can be read from after a restart, and takes appends when there is room", func(t *testing.T) {
		dir := mountSmall(t)
		ballast := filepath.Join(dir, "ballast")
		writeFile(t, ballast, make([]byte, 300<<10))
		s := openStore(t, dir)
		stored, refused := fillUp(t, s)
		checkRecords(t, s, "fact-1", stored)
		if err := s.Err(); err != nil {
			t.Errorf("the store has failed: %v", err)
		}
		closeStore(t, s)

		s = openStore(t, dir)
		checkRecords(t, s, "fact-1", stored)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		put(t, s, "fact-1", events.Revision(len(stored)-1), refused)
		closeStore(t, s)
		checkRecords(t, openStore(t, dir), "fact-1", append(stored, refused))
	})
	t.Run("appends work again without a restart", func(t *testing.T) {
		dir := mountSmall(t)
		ballast := filepath.Join(dir, "ballast")
		writeFile(t, ballast, make([]byte, 300<<10))
		s := openStore(t, dir)
		stored, refused := fillUp(t, s)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		put(t, s, "fact-1", events.Revision(len(stored)-1), refused)
		checkRecords(t, s, "fact-1", append(stored, refused))
	})
}

// mountSmall gives a directory on a file system of 1 MiB.
func mountSmall(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
