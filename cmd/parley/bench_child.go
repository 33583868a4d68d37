package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parley/http/load"
)

// serveBound is the child process that answers for the bound.
func serveBound(ctx context.Context, o benchOptions, out io.Writer) error {
	b, err := load.NewBound(o.dir, benchAppSecret, o.world, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	<-ctx.Done()
	return errors.Join(b.Close(), <-served)
}

// withBound runs the bound, with a world or none, and drives it.
func (o benchOptions) withBound(ctx context.Context, world *load.World, drive func(load.Target) error) error {
	args := []string{"bench", "--bound", "--dir", o.dir}
	if world != nil {
		args = append(args, "--world", world.URL())
	}
	child, err := start(ctx, args...)
	if err != nil {
		return err
	}
	address := ""
	_, err = fmt.Fscanln(child.out, &address)
	if err == nil {
		err = drive(load.Target{URLs: []string{"http://" + address + "/"}, Webhooks: o.webhooks(), Processes: []int{child.pid()}})
	}
	return errors.Join(err, child.stop())
}

func (o benchOptions) webhooks() *load.Webhooks {
	return &load.Webhooks{
		PhoneNumberID: benchNumber, AppSecret: benchAppSecret, Senders: o.senders,
		Run: fmt.Sprint(time.Now().UnixNano()),
	}
}

// child is a process of this program.
type child struct {
	process *exec.Cmd
	out     io.Reader
}

func start(ctx context.Context, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return launch(exec.CommandContext(ctx, self, args...))
}

func launch(c *exec.Cmd) (*child, error) {
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(c.Args, " "), err)
	}
	return &child{process: c, out: out}, nil
}

func (c *child) pid() int { return c.process.Process.Pid }

// stop asks the process to end and waits for it.
func (c *child) stop() error {
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, c.out) // until it closes
	err := c.process.Wait()
	if state, ok := c.process.ProcessState.Sys().(syscall.WaitStatus); ok && state.Signaled() && state.Signal() == syscall.SIGTERM {
		return nil // as etcd ends
	}
	return err
}

func withWorld(model time.Duration, do func(*load.World) error) error {
	world, err := load.NewWorld(model)
	if err != nil {
		return err
	}
	defer world.Close()
	return do(world)
}

// serving is the command line of a server in a world, but for its log. It does
// not wait for people to write more, nor for Meta's limit.
func (o benchOptions) serving(dir, address string, world *load.World) []string {
	return []string{
		"serve", "--data", dir, "--log-listen", "", "--listen", address, "--tokens", "bench:" + benchSecret,
		"--graph-url", world.URL(), "--openai-base-url", world.URL() + "/v1", "--log-level", "error",
		"--gather", "0", "--number-rate", "1000000",
	}
}

// withServer runs a server in a world, and drives its callback.
func (o benchOptions) withServer(ctx context.Context, world *load.World, drive func(load.Target) error) error {
	return o.withServerIn(ctx, filepath.Join(o.dir, fmt.Sprint(time.Now().UnixNano())), world, drive)
}

// withServerIn does so with a data directory.
func (o benchOptions) withServerIn(ctx context.Context, dir string, world *load.World, drive func(load.Target) error) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	server, err := start(ctx, append(o.serving(dir, address, world), "--events", "local")...)
	if err != nil {
		return err
	}
	url, err := load.Furnish(ctx, "http://"+address, benchSecret, benchNumber, benchAppSecret)
	if err == nil {
		err = drive(load.Target{URLs: []string{url}, Webhooks: o.webhooks(), Processes: []int{server.pid()}})
	}
	return errors.Join(err, server.stop())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
