package projections

import (
	"context"

	"parley/events"
)

// Outcome gives what a turn that was asked for came to, from the log itself: an
// events.TurnAnswered or an events.TurnClosed, and where in the log that stands.
// Errors: ErrNotFound while it is still to come.
func (m *Model) Outcome(ctx context.Context, s events.Stream, turn string) (outcome events.Event, at events.Position, err error) {
	err = m.scan(ctx, s, events.StreamEnd, events.Backwards, func(r events.Recorded) (more bool, err error) {
		switch r.Type {
		case turnAnswered, turnClosed, turnAsked:
		default:
			return true, nil
		}
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			return false, err
		}
		at = r.Position
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
	return outcome, at, err
}

var (
	turnAsked    = events.TurnAsked{}.EventType()
	turnAnswered = events.TurnAnswered{}.EventType()
	turnClosed   = events.TurnClosed{}.EventType()
)
