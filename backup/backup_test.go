package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"parley/backup"
	"parley/events"
	"parley/events/local"
	"parley/media"
)

const theKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// estate is a data directory with something of everything in it.
type estate struct {
	backup.Places
	t    *testing.T
	data string
	log  *local.Store
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	data := t.TempDir()
	e := &estate{t: t, data: data, Places: backup.Places{
		Log: filepath.Join(data, "log"), Media: filepath.Join(data, "media"), Key: filepath.Join(data, "master.key"), Certs: filepath.Join(data, "certs"),
	}}
	e.open()
	write(t, e.Key, theKey+"\n")
	write(t, filepath.Join(e.Certs, "acme", "bot.example.org.key"), "the key of a certificate")
	e.put("one")
	for _, content := range []string{"a picture", "a voice", "a paper"} {
		e.keep(content)
	}
	return e
}

func (e *estate) open() {
	e.t.Helper()
	log, err := local.Open(e.Log, local.Options{})
	if err != nil {
		e.t.Fatal(err)
	}
	e.log = log
	e.t.Cleanup(func() {
		if err := log.Close(); err != nil {
			e.t.Error(err)
		}
	})
}

func (e *estate) put(data string) {
	e.t.Helper()
	stream := events.Stream("fact-" + uuid.NewString())
	if _, err := e.log.Append(e.t.Context(), stream, events.NoStream, events.Record{ID: uuid.New(), Type: "Fact", Data: []byte(data)}); err != nil {
		e.t.Fatal(err)
	}
}

func (e *estate) keep(content string) media.Hash {
	e.t.Helper()
	store, err := media.OpenDirectory(e.Media)
	if err != nil {
		e.t.Fatal(err)
	}
	o, err := store.Put(e.t.Context(), strings.NewReader(content), media.Limits{})
	if err := errors.Join(err, store.Close()); err != nil {
		e.t.Fatal(err)
	}
	return o.Hash
}

