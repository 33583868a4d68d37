package parley

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors/perform"
	"parley/media"
)

// counted counts how often a media store is swept.
type counted struct {
	*media.Memory
	sweeps atomic.Int64
}

func (c *counted) Walk(ctx context.Context, visit func(media.Hash, time.Time) error) error {
	c.sweeps.Add(1)
	return c.Memory.Walk(ctx, visit)
}

func TestTheNodeWhoseTurnItIsSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, turn := &counted{Memory: media.NewMemory()}, atomic.Bool{}
		s := &sweeper{contents: perform.Contents{Files: store}, mine: turn.Load, logger: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		go s.run(ctx)
		for i, c := range []struct {
			turn bool
			want int
		}{{false, 0}, {true, 1}, {true, 2}, {false, 2}} {
			turn.Store(c.turn)
			time.Sleep(sweepEvery)
			synctest.Wait()
			if got := int(store.sweeps.Load()); got != c.want {
				t.Errorf("step %d: %d sweeps, expected %d", i, got, c.want)
			}
		}
		stop()
		synctest.Wait()
	})
}
