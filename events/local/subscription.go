package local

import (
	"context"
	"fmt"

	"parley/events"
)

// subscriptionPage and subscriptionBytes bound what one Next returns, in events
// and in bytes; the last event may go beyond these.
const (
	subscriptionPage  = 256
	subscriptionBytes = 4 << 20
)

// Subscribe implements [events.Store]. A subscription that keeps up with the
// log reads from memory.
func (s *Store) Subscribe(after events.Position) events.Subscription {
	return &subscription{store: s, after: after}
}

// subscription is a position in the log; the store knows nothing of it.
type subscription struct {
	store *Store
	after events.Position
}

// Next implements [events.Subscription].
func (sub *subscription) Next(ctx context.Context) ([]events.Recorded, error) {
	for {
		// Before the page is read: what is committed meanwhile closes it.
		last, grown := sub.store.tail.watch()
		page, err := sub.page(ctx, last)
		if err != nil {
			return nil, fmt.Errorf("follow the log after position %d: %w", sub.after, err)
		}
		if n := len(page); n > 0 {
			sub.after = page[n-1].Position
			return page, nil
		}
		sub.after = max(sub.after, last) // up to there everything is erased
		select {
		case <-grown:
		case <-sub.store.sequencer.closing:
		case <-ctx.Done():
		}
	}
}

func (sub *subscription) page(ctx context.Context, last events.Position) ([]events.Recorded, error) {
	s := sub.store
	s.reading.RLock()
	defer s.reading.RUnlock()
	if err := s.usable(ctx); err != nil || sub.after >= last {
		return nil, err
	}
	return s.forwards(sub.after+1, last, subscriptionPage, subscriptionBytes)
}

// Close implements [events.Subscription].
func (sub *subscription) Close() error { return nil }
