package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parley/events/local"
)

// unfinishedRestore is what a data directory holds while a backup is restored
// into it, and after a restore that was interrupted.
const unfinishedRestore = ".restoring"

// Unfinished reports that a restore into a data directory has not come to its
// end: what is there is not a whole one.
func Unfinished(data string) bool {
	_, err := os.Stat(filepath.Join(data, unfinishedRestore))
	return err == nil
}

// ErrKey says that a backup lacks its master key, or that the one that was given
// is another.
var ErrKey = errors.New("the master key is missing")

// KeyFile says where the master key of a backup comes from that has none.
type KeyFile struct {
	Path string // it is copied into the data directory
	None bool   // no key is restored: it will be put there, or is elsewhere
}

// Restore restores a backup, or the newest in a directory of backups, into a
// data directory that is empty or not there, and gives the backup's path and what
// it holds. Everything is verified before anything is written. Errors: ErrBroken
// for a backup that is not what was written, ErrKey, both wrapped.
func Restore(ctx context.Context, from, data string, key KeyFile) (path string, m Manifest, err error) {
	path, err = locate(from)
	if err != nil {
		return path, m, err
	}
	m, sums, err := load(path)
	if err == nil {
		err = key.check(m)
	}
	if err == nil {
		err = checkEmpty(data)
	}
	if err == nil {
		err = verify(ctx, path, sums)
	}
	if err != nil {
		return path, m, err
	}
	r := reader{from: path, data: data, dir: filepath.Join(data, unfinishedRestore), sums: sums}
	if err := r.restore(ctx, key); err != nil {
		return path, m, fmt.Errorf("restore into %s: %w", data, err)
	}
	return path, m, nil
}

// locate finds the backup that a path means.
func locate(from string) (string, error) {
	if _, err := os.Stat(filepath.Join(from, manifestFile)); err == nil {
		return from, nil
	}
	path, err := newest(from)
	if err == nil && path == "" {
		err = fmt.Errorf("there is no backup in %s", from)
	}
	return path, err
}

// check checks that the key is at hand which the backup needs.
func (k KeyFile) check(m Manifest) error {
	switch {
	case k.None && k.Path != "":
		return errors.New("a master key is given, and also said to be left out")
	case k.Path == "" && (m.Key == "" || m.Keys || k.None):
		return nil
	case k.Path == "":
		return fmt.Errorf("%w: it is not in the backup, which was made without it", ErrKey)
	}
	key, err := os.ReadFile(k.Path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if m.Key != "" && fingerprint(key) != m.Key {
		return fmt.Errorf("%w: %s holds another than the one that sealed the credentials in this backup", ErrKey, k.Path)
	}
	return nil
}

func checkEmpty(data string) error {
	entries, err := os.ReadDir(data)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case "lost+found": // a file system's own
		case unfinishedRestore:
			return fmt.Errorf("a restore into %s was interrupted: empty the directory and begin anew", data)
		default:
			return fmt.Errorf("%s is not empty: it has %s", data, e.Name())
		}
	}
	return nil
}

// verify reads all files of a backup.
func verify(ctx context.Context, dir string, sums []sum) error {
	for _, s := range sums {
		_, got, err := sumFile(ctx, filepath.Join(dir, s.path))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%w: %s is missing", ErrBroken, s.path)
		case err != nil:
			return err
		case got != s.sum:
			return fmt.Errorf("%w: %s is not what was written", ErrBroken, s.path)
		}
	}
	return nil
}

// reader restores a backup.
type reader struct {
	from, data string
	dir        string // of what is not whole yet
	sums       []sum
}

func (r reader) restore(ctx context.Context, key KeyFile) error {
	if err := local.MakeDir(r.dir); err != nil {
		return err
	}
	for _, s := range r.sums {
		// What is among the keys stands beside the log in a data directory.
		path, isKey := strings.CutPrefix(s.path, "keys"+string(filepath.Separator))
		if isKey && (key.None || key.Path != "" && path == masterKey) {
			continue
		}
		_, got, err := copyFile(ctx, filepath.Join(r.from, s.path), filepath.Join(r.dir, path))
		if err == nil && got != s.sum {
			err = fmt.Errorf("%w: %s has changed", ErrBroken, s.path)
		}
		if err != nil {
			return err
		}
	}
	if key.Path != "" {
		if _, _, err := copyFile(ctx, key.Path, filepath.Join(r.dir, masterKey)); err != nil {
			return err
		}
	}
	if err := r.try(); err != nil {
		return err
	}
	return r.finish()
}

// try opens the log, as the server will.
func (r reader) try() error {
	log, err := local.Open(filepath.Join(r.dir, "log"), local.Options{})
	if err != nil {
		return err
	}
	return log.Close()
}

// finish gives everything its name, the log last.
func (r reader) finish() error {
	if err := syncDirs(r.dir); err != nil {
		return err
	}
	for _, name := range []string{"media", "certs", masterKey, "log"} {
		err := os.Rename(filepath.Join(r.dir, name), filepath.Join(r.data, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := syncDir(r.data); err != nil {
		return err
	}
	if err := os.Remove(r.dir); err != nil {
		return err
	}
	return errors.Join(syncDir(r.data), syncDir(filepath.Dir(filepath.Clean(r.data))))
}