func (e *estate) take(to string, keys bool) (string, backup.Manifest) {
	e.t.Helper()
	path, m, err := backup.Take(e.t.Context(), e.Places, to, keys)
	if err != nil {
		e.t.Fatal(err)
	}
	return path, m
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// tree is everything below a directory, but for the log's, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		within, err := filepath.Rel(dir, path)
		if err != nil || filepath.Dir(within) == "log" {
			return err
		}
		raw, err := os.ReadFile(path)
		files[within] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// facts are what a log says, by position.
func facts(t *testing.T, log *local.Store) map[events.Position]string {
	t.Helper()
	all, err := log.ReadAll(t.Context(), events.LogStart, events.Forwards, 1000)
	if err != nil {
		t.Fatal(err)
	}
	said := map[events.Position]string{}
	for _, e := range all {
		said[e.Position] = string(e.Data)
	}
	return said
}

func restored(t *testing.T, from string, key backup.KeyFile) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if _, _, err := backup.Restore(t.Context(), from, data, key); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestABackupIsRestored(t *testing.T) {
	e := newEstate(t)
	to := filepath.Join(t.TempDir(), "backups")
	path, m := e.take(to, true)
	if m.Position != 1 || m.Contents != 3 || m.Linked != 0 || !m.Keys {
		t.Errorf("%+v", m)
	}
	want, said := tree(t, e.data), facts(t, e.log)
	e.put("two, after the backup")
	e.keep("a content after the backup")
	for _, from := range []string{path, to} {
		data := restored(t, from, backup.KeyFile{})
		if diff := cmp.Diff(want, tree(t, data)); diff != "" {
			t.Error(diff)
		}
		log, err := local.Open(filepath.Join(data, "log"), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(said, facts(t, log)); diff != "" {
			t.Error(diff)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if backup.Unfinished(data) {
			t.Error("it counts as unfinished")
		}
		checkPrivate(t, data)
	}
	checkPrivate(t, to)
}

// checkPrivate checks that everything is its owner's alone.
func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		stat, err := d.Info()
		if err == nil && stat.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, stat.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// P9
func TestKeysAreInABackupOnlyIfThatIsSaid(t *testing.T) {
	e := newEstate(t)
	path, m := e.take(t.TempDir(), false)
	if m.Keys || m.Key == "" {
		t.Errorf("%+v", m)
	}
	for name, content := range tree(t, path) {
		if strings.Contains(content, theKey) || strings.Contains(content, "the key of a certificate") {
			t.Errorf("%s has a key", name)
		}
	}
	data := filepath.Join(t.TempDir(), "data")
	other := filepath.Join(t.TempDir(), "other.key")
	write(t, other, strings.Repeat("ff", 32))
	for rule, key := range map[string]backup.KeyFile{
		"without a key": {}, "with another key": {Path: other}, "with a key that is not there": {Path: other + "x"},
	} {
		t.Run(rule+" it is not restored", func(t *testing.T) {
			if _, _, err := backup.Restore(t.Context(), path, data, key); !errors.Is(err, backup.ErrKey) {
				t.Errorf("error %v", err)
			}
			if _, err := os.Stat(data); err == nil {
				t.Error("something was written")
			}
		})
	}
	t.Run("nor is one that never had a key, with one that is not there", func(t *testing.T) {
		e := newEstate(t)
		if err := os.Remove(e.Key); err != nil {
			t.Fatal(err)
		}
		path, _ := e.take(t.TempDir(), false)
		if _, _, err := backup.Restore(t.Context(), path, data, backup.KeyFile{Path: other + "x"}); !errors.Is(err, backup.ErrKey) {
			t.Errorf("error %v", err)
		}
		if _, err := os.Stat(data); err == nil {
			t.Error("something was written")
		}
	})
	key := filepath.Join(t.TempDir(), "kept.key")
	write(t, key, strings.ToUpper(theKey))
	if got := tree(t, restored(t, path, backup.KeyFile{Path: key}))["master.key"]; got != strings.ToUpper(theKey) {
		t.Errorf("the key is %q", got)
	}
	whole, _ := e.take(t.TempDir(), true)
	for _, from := range []string{path, whole} {
		for name := range tree(t, restored(t, from, backup.KeyFile{None: true})) {
			if !strings.HasPrefix(name, "media") {
				t.Errorf("%s is restored, and nobody wanted it", name)
			}
		}
	}
}

func TestASecondBackupSharesContents(t *testing.T) {
	e := newEstate(t)
	to := t.TempDir()
	first, _ := e.take(to, false)
	added := e.keep("one more")
	second, m := e.take(to, false)
	if m.Contents != 4 || m.Linked != 3 {
		t.Errorf("%+v", m)
	}
	for name := range tree(t, filepath.Join(second, "media")) {
		a, err := os.Stat(filepath.Join(first, "media", name))
		b, other := os.Stat(filepath.Join(second, "media", name))
		if isNew := strings.Contains(name, added.String()); other != nil || isNew == (err == nil && os.SameFile(a, b)) {
			t.Errorf("%s: %v, %v", name, err, other)
		}
	}
	if err := os.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	if data := restored(t, to, backup.KeyFile{None: true}); len(tree(t, data)) != 4 {
		t.Errorf("without the first one there is %v", tree(t, data))
	}
}

func TestABrokenBackupIsNotRestored(t *testing.T) {
	e := newEstate(t)
	whole, _ := e.take(t.TempDir(), true)
	var names []string
	for name := range tree(t, whole) {
		names = append(names, name)
	}
	names = append(names, filepath.Join("log", "log.db"), filepath.Join("log", "log.witness"))
	for _, name := range names {
		for how, harm := range map[string]func(path string, b []byte) error{
			"is gone":    func(path string, _ []byte) error { return os.Remove(path) },
			"has turned": func(path string, b []byte) error { b[len(b)/2] ^= 1; return os.WriteFile(path, b, 0o600) },
			"is cut":     func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)-1], 0o600) },
		} {
			if name == "manifest.json" && how != "is gone" {
				continue // it may be no other backup for that
			}
			t.Run(name+" "+how, func(t *testing.T) {
				from, data := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "data")
				if err := os.CopyFS(from, os.DirFS(whole)); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(from, name)
				b, err := os.ReadFile(path)
				if err == nil {
					err = harm(path, b)
				}
				if err != nil {
					t.Fatal(err)
				}
				_, _, err = backup.Restore(t.Context(), from, data, backup.KeyFile{})
				if err == nil || name != "manifest.json" && !errors.Is(err, backup.ErrBroken) {
					t.Errorf("error %v", err)
				}
				if _, err := os.Stat(data); err == nil {
					t.Error("something was written")
				}
			})
		}
	}
	t.Run("a list that leads elsewhere", func(t *testing.T) {
		from := filepath.Join(t.TempDir(), "backup")
		write(t, from+"-outside", "somebody's")
		outside := sha256.Sum256([]byte("somebody's"))
		list := hex.EncodeToString(outside[:]) + "  ../backup-outside\n"
		sum := sha256.Sum256([]byte(list))
		m, err := json.Marshal(backup.Manifest{Parley: "backup", Version: 1, Sums: hex.EncodeToString(sum[:])})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(from, "SHA256SUMS"), list)
		write(t, filepath.Join(from, "manifest.json"), string(m))
		if _, _, err := backup.Restore(t.Context(), from, filepath.Join(t.TempDir(), "data"), backup.KeyFile{}); !errors.Is(err, backup.ErrBroken) {
			t.Errorf("error %v", err)
		}
	})
	for _, path := range []string{"keys/../escaped", "./keys/a/../../escaped", "keys//escaped"} {
		t.Run("a list that leaves its place: "+path, func(t *testing.T) {
			from, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
			write(t, filepath.Join(from, path), "somebody's")
			content := sha256.Sum256([]byte("somebody's"))
			list := hex.EncodeToString(content[:]) + "  " + path + "\n"
			sum := sha256.Sum256([]byte(list))
			m, err := json.Marshal(backup.Manifest{Parley: "backup", Version: 1, Sums: hex.EncodeToString(sum[:])})
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(from, "SHA256SUMS"), list)
			write(t, filepath.Join(from, "manifest.json"), string(m))
			if _, _, err := backup.Restore(t.Context(), from, data, backup.KeyFile{}); !errors.Is(err, backup.ErrBroken) {
				t.Errorf("error %v", err)
			}
			if _, err := os.Stat(filepath.Join(data, "escaped")); err == nil {
				t.Error("it is outside of what is restored")
			}
		})
	}
	t.Run("one of a later version", func(t *testing.T) {
		from := t.TempDir()
		write(t, filepath.Join(from, "manifest.json"), `{"parley":"backup","version":2}`)
		if _, _, err := backup.Restore(t.Context(), from, filepath.Join(t.TempDir(), "data"), backup.KeyFile{}); err == nil || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("error %v", err)
		}
	})
}

