package conversation

import (
	"cmp"
	"time"

	"parley/events"
)

func (d *draft) answer(body Answer) error {
	turn := d.state.Turn
	if turn == nil || turn.ID != body.Turn {
		return stale("the turn is not open")
	}
	d.endProgress()
	d.askedFor(turn, body.Asked)
	d.record(events.TurnAnswered{
		Session: turn.Session, Turn: turn.ID, Messages: body.Messages, Parts: d.deliverable(turn, body.Parts),
		BotID: body.BotID, BotRevision: body.BotRevision, Model: body.Model, Tokens: body.Tokens,
		Waited: waited(turn).Microseconds(), Thought: body.Thought.Microseconds(),
		Memory: body.Memory, EndSession: body.EndSession && turn.Ask == nil, End: body.End, Asked: turn.Ask != nil,
	})
	d.next(body.Sending)
	return nil
}

// next records what happens after a turn or a part is done with: the attempt
// of the part that is now first, if whoever reports could go on to send it, or
// the start of the next turn.
func (d *draft) next(sending bool) {
	if len(d.state.Outbox) > 0 {
		if p := d.state.Outbox[0]; sending && !p.Trying && d.rules.due(d.state, p) <= d.at {
			d.record(events.SendAttempted{Part: p.ID, Attempt: p.Attempts + 1, At: d.at})
		}
	}
	d.startTurn()
}

func (d *draft) delay(body Delay) error {
	turn := d.state.Turn
	if turn == nil || turn.ID != body.Turn {
		return stale("the turn is not open")
	}
	due := d.at.Add(body.Wait)
	if turn.Attempts+1 >= d.rules.TurnAttempts || due.Sub(turn.StartedAt) > d.rules.TurnBound || d.rules.impatient(turn, due) {
		return d.close(Close{Turn: body.Turn, Reason: cmp.Or(body.Close, EngineFailed), Detail: body.Reason, Apology: body.Apology})
	}
	d.record(events.TurnDelayed{
		Session: turn.Session, Turn: turn.ID, Attempt: turn.Attempts + 1, Reason: body.Reason, Due: due,
	})
	return nil
}

func (d *draft) close(body Close) error {
	turn := d.state.Turn
	if turn == nil || turn.ID != body.Turn {
		return stale("the turn is not open")
	}
	d.endProgress()
	d.record(events.TurnClosed{
		Session: turn.Session, Turn: turn.ID, Skipped: body.Skipped,
		Reason: body.Reason, Detail: body.Detail, Messages: ids(turn.Messages),
		Said: body.Apology.Said, Parts: d.deliverable(turn, body.Apology.Parts), Asked: turn.Ask != nil,
	})
	d.startTurn()
	return nil
}

// waited is how long the oldest message of a turn waited for it to start.
func waited(turn *events.OpenTurn) time.Duration {
	if len(turn.Messages) == 0 {
		return 0
	}
	return turn.StartedAt.Sub(turn.Messages[0].At)
}

func ids(waiting []events.Waiting) []string {
	all := make([]string, len(waiting))
	for i, w := range waiting {
		all[i] = w.Message
	}
	return all
}

// progress tells how far the turn is, and grants the first part of it.
func (d *draft) progress(body Progress) error {
	turn := d.state.Turn
	if turn == nil || turn.ID != body.Turn || turn.Progress > body.Number {
		return stale("this was told before")
	}
	if turn.Ask != nil || d.state.session(turn.Session).Direct {
		return stale("there is nobody to tell it to")
	}
	if d.at < d.rules.allowed(d.state) {
		return stale("the person is told enough")
	}
	d.endProgress()
	d.record(events.ProgressReported{
		Session: turn.Session, Turn: turn.ID, Number: body.Number, Said: body.Said, Parts: body.Parts,
	})
	if len(d.state.Outbox) > 0 {
		d.record(events.SendAttempted{Part: d.state.Outbox[0].ID, Attempt: 1, At: d.at})
	}
	return nil
}

// endProgress lets go of reports whose fate is open: nobody needs them any
// more.
func (d *draft) endProgress() {
	for _, p := range d.state.Outbox {
		if p.Reports {
			d.abandonPart(p, "superseded", "the turn went on")
		}
	}
}
