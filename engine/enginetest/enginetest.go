// Package enginetest is the contract that every engine passes.
package enginetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

// Run checks the promises of engine.Engine. The turn must be one that e
// answers with at least two acts, and in the same way every time.
func Run(t *testing.T, e engine.Engine, turn engine.Turn) {
	t.Helper()
	want, err := engine.Collect(e.Answer(t.Context(), turn))
	if err != nil {
		t.Fatalf("answer: %v", err)
	}
	if len(want) < 2 {
		t.Fatalf("the turn has %d acts, the contract needs two", len(want))
	}

	t.Run("the same turn can be run again", func(t *testing.T) {
		same(t, e, turn, want)
	})
	t.Run("the turn is not changed", func(t *testing.T) { unchanged(t, e, turn) })
	t.Run("a reader that stops gets nothing more", func(t *testing.T) {
		n := 0
		for _, err := range e.Answer(t.Context(), turn) {
			if err != nil {
				t.Errorf("error %v", err)
			}
			if n++; n == 1 {
				break
			}
		}
		if n != 1 {
			t.Errorf("got %d acts, stopped after 1", n)
		}
	})
	t.Run("nothing happens before the sequence is read", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		acts := e.Answer(ctx, turn)
		cancel()
		if _, err := engine.Collect(acts); err == nil {
			t.Error("a turn that began before it was read")
		}
	})
	t.Run("a cancelled turn ends with a transient error as its last pair", func(t *testing.T) { cancelled(t, e, turn) })
	t.Run("turns run concurrently", func(t *testing.T) {
		var turns sync.WaitGroup
		for range 16 {
			turns.Go(func() { same(t, e, turn, want) })
		}
		turns.Wait()
	})
}

func same(t *testing.T, e engine.Engine, turn engine.Turn, want []engine.Act) {
	t.Helper()
	got, err := engine.Collect(e.Answer(t.Context(), turn))
	if err != nil {
		t.Errorf("answer: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("another answer (-first +this):\n%s", diff)
	}
}

func unchanged(t *testing.T, e engine.Engine, turn engine.Turn) {
	// Room behind the history shows an engine that appends to it in place.
	history := make([]engine.Message, len(turn.History), len(turn.History)+4)
	copy(history, turn.History)
	given := turn
	given.History = history

	if _, err := engine.Collect(e.Answer(t.Context(), given)); err != nil {
		t.Fatalf("answer: %v", err)
	}
	if diff := cmp.Diff(turn.History, history); diff != "" {
		t.Errorf("changed history (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(make([]engine.Message, 4), history[len(history):cap(history)]); diff != "" {
		t.Errorf("wrote behind the history (-before +after):\n%s", diff)
	}
}

func cancelled(t *testing.T, e engine.Engine, turn engine.Turn) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for act, err := range e.Answer(ctx, turn) {
		if last != nil {
			t.Errorf("%T after the error", act)
		}
		if err != nil && act != nil {
			t.Errorf("%T together with an error", act)
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || !engine.Transient(last) {
		t.Errorf("ended with %v", last)
	}
}
