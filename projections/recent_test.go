package projections_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/events"
	"parley/events/memory"
	"parley/projections"
)

// far is a log whose end takes a while to ask for, and that is told late.
type far struct {
	events.Store
	asked atomic.Int64
}

func (f *far) Head(ctx context.Context) (events.Position, error) {
	f.asked.Add(1)
	time.Sleep(5 * time.Millisecond)
	return f.Store.Head(ctx)
}

func (f *far) Subscribe(after events.Position) events.Subscription {
	return late{f.Store.Subscribe(after)}
}

type late struct{ events.Subscription }

func (l late) Next(ctx context.Context) ([]events.Recorded, error) {
	page, err := l.Subscription.Next(ctx)
	time.Sleep(150 * time.Millisecond)
	return page, err
}

func TestReadsOfALogThatIsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &far{Store: memory.New()}
		model, err := projections.Open(t.Context(), projections.Config{
			Path: filepath.Join(t.TempDir(), "model.db"), Store: log, Slack: 100 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = model.Run(ctx) }) // it ends with the context
		defer func() {
			stop()
			running.Wait()
			if err := model.Close(); err != nil {
				t.Error(err)
			}
		}()
		written := make([]events.Position, 100) // by 10 ms
		var reading sync.WaitGroup
		for i := range written {
			records, err := events.Records("bot-b", events.Metadata{}, events.TokenRevoked{Token: "t"})
			if err != nil {
				t.Fatal(err)
			}
			appended, err := log.Append(t.Context(), "bot-b", events.Revision(i-1), records...)
			if err != nil {
				t.Fatal(err)
			}
			written[i] = appended.Position
			for range 20 {
				reading.Go(func() {
					if err := model.Recent(t.Context()); err != nil {
						t.Error(err)
					}
					if at := model.Position(); i >= 10 && at < written[i-10] {
						t.Errorf("a read is more than 100 ms behind: at %d, and %d was written then", at, written[i-10])
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
		}
		reading.Wait()
		if n := log.asked.Load(); n > 12 {
			t.Errorf("2000 reads in a second ask the log %d times", n)
		}
	})
}
