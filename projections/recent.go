package projections

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/events"
)

// recent is what is known of a log's end that costs a journey to ask for.
type recent struct {
	turn chan struct{} // held by who asks

	mutex sync.Mutex
	head  events.Position
	asked time.Time // before the head was asked for
}

// Recent waits for everything that was in the log a moment ago: for all that is
// in it now, where Config.Slack is 0, and else for all that was in it that long
// ago. Many who read at once ask the log once.
func (m *Model) Recent(ctx context.Context) error {
	if m.slack == 0 {
		return m.CatchUp(ctx)
	}
	head, err := m.recentHead(ctx)
	if err != nil {
		return err
	}
	return m.Wait(ctx, head)
}

// recentHead is where the log ended at some time within the slack.
func (m *Model) recentHead(ctx context.Context) (events.Position, error) {
	if head, ok := m.recent.within(m.slack); ok {
		return head, nil
	}
	select {
	case m.recent.turn <- struct{}{}:
	case <-ctx.Done():
		return events.LogStart, ctx.Err()
	}
	defer func() { <-m.recent.turn }()
	if head, ok := m.recent.within(m.slack); ok { // somebody asked meanwhile
		return head, nil
	}
	asked := time.Now()
	head, err := m.store.Head(ctx)
	if err != nil {
		return head, fmt.Errorf("find the log's end: %w", err)
	}
	m.recent.mutex.Lock()
	defer m.recent.mutex.Unlock()
	m.recent.head, m.recent.asked = head, asked
	return head, nil
}

func (r *recent) within(slack time.Duration) (events.Position, bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.head, !r.asked.IsZero() && time.Since(r.asked) < slack
}
