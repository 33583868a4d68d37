package main

import (
	"context"
	"errors"
	"time"

	"parley/http/load"
)

// turnReport is how fast turns are done.
type turnReport struct {
	Results []load.TurnResult `json:"results"`
	Share   float64           `json:"closed_loop_share_of_bound"`
}

// turnRuns fail when anything is missing or there twice.
func (o benchOptions) turnRuns(ctx context.Context, r *turnReport) error {
	keep := func(x load.TurnResult) error {
		r.Results = append(r.Results, x)
		return x.Err()
	}
	fastest := map[string]float64{}
	closed := func(name string) func(load.Turns) error {
		return func(t load.Turns) error {
			x := t.Closed(ctx, name+", turns, closed loop", o.inFlight, o.duration)
			fastest[name] = x.PerSecond
			return keep(x)
		}
	}
	open := func(name string) func(load.Turns) error {
		return func(t load.Turns) error {
			return keep(t.Open(ctx, name+", turns, open loop", o.turnRate, o.duration))
		}
	}
	var errs []error
	for _, run := range []struct {
		server func(context.Context, *load.World, func(load.Target) error) error
		model  time.Duration
		drive  func(load.Turns) error
	}{
		{o.withBound, 0, closed("bound")},
		{o.withServer, 0, closed("parley")},
		{o.withBound, o.modelTime, open("bound")},
		{o.withServer, 0, open("parley")},
		{o.withServer, o.modelTime, open("parley")},
	} {
		errs = append(errs, withWorld(run.model, func(world *load.World) error {
			return run.server(ctx, world, func(target load.Target) error {
				t := load.Turns{Target: target, World: world}
				if err := t.Warm(o.inFlight); err != nil {
					return err
				}
				return run.drive(t)
			})
		}))
	}
	if fastest["bound"] > 0 {
		r.Share = fastest["parley"] / fastest["bound"]
	}
	return errors.Join(errs...)
}
