package projections_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/memory"
	"parley/projections"
)

// distant is a log that is away at times.
type distant struct {
	*memory.Store
	away atomic.Bool
}

func (d *distant) Head(ctx context.Context) (events.Position, error) {
	if d.away.Load() {
		return 0, events.ErrUnavailable
	}
	return d.Store.Head(ctx)
}

func (d *distant) Subscribe(after events.Position) events.Subscription {
	return &distantSubscription{d.Store.Subscribe(after), d}
}

type distantSubscription struct {
	events.Subscription
	log *distant
}

func (s *distantSubscription) Next(ctx context.Context) ([]events.Recorded, error) {
	if s.log.away.Load() {
		return nil, events.ErrUnavailable
	}
	return s.Subscription.Next(ctx)
}

func TestALogThatIsAway(t *testing.T) {
	t.Run("is folded again when it is back, and nobody is told that all is well before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log := &distant{Store: memory.New()}
			log.away.Store(true)
			m, err := projections.Open(t.Context(), projections.Config{Path: filepath.Join(t.TempDir(), "model.db"), Store: log})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- m.Run(ctx) }()
			if _, err := log.Append(ctx, "strange-1", events.NoStream, events.Record{Type: "Fact", Metadata: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if err := m.CatchUp(ctx); !errors.Is(err, events.ErrUnavailable) {
				t.Errorf("error %v", err)
			}
			log.away.Store(false)
			if err := m.CatchUp(ctx); err != nil || m.Position() != 1 {
				t.Errorf("position %d, %v", m.Position(), err)
			}
			cancel()
			if err := errors.Join(<-done, m.Close()); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("does not cost the file", func(t *testing.T) {
		f := start(t)
		f.fill()
		before, err := os.Stat(f.path)
		if err != nil {
			t.Fatal(err)
		}
		log := &distant{Store: f.store}
		log.away.Store(true)
		_, err = projections.Open(t.Context(), projections.Config{Path: f.path, Store: log})
		after, missing := os.Stat(f.path)
		if !errors.Is(err, events.ErrUnavailable) || missing != nil || !os.SameFile(before, after) {
			t.Errorf("error %v, file %v", err, missing)
		}
	})
}

func TestALogThatWasMoved(t *testing.T) {
	facts := []events.Record{{ID: uuid.New()}, {ID: uuid.New()}, {ID: uuid.New()}}
	logOf := func(order ...int) events.Store {
		log := memory.New()
		for _, i := range order {
			if _, err := log.Append(t.Context(), events.StreamOf("strange", fmt.Sprint(i)), events.NoStream, facts[i]); err != nil {
				t.Fatal(err)
			}
		}
		return log
	}
	path := filepath.Join(t.TempDir(), "model.db")
	open := func(log events.Store) *projections.Model {
		m, err := projections.Open(t.Context(), projections.Config{Path: path, Store: log})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	folded := open(logOf(0, 1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- folded.Run(ctx) }()
	if err := folded.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := errors.Join(<-done, folded.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule string
		log  events.Store
		want events.Position
	}{
		{"the same log, grown, is gone on with", logOf(0, 1, 2), 2},
		{"the same events at other positions are folded from the start", logOf(0, 2, 1), 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := open(c.log)
			if m.Position() != c.want {
				t.Errorf("position %d, expected %d", m.Position(), c.want)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
