package media_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/media"
)

func openDirectory(t testing.TB, path string) *media.Directory {
	t.Helper()
	d, err := media.OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// files lists the contents and drafts of a directory, contents by their hash.
func files(t testing.TB, dir string) (contents, drafts []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
		case strings.Contains(path, "/sha256/"):
			contents = append(contents, d.Name())
		case strings.Contains(path, "/drafts/"):
			drafts = append(drafts, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents, drafts
}

// P1: the fact that refers to bytes is written after Put.
func TestWhatPutReturnsIsOnTheDisk(t *testing.T) {
	dir, content := t.TempDir(), []byte("content")
	d := openDirectory(t, dir)
	var steps []string
	d.SetSync(func(f *os.File) error {
		name, err := filepath.Rel(dir, f.Name())
		if err != nil {
			t.Error(err)
		}
		seen := "unseen"
		if _, err := d.Stat(t.Context(), sha256.Sum256(content)); err == nil {
			seen = "seen"
		}
		stat, err := f.Stat()
		if err != nil {
			t.Error(err)
		}
		if !stat.IsDir() && stat.Size() != int64(len(content)) {
			t.Errorf("%d bytes were synced", stat.Size())
		}
		steps = append(steps, filepath.Dir(name)+" "+seen)
		return f.Sync()
	})
	if _, err := d.Put(t.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
		t.Fatal(err)
	}
	// The bytes while nobody sees them, then the directory with the name.
	if diff := cmp.Diff([]string{"drafts unseen", "sha256 seen"}, steps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestADiskThatFailsIsNoSuccess(t *testing.T) {
	broken := errors.New("input/output error")
	for fails, where := range []string{"the bytes", "the directory"} {
		t.Run("syncing "+where, func(t *testing.T) {
			dir := t.TempDir()
			d := openDirectory(t, dir)
			calls := 0
			d.SetSync(func(f *os.File) error {
				if calls++; calls == fails+1 {
					return broken
				}
				return f.Sync()
			})
			if _, err := d.Put(t.Context(), strings.NewReader("content"), media.Limits{}); !errors.Is(err, broken) {
				t.Errorf("error %v, expected the disk's", err)
			}
			if _, drafts := files(t, dir); len(drafts) > 0 {
				t.Errorf("drafts are left: %v", drafts)
			}
			if _, err := d.Put(t.Context(), strings.NewReader("content"), media.Limits{}); err != nil {
				t.Errorf("the next put: %v", err)
			}
		})
	}
}

func TestNothingIsLeftOfWhatWasRefused(t *testing.T) {
	dir := t.TempDir()
	d := openDirectory(t, dir)
	for _, content := range []string{"", strings.Repeat("x", 101)} {
		if _, err := d.Put(t.Context(), strings.NewReader(content), media.Limits{Bytes: 100}); err == nil {
			t.Error("taken")
		}
	}
	if contents, drafts := files(t, dir); len(contents)+len(drafts) > 0 {
		t.Errorf("left: %v %v", contents, drafts)
	}
}

func TestTheSameContentIsOneFile(t *testing.T) {
	dir := t.TempDir()
	d := openDirectory(t, dir)
	for range 3 {
		if _, err := d.Put(t.Context(), strings.NewReader("hello"), media.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	contents, drafts := files(t, dir)
	want := []string{"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
	if diff := cmp.Diff(want, contents); diff != "" || len(drafts) > 0 {
		t.Errorf("drafts %v, contents -want +got:\n%s", drafts, diff)
	}
}

func TestASpoiltContentIsHealedByPuttingItAgain(t *testing.T) {
	dir := t.TempDir()
	d := openDirectory(t, dir)
	o, err := d.Put(t.Context(), strings.NewReader("hello"), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(dir, "sha256", o.Hash.String()[:1], o.Hash.String())
	if err := os.WriteFile(place, []byte("jello?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(t.Context(), strings.NewReader("hello"), media.Limits{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(place); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

// F037
func TestNobodyElseOnTheMachineMayRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "media")
	d := openDirectory(t, dir)
	if _, err := d.Put(t.Context(), strings.NewReader("hello"), media.Limits{}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDraftsOfACrashAreRemovedByTheNextOpening(t *testing.T) {
	dir := t.TempDir()
	first := openDirectory(t, dir)
	o, err := first.Put(t.Context(), strings.NewReader("hello"), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	leave := func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "drafts", "123"), []byte("hel"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	second := openDirectory(t, dir)
	if _, drafts := files(t, dir); len(drafts) != 1 {
		t.Errorf("a draft of another who has the directory open was removed: %v", drafts)
	}
	for _, d := range []*media.Directory{first, second} {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	third := openDirectory(t, dir)
	if _, drafts := files(t, dir); len(drafts) > 0 {
		t.Errorf("drafts are left: %v", drafts)
	}
	if _, err := third.Stat(t.Context(), o.Hash); err != nil {
		t.Errorf("a content was removed: %v", err)
	}
}

func TestADirectoryThatCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := media.OpenDirectory(filepath.Join(file, "media")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v, expected one that names the place", err)
	}
}

// An old content that is put anew while it is discarded is there afterwards.
func TestDiscardingLeavesWhatIsPutAtTheSameTime(t *testing.T) {
	path := t.TempDir()
	d, other := openDirectory(t, path), openDirectory(t, path) // as another process would
	d.SetSync(func(*os.File) error { return nil })
	content := []byte("wanted")
	o, err := d.Put(t.Context(), bytes.NewReader(content), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(path, "sha256", o.Hash.String()[:1], o.Hash.String())
	old := time.Now().Add(-time.Hour)
	for range 2000 {
		if err := os.Chtimes(place, old, old); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() {
			if err := other.Discard(t.Context(), o.Hash, old.Add(time.Minute)); err != nil {
				t.Errorf("discard: %v", err)
			}
		})
		both.Go(func() {
			if _, err := d.Put(t.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
				t.Errorf("put: %v", err)
			}
		})
		both.Wait()
		if _, err := d.Stat(t.Context(), o.Hash); err != nil {
			t.Fatalf("what was put is gone: %v", err)
		}
	}
}
