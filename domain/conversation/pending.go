package conversation

import (
	"time"

	"parley/domain"
	"parley/events"
)

// pending lists what is owed: the answer to the open turn, or else the first
// part of the outbox, or else the beginning of the next turn; and beside it
// the files to fetch, the contact to store, and what erased sessions leave.
func (r Rules) pending(s State) []domain.Task {
	var tasks []domain.Task
	switch {
	case s.Turn != nil:
		tasks = append(tasks, domain.Task{
			Lane: TurnLane, Due: s.Turn.Due,
			Body: RunTurn{Turn: *s.Turn, Session: s.session(s.Turn.Session), Terms: s.terms()},
		})
	case len(s.Outbox) > 0:
		tasks = append(tasks, r.delivery(s))
	case s.gathered():
		tasks = append(tasks, domain.Task{Lane: TurnLane, Due: s.Gather, Body: Begin{}})
	}
	for _, f := range s.Fetches {
		tasks = append(tasks, domain.Task{Lane: fetchLane + f.Message, Due: f.Due, Body: Fetch{File: f}})
	}
	if task, owed := s.collection(); owed {
		tasks = append(tasks, domain.Task{Lane: ContactLane, Body: task})
	}
	if task, owed := s.baring(); owed {
		tasks = append(tasks, task)
	}
	if task, owed := s.clearing(); owed {
		tasks = append(tasks, task)
	}
	return tasks
}

func (s State) terms() Terms { return Terms{LastInbound: s.LastInbound, Reach: s.Reach} }

// gathered reports that messages wait, and nothing but time keeps them from
// being answered.
func (s State) gathered() bool {
	return s.Turn == nil && len(s.Outbox) == 0 && len(s.Inbox) > 0 && !s.fetching()
}

// delivery is the task of the outbox's first part.
func (r Rules) delivery(s State) domain.Task {
	p := s.Outbox[0]
	if r.hopeless(p) {
		return domain.Task{Lane: TurnLane, Due: r.due(s, p), Body: GiveUp{Part: p.ID}}
	}
	return domain.Task{Lane: TurnLane, Due: r.due(s, p), Body: Deliver{Part: p, Terms: s.terms()}}
}

// due is when a part may be acted on. One that is being given to Meta is left
// alone until the time to settle has passed: by then whoever gave it has
// reported, or is gone. And a person is not written to faster than Meta takes
// it.
func (r Rules) due(s State, p events.OpenPart) events.Instant {
	if p.Trying {
		return p.LastAttempt.Add(r.Settle)
	}
	return max(p.Due, r.allowed(s))
}

// allowed is when the next message may be sent to the person. Meta: pair rate
// limits, of which a burst may borrow from the future.
func (r Rules) allowed(s State) events.Instant {
	return s.Paced.Add(-time.Duration(r.PairBurst-1) * r.PairEvery)
}

// pace is what a send makes of a pace.
func (r Rules) pace(paced, at events.Instant) events.Instant {
	return max(paced, at).Add(r.PairEvery)
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
