package main

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"parley/http/load"
)

// nodesReport is what turns cost with the log elsewhere and with many nodes.
type nodesReport struct {
	// All share the machine's CPUs: what is compared is what a turn costs.
	Results []nodesResult `json:"results"`
	// In Caged each node has no more than a share of a CPU, and the log has
	// what it needs: what is compared is how much more several nodes do.
	Share   float64       `json:"cpus_a_node"`
	Caged   []nodesResult `json:"caged,omitempty"`
	Skipped string        `json:"skipped,omitempty"`
}

// nodesResult is what one arrangement came to.
type nodesResult struct {
	load.TurnResult
	// OfFirst is the rate, by that of the first arrangement.
	OfFirst float64 `json:"of_first"`
	// Log and Model are what the log and a node's read model grew by.
	Log   float64 `json:"log_bytes_per_turn"`
	Model float64 `json:"model_bytes_per_turn"`
	// Joined is how long a new node took that came after all this.
	Joined time.Duration `json:"joined_ns,omitempty"`
}

// arrangements are the ways to run Parley that are compared.
var arrangements = []arrangement{
	{name: "local log"},
	{name: "a log elsewhere", elsewhere: true},
	{name: "1 node", elsewhere: true, nodes: 1},
	{name: "2 nodes", elsewhere: true, nodes: 2},
	{name: "3 nodes", elsewhere: true, nodes: 3},
}

func (o benchOptions) nodesRuns(ctx context.Context, r *nodesReport) error {
	r.Share = o.nodeCPU
	if _, err := exec.LookPath("etcd"); err != nil {
		r.Skipped = "nodes need an etcd (Debian: etcd-server), and there is none on this machine"
		return nil
	}
	run := func(a arrangement, share float64, results *[]nodesResult) error {
		return withWorld(0, func(world *load.World) error {
			return o.withArrangement(ctx, a, share, world, func(s *stage, target load.Target) error {
				x, err := o.nodesRun(ctx, a.name, s, load.Turns{Target: target, World: world})
				if err == nil && a.nodes > 1 && share == 0 {
					x.Joined, err = s.joins(ctx, world)
				}
				if len(*results) > 0 {
					x.OfFirst = x.PerSecond / (*results)[0].PerSecond
				}
				*results = append(*results, x)
				return err
			})
		})
	}
	for _, a := range arrangements {
		if err := run(a, 0, &r.Results); err != nil {
			return err
		}
	}
	for _, a := range arrangements[2:] {
		err := run(a, o.nodeCPU, &r.Caged)
		if errors.Is(err, errNoCage) {
			r.Skipped = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nodesRun measures one arrangement.
func (o benchOptions) nodesRun(ctx context.Context, name string, s *stage, t load.Turns) (x nodesResult, err error) {
	if err := t.Warm(o.inFlight); err != nil {
		return x, err
	}
	log, model, err := s.disk()
	if err != nil {
		return x, err
	}
	x = nodesResult{TurnResult: t.Closed(ctx, name, o.inFlight, o.duration), OfFirst: 1}
	logThen, modelThen, err := s.disk()
	if x.Turns > 0 {
		x.Log, x.Model = float64(logThen-log)/float64(x.Turns), float64(modelThen-model)/float64(x.Turns)
	}
	return x, errors.Join(err, x.Err())
}
