package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"parley/http/load"
)

// arrangement is a way to run Parley: one process with its own log, one with a
// log elsewhere, or so many nodes.
type arrangement struct {
	name      string
	elsewhere bool
	nodes     int // in a cluster; 0 is one process by itself
}

// stage is what an arrangement runs, in the order it was started.
type stage struct {
	o       benchOptions
	dir     string
	started []*child
	cages   []*cage

	settings []string // of every node
	nodes    int      // that were started
}

// withArrangement runs an arrangement and drives it. share is how much of a
// CPU each node may use; 0 is as much as there is.
func (o benchOptions) withArrangement(ctx context.Context, a arrangement, share float64, world *load.World, drive func(*stage, load.Target) error) (err error) {
	s := &stage{o: o, dir: filepath.Join(o.dir, fmt.Sprint(time.Now().UnixNano()))}
	defer func() { err = errors.Join(err, s.end()) }()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	target := load.Target{Webhooks: o.webhooks()}
	settings := []string{"--events", "local"}
	if a.elsewhere {
		address, log, err := s.log(ctx)
		if err != nil {
			return err
		}
		target.Log = []int{log.pid()}
		settings = []string{"--events", "esdb://" + address + "?tls=false"}
	}
	if a.nodes > 0 {
		together, err := s.together(ctx)
		if err != nil {
			return err
		}
		settings = append(settings, together...)
	}
	if err := s.serve(ctx, max(1, a.nodes), share, world, settings, &target); err != nil {
		return err
	}
	return drive(s, target)
}

// log starts a log that others use, and gives its address.
func (s *stage) log(ctx context.Context) (string, *child, error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	c, err := s.start(ctx, "log", "serve", "--events", "local", "--data", filepath.Join(s.dir, "log"), "--log-listen", address, "--log-level", "error")
	return address, c, err
}

// together starts an etcd, and gives the settings by which nodes belong
// together.
func (s *stage) together(ctx context.Context) ([]string, error) {
	var urls []string
	for range 2 {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		urls = append(urls, "http://"+address)
	}
	etcd := exec.CommandContext(ctx, "etcd", "--name", "one", "--data-dir", filepath.Join(s.dir, "etcd"), "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
		"--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1], "--initial-cluster", "one="+urls[1])
	c, err := launch(etcd)
	if err != nil {
		return nil, err
	}
	s.started = append(s.started, c)
	key := filepath.Join(s.dir, "master.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("a1", 32)+"\n"), 0o600); err != nil {
		return nil, err
	}
	return []string{
		"--cluster", strings.Replace(urls[0], "http", "etcd", 1), "--cluster-listen", "127.0.0.1:0",
		"--master-key-file", key, "--media", "file://" + filepath.Join(s.dir, "media"),
	}, nil
}

// serve starts nodes, and adds their callbacks and processes to a target.
func (s *stage) serve(ctx context.Context, nodes int, share float64, world *load.World, settings []string, target *load.Target) error {
	s.settings = settings
	var bases []string
	for range nodes {
		base, node, err := s.node(ctx, world)
		if err != nil {
			return err
		}
		bases, target.Processes = append(bases, base), append(target.Processes, node.pid())
		if err := s.cage(node, share); err != nil {
			return err
		}
	}
	callback, err := load.Furnish(ctx, bases[0], benchSecret, benchNumber, benchAppSecret)
	if err != nil {
		return err
	}
	for _, base := range bases {
		if err := load.AwaitReady(ctx, base); err != nil {
			return err
		}
		target.URLs = append(target.URLs, base+strings.TrimPrefix(callback, bases[0]))
	}
	return nil
}

// node starts one node more, and gives where it is.
func (s *stage) node(ctx context.Context, world *load.World) (base string, c *child, err error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Join(s.dir, fmt.Sprint("node", s.nodes))
	s.nodes++
	c, err = s.start(ctx, append(s.o.serving(dir, address, world), s.settings...)...)
	return "http://" + address, c, err
}

// joins tells how long a new node takes until it has read the whole log and can
// do its work.
func (s *stage) joins(ctx context.Context, world *load.World) (time.Duration, error) {
	began := time.Now()
	base, _, err := s.node(ctx, world)
	if err == nil {
		err = load.AwaitReady(ctx, base)
	}
	return time.Since(began), err
}

// disk is what the log and the first node's read model take, in bytes.
func (s *stage) disk() (log, model int64, err error) {
	size := func(root string) (all int64, err error) {
		err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				all += info.Size()
			}
			return err
		})
		return all, err
	}
	first := filepath.Join(s.dir, "node0")
	for _, root := range []string{filepath.Join(s.dir, "log", "log"), filepath.Join(first, "log")} {
		if n, err := size(root); err == nil {
			log += n
		}
	}
	model, err = size(filepath.Join(first, "read"))
	return log, model, err
}

// cage gives a process no more than a share of a CPU, if it is more than 0.
func (s *stage) cage(c *child, share float64) error {
	if share == 0 {
		return nil
	}
	cage, err := newCage(share)
	if err != nil {
		return err
	}
	s.cages = append(s.cages, cage)
	return cage.take(c.pid())
}

func (s *stage) start(ctx context.Context, args ...string) (*child, error) {
	c, err := start(ctx, args...)
	if err == nil {
		s.started = append(s.started, c)
	}
	return c, err
}

// end ends everything, in the opposite order.
func (s *stage) end() error {
	var errs []error
	for i := len(s.started) - 1; i >= 0; i-- {
		errs = append(errs, s.started[i].stop())
	}
	for _, c := range s.cages {
		errs = append(errs, c.remove())
	}
	return errors.Join(errs...)
}
