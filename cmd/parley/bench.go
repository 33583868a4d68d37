package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
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
	inFlight, turnRate               int
	integrations, apiRate            int
	stored                           int
	nodeCPU                          float64
	modelTime, duration              time.Duration
	dir, only                        string
	bound                            bool   // be the bound server
	world                            string // of the bound server
}

// bench measures how fast webhooks are taken in and turns are done, beside the
// bound, how fast the API answers, what backups and more nodes cost and do. The server
// and the bound run as processes of their own, one after the other loaded by
// this one, which plays Meta and the model, too.
func bench(ctx context.Context, args []string, out io.Writer) error {
	var o benchOptions
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.only, "only", "", "webhooks, turns, api, backup or nodes; all by default")
	flags.IntVar(&o.connections, "connections", 128, "connections that post webhooks")
	flags.IntVar(&o.rate, "rate", 5000, "webhooks per second of the open loop")
	flags.IntVar(&o.calm, "calm-rate", 500, "webhooks per second when the model's speed is compared")
	flags.IntVar(&o.senders, "senders", 5000, "people who write")
	flags.IntVar(&o.inFlight, "in-flight", 512, "people who wait for their answers in the closed loop of turns")
	flags.IntVar(&o.turnRate, "turn-rate", 500, "turns per second of the open loop")
	flags.IntVar(&o.integrations, "integrations", 10_000, "integrations of the account whose API is asked")
	flags.IntVar(&o.apiRate, "api-rate", 2000, "requests per second of the API's mixed load")
	flags.IntVar(&o.stored, "stored", 200_000, "webhooks that a log holds before it is backed up")
	flags.Float64Var(&o.nodeCPU, "node-cpu", 0.25, "share of a CPU that a node may use where several are compared")
	flags.DurationVar(&o.modelTime, "model-time", 200*time.Millisecond, "time that the model takes in the open loop of turns")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "length of each scenario")
	flags.StringVar(&o.dir, "dir", "", "directory on the disk to be measured; a temporary one by default")
	flags.BoolVar(&o.bound, "bound", false, "be the bound server, on standard output's first line its address")
	flags.StringVar(&o.world, "world", "", "address of the model and of Meta, for the bound server")
	if err := flags.Parse(args); err != nil {
		return err
	}
	easeCollector()
	if o.bound {
		return serveBound(ctx, o, out)
	}
	dir, err := os.MkdirTemp(o.dir, "parley-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // temporary
	o.dir = dir
	results, err := o.run(ctx)
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return errors.Join(err, encoder.Encode(results))
}

// report is what a bench prints.
type report struct {
	Machine  string         `json:"machine"`
	Go       string         `json:"go"`
	Time     string         `json:"time"`
	Webhooks *webhookReport `json:"webhooks,omitempty"`
	Turns    *turnReport    `json:"turns,omitempty"`
	API      *apiReport     `json:"api,omitempty"`
	Backup   *backupReport  `json:"backup,omitempty"`
	Nodes    *nodesReport   `json:"nodes,omitempty"`
}

// run gives what it came to before an error, too.
func (o benchOptions) run(ctx context.Context) (r report, err error) {
	r = report{
		Machine: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Go:      runtime.Version(), Time: time.Now().UTC().Format(time.RFC3339),
	}
	wanted := func(name string) bool { return err == nil && (o.only == "" || o.only == name) }
	if wanted("webhooks") {
		r.Webhooks = &webhookReport{}
		err = o.webhookRuns(ctx, r.Webhooks)
	}
	if wanted("turns") {
		r.Turns = &turnReport{}
		err = o.turnRuns(ctx, r.Turns)
	}
	if wanted("api") {
		r.API = &apiReport{}
		err = o.apiRuns(ctx, r.API)
	}
	if wanted("backup") {
		r.Backup = &backupReport{}
		err = o.backupRuns(ctx, r.Backup)
	}
	if wanted("nodes") {
		r.Nodes = &nodesReport{}
		err = o.nodesRuns(ctx, r.Nodes)
	}
	return r, err
}

// webhookReport is how fast webhooks are taken in.
type webhookReport struct {
	Results []load.Result `json:"results"`
	Share   float64       `json:"closed_loop_share_of_bound"`
	Hang    float64       `json:"ack_p50_hanging_over_answering"`
}

func (o benchOptions) webhookRuns(ctx context.Context, r *webhookReport) error {
	keep := func(x load.Result) load.Result {
		r.Results = append(r.Results, x)
		return x
	}
	closed := func(name string, t load.Target) load.Result {
		return keep(t.Closed(ctx, name+", closed loop", o.connections, o.duration))
	}
	open := func(name string, t load.Target, rate int) load.Result {
		return keep(t.Open(ctx, name, o.connections, rate, o.duration))
	}
	var bound, ours, hanging, answering load.Result
	for _, run := range []func() error{
		func() error {
			return o.withBound(ctx, nil, func(t load.Target) error {
				bound = closed("bound", t)
				open("bound, open loop", t, o.rate)
				return nil
			})
		},
		func() error {
			return o.withWarmServer(ctx, load.Never, func(t load.Target) {
				ours = closed("parley, model hangs", t)
			})
		},
		func() error {
			return o.withWarmServer(ctx, load.Never, func(t load.Target) {
				open("parley, model hangs, open loop", t, o.rate)
				hanging = open("parley, model hangs, calm", t, o.calm)
			})
		},
		func() error {
			return o.withWarmServer(ctx, 0, func(t load.Target) {
				answering = open("parley, model answers at once, calm", t, o.calm)
				closed("parley, model answers at once", t)
			})
		},
	} {
		if err := run(); err != nil {
			return err
		}
	}
	r.Share, r.Hang = ours.PerSecond/bound.PerSecond, hanging.P50/answering.P50
	return nil
}

// withWarmServer runs a server that everybody wrote to.
func (o benchOptions) withWarmServer(ctx context.Context, model time.Duration, drive func(load.Target)) error {
	return withWorld(model, func(world *load.World) error {
		return o.withServer(ctx, world, func(t load.Target) error {
			err := t.Warm(o.connections)
			if err == nil {
				drive(t)
			}
			return err
		})
	})
}
