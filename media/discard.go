package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Delete removes a content. See [Store].
func (d *Directory) Delete(_ context.Context, h Hash) error {
	if d.closed.Load() {
		return ErrClosed
	}
	place := d.place(h)
	err := os.Remove(place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.syncDir(filepath.Dir(place))
	}
	if err != nil {
		return fmt.Errorf("delete media: %w", err)
	}
	return nil
}

// Discard removes a content that is not fresh. See [Store].
//
// A file is as old as the last byte that was written to it. Between looking and
// removing nobody may put the content anew, in no process: hence the lock.
func (d *Directory) Discard(_ context.Context, h Hash, putBefore time.Time) error {
	if d.closed.Load() {
		return ErrClosed
	}
	place := d.place(h)
	err := locked(filepath.Dir(place), syscall.LOCK_EX, func() error {
		stat, err := os.Stat(place)
		if err != nil || !stat.ModTime().Before(putBefore) {
			return err
		}
		if err := os.Remove(place); err != nil {
			return err
		}
		return d.syncDir(filepath.Dir(place))
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard media: %w", err)
	}
	return nil
}

// Walk visits every content. See [Store].
func (d *Directory) Walk(ctx context.Context, visit func(h Hash, put time.Time) error) error {
	if d.closed.Load() {
		return ErrClosed
	}
	return filepath.WalkDir(d.contents(), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || entry.IsDir() {
			return err
		}
		h, err := ParseHash(entry.Name())
		if err != nil {
			return nil // not ours
		}
		stat, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went meanwhile
		}
		if err != nil {
			return fmt.Errorf("walk media: %w", err)
		}
		return visit(h, stat.ModTime())
	})
}
