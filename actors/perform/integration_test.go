package perform_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/actors"
	"parley/actors/perform"
	"parley/cluster"
	"parley/domain"
	"parley/domain/integration"
	"parley/events"
	"parley/events/memory"
	"parley/events/vault"
)

// Two nodes that both took an integration for theirs purge it one after the
// other. The deletion is what everybody still has to read.
func TestAPurgeThatIsMadeTwiceKeepsTheDeletion(t *testing.T) { // P6 P7
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, store: memory.New()}
		secrets, err := vault.New(w.store, bytes.Repeat([]byte{1}, vault.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		purge := &perform.Integration{Store: w.store, Vault: secrets}
		for i := range 2 {
			logger := slog.New(slog.DiscardHandler)
			host := actors.NewHost(w.store, actors.DefaultLimits(), logger, nil)
			node, err := cluster.Start(t.Context(), cluster.Config{
				Registry: &cluster.Alone{}, Host: host, Logger: logger,
				Kinds: []actors.Kind{actors.NewKind(host, integration.New(), actors.PerformerFunc(func(ctx context.Context, work actors.Work) error {
					time.Sleep(time.Duration(i+1) * time.Second)
					return purge.Perform(ctx, work)
				}))},
			})
			if err != nil {
				t.Fatal(err)
			}
			w.nodes = append(w.nodes, node)
			defer func() {
				if err := node.Stop(context.Background(), time.Second); err != nil {
					t.Error(err)
				}
			}()
		}
		w.integrate("i1", "acme")
		w.ask(0, events.IntegrationCategory, "i1", "acme", integration.Delete{})
		if _, err := w.nodes[1].Query(t.Context(), domain.Address{Kind: events.IntegrationCategory, ID: "i1"}, actors.Wake{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		left, err := w.store.Read(t.Context(), events.StreamOf(events.IntegrationCategory, "i1"), events.StreamStart, events.Forwards, 10)
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, r := range left {
			types = append(types, r.Type)
		}
		if diff := cmp.Diff([]string{"IntegrationDeleted", "IntegrationPurged"}, types); diff != "" {
			t.Error(diff)
		}
	})
}
