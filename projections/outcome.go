package projections

import (
	"context"

	"parley/events"
)

// Outcome gives what a turn that was asked for came to, from the log itself: an
// events.TurnAnswered or an events.TurnClosed. Errors: ErrNotFound while it is
// still to come.
func (m *Model) Outcome(ctx context.Context, s events.Stream, turn string) (events.Event, error) {
	var outcome events.Event
	err := m.scan(ctx, s, events.StreamEnd, events.Backwards, func(r events.Recorded) (more bool, err error) {
		switch r.Type {
		case turnAnswered, turnClosed, turnAsked:
		default:
			return true, nil
		}
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			return false, err
		}
		switch f := fact.(type) {
		case events.TurnAnswered:
			if f.Turn == turn {
				outcome = f
			}
		case events.TurnClosed:
			if f.Turn == turn {
				outcome = f
			}
		case events.TurnAsked:
			return f.Ask.Turn != turn, nil
		}
		return outcome == nil, nil
	})
	if err == nil && outcome == nil {
		err = ErrNotFound
	}
	return outcome, err
}

var (
	turnAsked    = events.TurnAsked{}.EventType()
	turnAnswered = events.TurnAnswered{}.EventType()
	turnClosed   = events.TurnClosed{}.EventType()
)