func TestWhatIsThereStays(t *testing.T) {
	e := newEstate(t)
	path, _ := e.take(t.TempDir(), true)
	before := tree(t, e.data)
	if _, _, err := backup.Restore(t.Context(), path, e.data, backup.KeyFile{}); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(before, tree(t, e.data)); diff != "" {
		t.Error(diff)
	}
	data := t.TempDir()
	write(t, filepath.Join(data, ".restoring", "log", "log.db"), "half")
	if !backup.Unfinished(data) {
		t.Error("a restore that was interrupted is not noticed")
	}
	if _, _, err := backup.Restore(t.Context(), path, data, backup.KeyFile{}); err == nil || !strings.Contains(err.Error(), "was interrupted") {
		t.Errorf("error %v", err)
	}
	if _, _, err := backup.Restore(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "data"), backup.KeyFile{}); err == nil || !strings.Contains(err.Error(), "no backup in") {
		t.Errorf("error %v", err)
	}
}

func TestOneBackupAtATime(t *testing.T) {
	e, to := newEstate(t), t.TempDir()
	other, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, _, err := backup.Take(t.Context(), e.Places, to, false); err == nil || !strings.Contains(err.Error(), "another backup is being made") {
		t.Errorf("error %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	e.take(to, false)
}

func TestABackupThatFailsHasNoName(t *testing.T) {
	e := newEstate(t)
	to := t.TempDir()
	spoilt := filepath.Join(e.Media, media.PathOf(e.keep("what the disk will spoil")))
	write(t, spoilt, "spoilt by the disk")
	if _, _, err := backup.Take(t.Context(), e.Places, to, false); err == nil || !strings.Contains(err.Error(), spoilt) {
		t.Errorf("error %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, _, err := backup.Take(ended, e.Places, to, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	write(t, filepath.Join(to, "unfinished", "log", "log.db"), "by one that was killed")
	if err := os.Remove(spoilt); err != nil {
		t.Fatal(err)
	}
	path, _ := e.take(to, false)
	if left, err := os.ReadDir(to); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if db, err := os.ReadFile(filepath.Join(path, "log", "log.db")); err != nil || !bytes.HasPrefix(db, []byte("SQLite")) {
		t.Errorf("%v", err)
	}
}
