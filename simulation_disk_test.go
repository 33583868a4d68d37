package parley_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parley/events"
	"parley/events/local"
)

// TestLivesOnDisk leads lives whose log is a file. After a crash the next
// process gets a copy of the files as they were at that moment, with what stands
// only in the write-ahead log. P1 P4 P6 P9
func TestLivesOnDisk(t *testing.T) {
	if *seed != 0 {
		leadOnDisk(t, *seed)
		return
	}
	for n := range (*lives + 9) / 10 {
		t.Run(fmt.Sprintf("seed %d", n+1), func(t *testing.T) {
			t.Parallel()
			leadOnDisk(t, uint64(n+1))
		})
	}
}

func leadOnDisk(t *testing.T, seed uint64) {
	t.Helper()
	s, home, copies := newSimulation(seed), t.TempDir(), 0
	directory := func(n int) string { return filepath.Join(home, fmt.Sprint("log", n)) }
	s.newLog = func(t *testing.T, dead events.Store) events.Store {
		if dead != nil {
			copies++
			err := os.CopyFS(directory(copies), os.DirFS(directory(copies-1)))
			if err = errors.Join(err, dead.Close()); err != nil { // whoever still writes is dead
				t.Fatal(err)
			}
		}
		store, err := local.Open(directory(copies), local.Options{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		return store
	}
	s.left = func(t *testing.T) {
		checkFiles(t, home)
		checkFiles(t, s.config.Data)
	}
	lead(t, s)
}

// checkFiles looks for the secrets in every file below a directory.
func checkFiles(t *testing.T, root string) {
	t.Helper()
	files, size := 0, 0
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files, size = files+1, size+len(content)
		for _, secret := range []string{accessToken, appSecret, apiSecret, otherSecret} {
			if bytes.Contains(content, []byte(secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
		return err
	})
	if err != nil || size < 10_000 {
		t.Errorf("%d files with %d bytes were read: %v", files, size, err)
	}
}
