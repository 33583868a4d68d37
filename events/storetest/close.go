package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"parley/events"
)

func testClose(t *testing.T, f Factory) {
	t.Run("a closed store answers ErrClosed", func(t *testing.T) {
		s := f.New(t)
		name, sub := stream(), s.Subscribe(events.LogStart)
		if _, err := s.Append(t.Context(), name, events.NoStream, one()); err != nil {
			t.Fatalf("append: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		for call, err := range callAll(t.Context(), s, name, sub) {
			if !errors.Is(err, events.ErrClosed) {
				t.Errorf("%s: error %v, expected ErrClosed", call, err)
			}
		}
		if err := sub.Close(); err != nil {
			t.Errorf("close a subscription of a closed store: %v", err)
		}
	})
	t.Run("closing wakes every waiting subscription", func(t *testing.T) {
		s := f.New(t)
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatalf("head: %v", err)
		}
		ended := make(chan error)
		for range 5 {
			sub := s.Subscribe(head)
			go func() {
				_, err := sub.Next(context.Background())
				ended <- errors.Join(err, sub.Close())
			}()
		}
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		for range 5 {
			if err := <-ended; !errors.Is(err, events.ErrClosed) {
				t.Errorf("error %v, expected ErrClosed", err)
			}
		}
	})
}

func testCloseUnderWay(t *testing.T, f Factory) {
	t.Run("closing ends readers that are under way", func(t *testing.T) {
		s, name := f.New(t), stream()
		if _, err := s.Append(t.Context(), name, events.NoStream, records(20)...); err != nil {
			t.Fatalf("append: %v", err)
		}
		reads := []func() error{
			func() error { _, err := s.Read(t.Context(), name, events.StreamStart, events.Forwards, 20); return err },
			func() error { _, err := s.ReadAll(t.Context(), events.LogEnd, events.Backwards, 20); return err },
			func() error {
				sub := s.Subscribe(events.LogStart)
				_, err := sub.Next(t.Context())
				return errors.Join(err, sub.Close())
			},
		}
		warm := make(chan struct{}, len(reads))
		var wg sync.WaitGroup
		for _, read := range reads {
			wg.Go(func() {
				err := read()
				warm <- struct{}{}
				for err == nil {
					err = read()
				}
				if !errors.Is(err, events.ErrClosed) {
					t.Errorf("error %v, expected ErrClosed", err)
				}
			})
		}
		for range reads {
			<-warm
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		wg.Wait()
	})
	t.Run("closing ends everything that is under way", func(t *testing.T) {
		s := f.New(t)
		acknowledged := workUntilClosed(t, s)
		if f.Reopen == nil {
			return
		}
		l := newLog(t, f.Reopen(t, s))
		for name, rs := range acknowledged {
			got := l.read(name, events.StreamStart, events.Forwards, len(rs))
			checkRun(t, got, name, events.StreamStart, rs)
		}
	})
}

// callAll calls everything that can end with an error.
func callAll(ctx context.Context, s events.Store, name events.Stream, sub events.Subscription) map[string]error {
	errs := make(map[string]error)
	_, errs["Append"] = s.Append(ctx, name, 0, one())
	_, errs["Read"] = s.Read(ctx, name, events.StreamStart, events.Forwards, 1)
	_, errs["ReadAll"] = s.ReadAll(ctx, events.LogStart, events.Forwards, 1)
	_, errs["Head"] = s.Head(ctx)
	_, errs["Next"] = sub.Next(ctx)
	errs["Truncate"] = s.Truncate(ctx, name, events.StreamEnd)
	late := s.Subscribe(events.LogStart)
	_, errs["Next of a subscription made afterwards"] = late.Next(ctx)
	errs["Next of a subscription made afterwards"] = errors.Join(errs["Next of a subscription made afterwards"], late.Close())
	return errs
}

// workUntilClosed closes a store in the middle of appends and reads, and
// returns what was acknowledged by then.
func workUntilClosed(t *testing.T, s events.Store) map[events.Stream][]events.Record {
	const workers = 8
	var mu sync.Mutex
	acknowledged := make(map[events.Stream][]events.Record)
	warm := make(chan struct{}, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			name := stream()
			var stored []events.Record
			var err error
			for err == nil {
				r := one()
				if _, err = s.Append(context.Background(), name, events.Revision(len(stored)-1), r); err == nil {
					stored = append(stored, r)
					_, err = s.Read(context.Background(), name, events.StreamStart, events.Forwards, 5)
				}
				if len(stored) == 3 {
					warm <- struct{}{}
				}
			}
			if !errors.Is(err, events.ErrClosed) {
				t.Errorf("error %v, expected ErrClosed", err)
			}
			mu.Lock()
			acknowledged[name] = stored
			mu.Unlock()
		})
	}
	for range workers {
		<-warm
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
	return acknowledged
}
