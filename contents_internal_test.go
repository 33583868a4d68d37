package parley

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors/perform"
	"parley/media"
)

// counted counts how often a media store is swept.
type counted struct {
	*media.Memory
	sweeps int
}

func (c *counted) Walk(ctx context.Context, visit func(media.Hash, time.Time) error) error {
	c.sweeps++
	return c.Memory.Walk(ctx, visit)
}

func TestTheNodeWhoseTurnItIsSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, turn := &counted{Memory: media.NewMemory()}, false
		s := &sweeper{contents: perform.Contents{Files: store}, mine: func() bool { return turn }, logger: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		go s.run(ctx)
		for i, c := range []struct {
			turn bool
			want int
		}{{false, 0}, {true, 1}, {true, 2}, {false, 2}} {
			turn = c.turn
			time.Sleep(sweepEvery)
			synctest.Wait()
			if i == 0 && store.sweeps != 0 {
				t.Error("swept by the wrong node")
			}
			if store.sweeps != c.want {
				t.Errorf("step %d: %d sweeps, expected %d", i, store.sweeps, c.want)
			}
		}
		stop()
		synctest.Wait()
	})
}
