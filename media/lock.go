package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// join takes a share of the directory's lock, which the kernel gives back when
// the process ends in any way. Whoever could have had all of it is alone, and
// cleans up first.
func (d *Directory) join() error {
	lock, err := os.OpenFile(filepath.Join(d.path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = flock(lock, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = d.clean()
	} else if errors.Is(err, syscall.EWOULDBLOCK) {
		err = nil
	}
	if err == nil {
		err = flock(lock, syscall.LOCK_SH) // waits while another cleans
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	d.lock = lock
	return nil
}

// clean removes what a crash left.
func (d *Directory) clean() error {
	drafts, err := os.ReadDir(d.drafts())
	if err != nil {
		return err
	}
	for _, draft := range drafts {
		if err := os.Remove(filepath.Join(d.drafts(), draft.Name())); err != nil {
			return err
		}
	}
	return nil
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		return nil
	}
}

// locked does something to the names in a directory under its lock, which is
// held by one process or, if shared, by several.
func locked(path string, how int, do func() error) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	if err = flock(dir, how); err == nil {
		err = do()
	}
	return errors.Join(err, dir.Close()) // closing unlocks
}
