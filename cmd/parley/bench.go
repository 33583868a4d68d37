package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"parley/http/load"
)

// What the bench's server is configured with.
const (
	benchSecret    = "sk-bench"
	benchAppSecret = "bench-app-secret"
	benchNumber    = "100000000000001"
)

// benchOptions are the numbers of a bench.
type benchOptions struct {
	connections, rate, calm, senders int
	duration                         time.Duration
	dir                              string
	bound                            bool // be the bound server
}

// bench measures how fast webhooks are taken in, beside the bound. The server,
// the bound and the world run as processes of their own, one after the other
// loaded by this one.
func bench(ctx context.Context, args []string, out io.Writer) error {
	var o benchOptions
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.connections, "connections", 128, "connections that post webhooks")
	flags.IntVar(&o.rate, "rate", 5000, "webhooks per second of the open loop")
	flags.IntVar(&o.calm, "calm-rate", 500, "webhooks per second when the model's speed is compared")
	flags.IntVar(&o.senders, "senders", 5000, "people who write")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "length of each scenario")
	flags.StringVar(&o.dir, "dir", "", "directory on the disk to be measured; a temporary one by default")
	flags.BoolVar(&o.bound, "bound", false, "be the bound server, on standard output's first line its address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.bound {
		return serveBound(ctx, o.dir, out)
	}
	dir, err := os.MkdirTemp(o.dir, "parley-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // temporary
	o.dir = dir
	results, err := o.run(ctx)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(results)
}

// report is what a bench prints.
type report struct {
	Machine string  `json:"machine"`
	Go      string  `json:"go"`
	Time    string  `json:"time"`
	Results []any   `json:"results"`
	Share   float64 `json:"closed_loop_share_of_bound"`
	Hang    float64 `json:"ack_p50_hanging_over_answering"`
}

func (o benchOptions) run(ctx context.Context) (report, error) {
	r := report{
		Machine: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Go:      runtime.Version(), Time: time.Now().UTC().Format(time.RFC3339),
	}
	keep := func(x load.Result) load.Result {
		r.Results = append(r.Results, x)
		return x
	}
	var bound, ours, hanging, answering load.Result
	err := o.withBound(ctx, func(t load.Target) {
		bound = keep(t.Closed(ctx, "bound, closed loop", o.connections, o.duration))
		keep(t.Open(ctx, "bound, open loop", o.connections, o.rate, o.duration))
	})
	if err != nil {
		return r, err
	}
	err = o.withServer(ctx, "hang", func(t load.Target) {
		ours = keep(t.Closed(ctx, "parley, model hangs, closed loop", o.connections, o.duration))
	})
	if err != nil {
		return r, err
	}
	err = o.withServer(ctx, "hang", func(t load.Target) {
		keep(t.Open(ctx, "parley, model hangs, open loop", o.connections, o.rate, o.duration))
		hanging = keep(t.Open(ctx, "parley, model hangs, calm", o.connections, o.calm, o.duration))
	})
	if err != nil {
		return r, err
	}
	err = o.withServer(ctx, "answer", func(t load.Target) {
		answering = keep(t.Open(ctx, "parley, model answers at once, calm", o.connections, o.calm, o.duration))
		keep(t.Closed(ctx, "parley, model answers at once, closed loop", o.connections, o.duration))
	})
	if err != nil {
		return r, err
	}
	r.Share, r.Hang = ours.PerSecond/bound.PerSecond, hanging.P50/answering.P50
	return r, nil
}

// serveBound is the child process that answers for the bound.
func serveBound(ctx context.Context, dir string, out io.Writer) error {
	b, err := load.NewBound(dir, benchAppSecret)
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

func (o benchOptions) withBound(ctx context.Context, drive func(load.Target)) error {
	child, err := start(ctx, "bench", "--bound", "--dir", o.dir)
	if err != nil {
		return err
	}
	address := ""
	_, err = fmt.Fscanln(child.out, &address)
	if err == nil {
		drive(load.Target{URL: "http://" + address + "/", Webhooks: o.webhooks("bound"), Process: child.process.Process.Pid})
	}
	return errors.Join(err, child.stop())
}

func (o benchOptions) webhooks(run string) *load.Webhooks {
	return &load.Webhooks{
		PhoneNumberID: benchNumber, AppSecret: benchAppSecret, Senders: o.senders,
		Run: run + fmt.Sprint(time.Now().UnixNano()),
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
	c := exec.CommandContext(ctx, self, args...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(args, " "), err)
	}
	return &child{process: c, out: out}, nil
}

// stop asks the process to end and waits for it.
func (c *child) stop() error {
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, c.out) // until it closes
	return c.process.Wait()
}

// withServer runs a server with a model that hangs or answers, and drives its
// callback.
func (o benchOptions) withServer(ctx context.Context, model string, drive func(load.Target)) error {
	world, err := load.NewWorld(model == "hang")
	if err != nil {
		return err
	}
	defer world.Close()
	dir := filepath.Join(o.dir, fmt.Sprint(time.Now().UnixNano()))
	address, err := freeAddress()
	if err != nil {
		return err
	}
	server, err := start(ctx, "serve", "--data", dir, "--listen", address, "--tokens", "bench:"+benchSecret,
		"--graph-url", world.URL(), "--openai-base-url", world.URL()+"/v1", "--log-level", "error")
	if err != nil {
		return err
	}
	url, err := load.Furnish(ctx, "http://"+address, benchSecret, benchNumber, benchAppSecret)
	target := load.Target{URL: url, Webhooks: o.webhooks(model), Process: server.process.Process.Pid}
	if err == nil {
		err = target.Warm(o.connections)
	}
	if err == nil {
		drive(target)
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
