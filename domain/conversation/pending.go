package conversation

import (
	"parley/domain"
	"parley/events"
)

// pending lists what is owed: the answer to the open turn, or else the first
// part of the outbox.
func (r Rules) pending(s State) []domain.Task {
	if s.Turn != nil {
		return []domain.Task{{
			Lane: TurnLane, Due: s.Turn.Due,
			Body: RunTurn{Turn: *s.Turn, Session: s.session(s.Turn.Session)},
		}}
	}
	if len(s.Outbox) == 0 {
		return nil
	}
	p := s.Outbox[0]
	task := domain.Task{Lane: TurnLane, Due: r.due(p), Body: Deliver{Part: p}}
	if r.hopeless(p) {
		task.Body = GiveUp{Part: p.ID}
	}
	return []domain.Task{task}
}

// due is when a part may be acted on. One that is being given to Meta is left
// alone until the time to settle has passed: by then whoever gave it has
// reported, or is gone.
func (r Rules) due(p events.OpenPart) events.Instant {
	if p.Trying {
		return p.LastAttempt.Add(r.Settle)
	}
	return p.Due
}

// hopeless reports that a part has had all the tries of unknown outcome that
// it may have.
func (r Rules) hopeless(p events.OpenPart) bool {
	unclear := p.Unclear
	if p.Trying {
		unclear++
	}
	return unclear >= r.UnclearAttempts
}
