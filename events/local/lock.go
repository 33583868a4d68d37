package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrInUse says that another process has the directory: one owns it at a time.
var ErrInUse = errors.New("it is in use by another process")

// Lock takes the exclusive right to a directory, and makes it if it is not
// there. It is for what belongs to one process and has no log of its own beside
// it. The right ends when what it returns is closed; ErrInUse says that another
// process has it.
func Lock(dir string) (io.Closer, error) {
	if err := MakeDir(dir); err != nil {
		return nil, err
	}
	f, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// lockDir takes the exclusive right to a log's directory. The kernel gives it
// back when the file is closed, and when the process ends in any way.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "log.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	if err := writeOwner(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return err
	}
	owner, err := io.ReadAll(f)
	if err != nil || len(owner) == 0 {
		owner = []byte("unknown") // it has not said yet
	}
	return fmt.Errorf("%w, pid %s", ErrInUse, strings.TrimSpace(string(owner)))
}

// writeOwner tells people, and the next process that wants the lock, who has
// it. It overwrites in place, which also works on a full disk.
func writeOwner(f *os.File) error {
	_, err := f.WriteAt(fmt.Appendf(nil, "%-20d\n", os.Getpid()), 0)
	return err
}
