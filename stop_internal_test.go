package parley

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"parley/actors"
	"parley/cluster"
	"parley/events"
	"parley/events/memory"
)

// away is a registry that cannot be reached when a node leaves.
type away struct{ cluster.Alone }

func (*away) Leave(context.Context, cluster.Member) error { return context.DeadlineExceeded }

// Who is told to stop, and does, ends well.
func TestANodeStopsWellWithoutItsRegistry(t *testing.T) {
	n, _ := newNode(Config{}, slog.New(slog.DiscardHandler), nil)
	n.store = memory.New()
	n.host = actors.NewHost(n.store, actors.DefaultLimits(), n.logger, nil)
	var err error
	if n.cluster, err = cluster.Start(t.Context(), cluster.Config{Registry: &away{}, Host: n.host, Logger: n.logger}); err != nil {
		t.Fatal(err)
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Errorf("its process would fail: %v", err)
	}
	if _, err := n.store.Head(t.Context()); !errors.Is(err, events.ErrClosed) {
		t.Errorf("the log is not closed: %v", err)
	}
}
