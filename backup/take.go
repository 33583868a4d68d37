package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"parley/events/local"
	"parley/media"
)

// Places are where a data directory has what is backed up.
type Places struct {
	Log   string // directory of the log
	Media string // directory of the media store; it may be missing, or "" for none
	Key   string // file of the master key; it may be missing
	Certs string // directory of automatic certificates; it may be missing
}

// unfinished is the name of a backup that has none yet.
const unfinished = "unfinished"

// nameForm gives backups names that sort by time.
const nameForm = "20060102T150405.000Z"

// Take makes a backup in a directory of backups, and gives its path and what it
// holds. The keys are in it only if that is said. A server may be at work there
// meanwhile; whatever it acknowledged before Take began is in the backup. When
// Take returns, everything is on the disk. One that is interrupted leaves nothing
// that could be taken for a backup.
func Take(ctx context.Context, p Places, to string, keys bool) (path string, m Manifest, err error) {
	if err := local.MakeDir(to); err != nil {
		return "", m, err
	}
	end, err := alone(to)
	if err != nil {
		return "", m, err
	}
	defer func() { err = errors.Join(err, end()) }()
	w := &writer{dir: filepath.Join(to, unfinished)}
	if w.earlier, err = newest(to); err != nil {
		return "", m, err
	}
	w.m = Manifest{Parley: kind, Version: format, Taken: time.Now().UTC().Truncate(time.Millisecond), Keys: keys}
	if err := w.take(ctx, p); err != nil {
		return "", m, errors.Join(err, os.RemoveAll(w.dir))
	}
	path = filepath.Join(to, w.m.Taken.Format(nameForm))
	if err := os.Rename(w.dir, path); err != nil {
		return "", m, err
	}
	return path, w.m, syncDir(to)
}

// alone takes the right to make a backup in a directory, and removes what one
// that was interrupted has left.
func alone(dir string) (end func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another backup is being made in %s: %w", dir, err), d.Close())
	}
	if err := os.RemoveAll(filepath.Join(dir, unfinished)); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d.Close, nil
}

// newest is the path of the newest backup in a directory, "" if there is none.
func newest(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for n := len(entries) - 1; n >= 0; n-- { // they are sorted
		name := entries[n].Name()
		if _, err := time.Parse(nameForm, name); err == nil {
			return filepath.Join(dir, name), nil
		}
	}
	return "", nil
}

// writer makes a backup.
type writer struct {
	dir     string
	earlier string // a backup that may have the same contents
	m       Manifest
	sums    []sum
}

func (w *writer) take(ctx context.Context, p Places) (err error) {
	if w.m.Position, err = local.Backup(ctx, p.Log, filepath.Join(w.dir, "log")); err != nil {
		return err
	}
	for _, name := range []string{"log.db", "log.witness"} {
		path := filepath.Join("log", name)
		size, sum, err := sumFile(ctx, filepath.Join(w.dir, path))
		if err != nil {
			return err
		}
		w.note(path, size, sum)
	}
	if err := w.takeMedia(ctx, p.Media); err != nil {
		return fmt.Errorf("back up the media: %w", err)
	}
	if err := w.takeKeys(ctx, p); err != nil {
		return fmt.Errorf("back up the keys: %w", err)
	}
	return w.finish()
}

func (w *writer) note(path string, size int64, digits string) {
	w.sums = append(w.sums, sum{path, digits})
	w.m.Files, w.m.Bytes = w.m.Files+1, w.m.Bytes+size
}

// takeMedia copies every content that is there.
func (w *writer) takeMedia(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); dir == "" || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	store, err := media.OpenDirectory(dir)
	if err != nil {
		return err
	}
	err = store.Walk(ctx, func(h media.Hash, _ time.Time) error { return w.takeContent(ctx, dir, h) })
	return errors.Join(err, store.Close())
}

func (w *writer) takeContent(ctx context.Context, dir string, h media.Hash) error {
	path := filepath.Join("media", media.PathOf(h))
	from, to := filepath.Join(dir, media.PathOf(h)), filepath.Join(w.dir, path)
	stat, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it went meanwhile
	}
	if err != nil {
		return err
	}
	if w.link(filepath.Join(w.earlier, path), to, stat.Size()) {
		w.m.Linked++
		w.m.Contents++
		w.note(path, stat.Size(), h.String())
		return nil
	}
	size, sum, err := copyFile(ctx, from, to)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case sum != h.String():
		return fmt.Errorf("%s is not what was put: its SHA-256 is %s", from, sum)
	}
	w.m.Contents++
	w.note(path, size, sum)
	return nil
}

// link makes a content one with an earlier backup's, if that has it and the file
// system can.
func (w *writer) link(earlier, to string, size int64) bool {
	if w.earlier == "" {
		return false
	}
	stat, err := os.Stat(earlier)
	if err != nil || stat.Size() != size || os.MkdirAll(filepath.Dir(to), 0o700) != nil {
		return false
	}
	return os.Link(earlier, to) == nil
}

// takeKeys notes which master key there is, and copies it and the certificates
// if that is wanted.
func (w *writer) takeKeys(ctx context.Context, p Places) error {
	key, err := os.ReadFile(p.Key)
	switch {
	case err == nil:
		w.m.Key = fingerprint(key)
	case !errors.Is(err, os.ErrNotExist) || w.m.Keys:
		return err
	}
	if !w.m.Keys {
		return nil
	}
	if err := w.add(ctx, p.Key, filepath.Join("keys", masterKey)); err != nil {
		return err
	}
	paths, err := filesBelow(p.Certs)
	if err != nil {
		return err
	}
	for _, path := range paths {
		err := w.add(ctx, filepath.Join(p.Certs, path), filepath.Join("keys", "certs", path))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a lock went meanwhile
			return err
		}
	}
	return nil
}

func (w *writer) add(ctx context.Context, from, path string) error {
	size, sum, err := copyFile(ctx, from, filepath.Join(w.dir, path))
	if err == nil {
		w.note(path, size, sum)
	}
	return err
}

// finish writes what the backup says of itself, and brings all to the disk.
func (w *writer) finish() error {
	list := encodeSums(w.sums)
	got := sha256.Sum256(list)
	w.m.Sums = hex.EncodeToString(got[:])
	text, err := json.MarshalIndent(w.m, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(filepath.Join(w.dir, sumsFile), list),
		writeFile(filepath.Join(w.dir, manifestFile), append(text, '\n')),
		syncDirs(w.dir),
	)
}
