package memory

import (
	"context"

	"parley/events"
)

// pageSize bounds what one Next returns, in events.
const pageSize = 256

// Subscribe implements [events.Store].
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
		page, grown, err := sub.store.page(ctx, sub.after)
		if err != nil {
			return nil, err
		}
		if n := len(page); n > 0 {
			sub.after = page[n-1].Position
			return page, nil
		}
		select {
		case <-grown:
		case <-sub.store.closed:
		case <-ctx.Done():
		}
	}
}

// page reads what follows a position, and gives the channel that is closed
// when there is more than was read.
func (s *Store) page(ctx context.Context, after events.Position) ([]events.Recorded, <-chan struct{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, nil, err
	}
	return s.forwards(after+1, pageSize), s.grown, nil
}

// Close implements [events.Subscription].
func (sub *subscription) Close() error { return nil }
