package parley

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors"
	"parley/cluster"
	"parley/domain"
	"parley/events"
	"parley/events/memory"
	"parley/projections"
)

// owing are the rules of something that owes work from its first fact on.
var owing = domain.Decider[bool]{
	Kind:   events.BotCategory,
	Evolve: func(bool, events.Event) bool { return true },
	Pending: func(owes bool) []domain.Task {
		if !owes {
			return nil
		}
		return []domain.Task{{Lane: "work"}}
	},
}

// A node that is slow to hear that others came still takes in work for actors
// that have moved to them, and lets go of it when it hears.
func TestWorkThatMovesLateIsFoundSoon(t *testing.T) { // P4
	synctest.Test(t, func(t *testing.T) {
		store, logger := memory.New(), slog.New(slog.DiscardHandler)
		model, err := projections.Open(t.Context(), projections.Config{Path: filepath.Join(t.TempDir(), "model.db"), Store: store})
		if err != nil {
			t.Fatal(err)
		}
		background, quit := context.WithCancel(context.Background())
		go func() { _ = model.Run(background) }()
		begun := make(chan time.Time, 1)
		host := actors.NewHost(store, actors.DefaultLimits(), logger, nil)
		node, err := cluster.Start(t.Context(), cluster.Config{
			Registry: &cluster.Alone{}, Host: host, Logger: logger,
			Kinds: []actors.Kind{actors.NewKind(host, owing, actors.PerformerFunc(func(ctx context.Context, _ actors.Work) error {
				begun <- time.Now()
				<-ctx.Done()
				return ctx.Err()
			}))},
		})
		if err != nil {
			t.Fatal(err)
		}
		w := newWaker(model, logger)
		w.hurry()
		go w.run(background, node)
		time.Sleep(wakeSoon / 2)
		taken := time.Now()
		stream := events.StreamOf(events.BotCategory, "a")
		records, err := events.Records(stream, events.Metadata{Command: "c", Owes: 1}, events.TokenRevoked{})
		if err == nil {
			_, err = store.Append(t.Context(), stream, events.NoStream, records...)
		}
		if err != nil {
			t.Fatal(err)
		}
		if late := (<-begun).Sub(taken); late > wakeSoon {
			t.Errorf("work that moved is begun after %v", late)
		}
		quit()
		if err := node.Stop(context.Background(), 0); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	})
}
