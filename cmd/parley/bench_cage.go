package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// cage is a control group that gives its processes a share of a CPU, so that
// what more nodes can do is seen on a machine with few.
type cage struct{ dir string }

// cagePeriod is the time in which a share is used up, in microseconds.
const cagePeriod = 100_000

// errNoCage says that the machine has no cages for us.
var errNoCage = errors.New("no share of a CPU can be given here")

// newCage makes a cage for a share of one CPU, such as 0.25. It needs Linux and
// root.
// Source: the kernel's admin-guide, cgroup-v2 (cpu.max) and
// cgroup-v1 (cpu.cfs_quota_us).
func newCage(share float64) (*cage, error) {
	quota, name := strconv.Itoa(int(share*cagePeriod)), fmt.Sprintf("parley-bench-%d-%d", os.Getpid(), time.Now().UnixNano())
	var errs []error
	for _, version := range []struct{ root, file, limit string }{
		{"/sys/fs/cgroup", "cpu.max", quota + " " + strconv.Itoa(cagePeriod)},
		{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", quota},
	} {
		c := &cage{dir: filepath.Join(version.root, name)}
		err := os.Mkdir(c.dir, 0o700)
		if err == nil {
			if err = write(filepath.Join(c.dir, version.file), version.limit); err == nil {
				return c, nil
			}
			err = errors.Join(err, c.remove())
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("%w: %w", errNoCage, errors.Join(errs...))
}

// take puts a process into the cage.
func (c *cage) take(pid int) error {
	return write(filepath.Join(c.dir, "cgroup.procs"), strconv.Itoa(pid))
}

// remove removes the cage, when nobody is in it.
func (c *cage) remove() error { return os.Remove(c.dir) }

// write writes into a file that is there: the kernel's are not made.
func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
