package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
)

// Directory is a store in a directory of the file system:
//
//	drafts/1234567890       what is being put
//	sha256/2/2cf24dba5f…    contents, each under its hash
//	lock                    held by every process that uses the directory
//
// A content is written as a draft, synced, and renamed to its hash, so a crash
// at any moment leaves a draft at worst. Several processes of one machine may
// use a directory at the same time.
type Directory struct {
	path   string
	lock   *os.File
	closed atomic.Bool
	// sync brings a file, or the names in a directory, to the disk.
	sync func(*os.File) error
}

// OpenDirectory opens a store in a directory, which is made if need be. Drafts
// that a crash left are removed, unless another process uses the directory and
// they may be its own.
func OpenDirectory(path string) (*Directory, error) {
	d := &Directory{path: filepath.Clean(path), sync: (*os.File).Sync}
	if err := d.furnish(); err != nil {
		return nil, fmt.Errorf("open media directory: %w", err)
	}
	if err := d.join(); err != nil {
		return nil, fmt.Errorf("open media directory %s: %w", d.path, err)
	}
	return d, nil
}

func (d *Directory) drafts() string { return filepath.Join(d.path, "drafts") }

func (d *Directory) contents() string { return filepath.Join(d.path, "sha256") }

// place is where a content lies.
func (d *Directory) place(h Hash) string { return filepath.Join(d.path, PathOf(h)) }

// PathOf is where a content lies within a directory that holds a store.
func PathOf(h Hash) string {
	name := h.String()
	return filepath.Join("sha256", name[:1], name)
}

// furnish makes all directories there will ever be, so that a content needs no
// other name on the disk than its own.
func (d *Directory) furnish() error {
	parts := []string{d.drafts()}
	for _, digit := range "0123456789abcdef" {
		parts = append(parts, filepath.Join(d.contents(), string(digit)))
	}
	for _, part := range parts {
		if err := d.makeDir(part); err != nil {
			return err
		}
	}
	// Another process may have made them, and not come so far yet.
	return errors.Join(d.syncDir(d.contents()), d.syncDir(d.path))
}

// makeDir makes a directory, and those above it that are missing.
func (d *Directory) makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		above := filepath.Dir(path)
		if err := d.makeDir(above); err != nil {
			return err
		}
		if err := d.syncDir(filepath.Dir(above)); err != nil {
			return err
		}
		return d.makeDir(path)
	}
	return err
}

// Put keeps a content. See [Store].
func (d *Directory) Put(ctx context.Context, content io.Reader, limits Limits) (Object, error) {
	o, err := d.put(ctx, content, limits)
	if err != nil {
		return Object{}, fmt.Errorf("put media: %w", err)
	}
	return o, nil
}

func (d *Directory) put(ctx context.Context, content io.Reader, limits Limits) (Object, error) {
	if d.closed.Load() {
		return Object{}, ErrClosed
	}
	draft, err := os.CreateTemp(d.drafts(), "")
	if err != nil {
		return Object{}, err
	}
	o, err := Take(ctx, draft, content, limits)
	if err == nil {
		err = d.sync(draft)
	}
	err = errors.Join(err, draft.Close())
	if err == nil {
		err = d.keep(draft.Name(), d.place(o.Hash))
	}
	if err != nil {
		_ = os.Remove(draft.Name()) // what stays is removed by the next opening
		return Object{}, err
	}
	return o, nil
}

// keep gives a synced draft its name. A content that is there already is
// replaced by its like: that costs nothing any more, and heals one that the
// disk has spoilt.
func (d *Directory) keep(draft, place string) error {
	return locked(filepath.Dir(place), syscall.LOCK_SH, func() error {
		if err := os.Rename(draft, place); err != nil {
			return err
		}
		return d.syncDir(filepath.Dir(place))
	})
}

// Open gives a content; it is an *os.File. See [Store].
func (d *Directory) Open(_ context.Context, h Hash) (io.ReadSeekCloser, Object, error) {
	f, o, err := d.open(h)
	if err != nil {
		return nil, Object{}, err // f would be a reader that is not nil
	}
	return f, o, nil
}

// Stat says what is known of a content. See [Store].
func (d *Directory) Stat(_ context.Context, h Hash) (Object, error) {
	f, o, err := d.open(h)
	if err != nil {
		return Object{}, err
	}
	return o, f.Close()
}

func (d *Directory) open(h Hash) (*os.File, Object, error) {
	if d.closed.Load() {
		return nil, Object{}, ErrClosed
	}
	f, err := os.Open(d.place(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Object{}, ErrNotFound
	}
	if err != nil {
		return nil, Object{}, fmt.Errorf("open media: %w", err)
	}
	o, err := describe(f, h)
	if err != nil {
		return nil, Object{}, fmt.Errorf("open media: %w", errors.Join(err, f.Close()))
	}
	return f, o, nil
}

// describe looks at a content. Its type is not written down anywhere, since
// the bytes tell it.
func describe(f *os.File, h Hash) (Object, error) {
	stat, err := f.Stat()
	if err != nil {
		return Object{}, err
	}
	head := make([]byte, min(lookAt, stat.Size()))
	if _, err := f.ReadAt(head, 0); err != nil {
		return Object{}, err
	}
	return Object{Hash: h, Size: stat.Size(), Type: look(head)}, nil
}

// Close gives the directory back. What is being put goes on, or fails.
func (d *Directory) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	return d.lock.Close()
}

// syncDir brings the names in a directory to the disk.
func (d *Directory) syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.sync(dir), dir.Close())
}
