package esdb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"parley/events"
)

const (
	// ahead is how many events a subscription keeps for its reader, and the
	// most that Next returns.
	ahead = 256
	// checkpointEvery is how many windows of 32 events the server considers
	// between two checkpoints.
	checkpointEvery = 32
)

// The waits before a subscription that was interrupted connects again.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Subscribe implements [events.Store]. It connects at the first Next, has a
// client of its own, and goes on by itself when it is interrupted, for as long
// as that takes: Next does not fail meanwhile, it waits.
func (s *Store) Subscribe(after events.Position) events.Subscription {
	return &subscription{store: s, reached: after, feed: make(chan events.Recorded, ahead)}
}

// subscription is a goroutine that follows the log, and what it has read ahead.
type subscription struct {
	store *Store
	feed  chan events.Recorded
	once  sync.Once
	stop  context.CancelFunc
	// reached is the position up to which the log was fed or left out. Only
	// the goroutine uses it once it runs.
	reached events.Position
}

// Next implements [events.Subscription].
func (sub *subscription) Next(ctx context.Context) ([]events.Recorded, error) {
	if err := sub.store.usable(ctx); err != nil {
		return nil, err
	}
	sub.once.Do(sub.start)
	var page []events.Recorded
	select {
	case e := <-sub.feed:
		page = append(page, e)
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-sub.store.life.Done():
		return nil, events.ErrClosed
	}
	for len(page) < ahead {
		select {
		case e := <-sub.feed:
			page = append(page, e)
		default:
			return page, nil
		}
	}
	return page, nil
}

// Close implements [events.Subscription].
func (sub *subscription) Close() error {
	sub.once.Do(func() {}) // what never began does not begin
	if sub.stop != nil {
		sub.stop()
	}
	return nil
}

func (sub *subscription) start() {
	ctx, stop := context.WithCancel(sub.store.life)
	sub.stop = stop
	if !sub.store.begin() {
		return // it is closed, and Next says so
	}
	go func() {
		defer sub.store.work.Done()
		defer stop()
		sub.run(ctx)
	}()
}

// run follows the log until the context ends. A subscription of the client ends
// with its connection, so each is left for a new one.
func (sub *subscription) run(ctx context.Context) {
	pause := firstPause
	for failures := 0; ; failures++ {
		before := sub.reached
		err := sub.follow(ctx, func() {
			if failures > 0 {
				sub.store.logger.Info("the log is followed again", "after", uint64(sub.reached))
			}
			failures = 0
		})
		if ctx.Err() != nil {
			return
		}
		if failures == 0 {
			sub.store.logger.Warn("the log is not followed until the event store is back", "after", uint64(sub.reached), "err", err)
		}
		if sub.reached != before {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, lastPause)
	}
}

// follow feeds the log behind what was reached until the connection ends.
func (sub *subscription) follow(ctx context.Context, connected func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the client panicked: %v", r)
		}
	}()
	config := sub.store.config
	c, err := client.NewClient(&config)
	if err != nil {
		return fmt.Errorf("make a client of the event store: %w", err)
	}
	sub.store.metrics.connections.Inc()
	defer sub.store.metrics.connections.Dec()
	defer func() { _ = c.Close() }() // never fails, and nobody else uses it
	from := client.AllPosition(client.Start{})
	if sub.reached > events.LogStart {
		from = client.Position{Commit: uint64(sub.reached), Prepare: uint64(sub.reached)}
	}
	s, err := c.SubscribeToAll(ctx, client.SubscribeToAllOptions{
		From: from, Filter: client.ExcludeSystemEventsFilter(), CheckpointInterval: checkpointEvery,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // never fails
	connected()
	sub.store.breaker.note(true, time.Now()) // nobody need find out for himself
	for {
		e := s.Recv()
		switch {
		case e.SubscriptionDropped != nil:
			return e.SubscriptionDropped.Error
		case e.CheckPointReached != nil:
			sub.reached = max(sub.reached, events.Position(e.CheckPointReached.Commit))
		case e.EventAppeared != nil:
			if err := sub.take(ctx, e.EventAppeared.OriginalEvent()); err != nil {
				return err
			}
		}
	}
}

// take feeds an event, once its reader has room for it.
func (sub *subscription) take(ctx context.Context, e *client.RecordedEvent) error {
	recorded, err := recordedOf(e)
	if err != nil {
		return err
	}
	if recorded.Position <= sub.reached {
		return errors.New("the event store went back in the log")
	}
	if !isSystem(recorded) {
		select {
		case sub.feed <- recorded:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	sub.reached = recorded.Position
	return nil
}
