package media_test

import (
	"os"
	"path/filepath"
	"testing"

	"parley/media"
	"parley/media/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Factory{New: func(testing.TB) media.Store { return media.NewMemory() }})
}

func TestDirectoryKeepsTheContract(t *testing.T) {
	paths := map[media.Store]string{}
	open := func(t testing.TB, path string) media.Store {
		t.Helper()
		d, err := media.OpenDirectory(path)
		if err != nil {
			t.Fatal(err)
		}
		paths[d] = path
		return d
	}
	storetest.Run(t, storetest.Factory{
		New: func(t testing.TB) media.Store { return open(t, t.TempDir()) },
		Reopen: func(t testing.TB, s media.Store) media.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, paths[s])
		},
	})
}

func TestOpenChoosesByAddress(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	good := []struct{ address, directory string }{
		{"file://" + here + "/a/b", "a/b"},
		{"file://localhost" + here + "/c", "c"},
		{"file://./d", "d"},
		{"file:///" + filepath.Join(here, "with%20space"), "with space"},
		{"mem://", ""},
	}
	for _, c := range good {
		s, err := media.Open(c.address)
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		if _, err := os.Stat(filepath.Join(c.directory, "drafts")); c.directory != "" && err != nil {
			t.Errorf("%s: %v", c.address, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: close: %v", c.address, err)
		}
	}
	for _, address := range []string{"", "data/media", "file://", "file://host/a", "s3://bucket", "file:///a?x=y", "%"} {
		if s, err := media.Open(address); err == nil {
			t.Errorf("%q was opened: %T", address, s)
		}
	}
}
