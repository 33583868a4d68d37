package conversation

import (
	"fmt"

	"parley/events"
)

// first gives the outbox's first part if it is this one and nothing forbids to
// act on it now: no turn is open, it is due, and it is not being given to Meta
// by somebody who still has time to report.
func (d *draft) first(part string) (events.OpenPart, error) {
	if d.state.Turn != nil || d.state.find(part) != 0 {
		return events.OpenPart{}, stale("it is not this part's turn")
	}
	p := d.state.Outbox[0]
	if d.at < d.rules.due(d.state, p) {
		return p, stale("the part is not due yet")
	}
	return p, nil
}

// attempt lets a part be given to Meta. An earlier attempt that had time to
// settle and did not is recorded as unclear: whoever made it is gone.
func (d *draft) attempt(body Attempt) error {
	p, err := d.first(body.Part)
	if err != nil {
		return err
	}
	if d.rules.hopeless(p) {
		return stale("the part was tried often enough")
	}
	if p.Trying {
		d.unclear(ReportUnclear{Part: p.ID, Attempt: p.Attempts, Detail: "the attempt was cut off"})
	}
	d.record(events.SendAttempted{Part: p.ID, Attempt: p.Attempts + 1, At: d.at})
	return nil
}

// giveUp ends a part that was tried as often as the rules allow without
// anybody knowing the outcome.
func (d *draft) giveUp(body GiveUp) error {
	p, err := d.first(body.Part)
	if err != nil {
		return err
	}
	if !d.rules.hopeless(p) {
		return stale("the part may still be tried")
	}
	d.abandonPart(p, "unclear", fmt.Sprintf("after %d attempts nobody knows whether Meta took it", p.Attempts))
	d.next(false)
	return nil
}

func (d *draft) abandonPart(p events.OpenPart, reason, detail string) {
	d.record(events.PartAbandoned{
		Session: p.Session, Part: p.ID, Message: p.Message, Attempts: p.Attempts, Reason: reason, Detail: detail,
	})
}

// abandon ends everything that is under way: the integration is gone.
func (d *draft) abandon(body Abandon) {
	for _, f := range d.state.Fetches {
		d.record(events.AttachmentFailed{Session: f.Session, Message: f.Message, Kind: f.Kind, Reason: body.Detail})
	}
	d.drop(body.Reason, body.Detail, func(events.OpenPart) bool { return true })
	d.startTurn()
}

// drop ends the open turn, unless whoever asked for it waits for its answer,
// what waits for the next one, and the parts that a
// condition holds for.
func (d *draft) drop(reason, detail string, which func(events.OpenPart) bool) {
	waiting := d.state.Inbox
	if turn := d.state.Turn; turn != nil && turn.Ask == nil {
		d.endProgress()
		d.record(events.TurnClosed{
			Session: turn.Session, Turn: turn.ID, Skipped: true, Reason: reason, Detail: detail, Messages: ids(turn.Messages),
		})
	}
	if len(waiting) > 0 {
		d.record(events.TurnClosed{
			Session: waiting[0].Session, Turn: waiting[0].Message, Skipped: true,
			Reason: reason, Detail: detail, Messages: ids(waiting),
		})
	}
	for _, p := range d.state.Outbox {
		if which(p) {
			d.abandonPart(p, reason, detail)
		}
	}
}

// sent is refused as stale when a status told us before: then whoever reports
// must not go on with the next part by itself.
func (d *draft) sent(body ReportSent) error {
	i := d.state.find(body.Part)
	if i < 0 {
		return stale("the part is settled")
	}
	p := d.state.Outbox[i]
	d.record(events.PartSent{
		Session: p.Session, Part: p.ID, Message: p.Message, WAMID: body.WAMID,
		To: body.To, Took: body.Took.Microseconds(), At: d.at,
	})
	d.next(body.Sending)
	return nil
}

// trying finds the part whose n-th attempt is under way.
func (d *draft) trying(part string, attempt int) (events.OpenPart, bool) {
	i := d.state.find(part)
	if i < 0 {
		return events.OpenPart{}, false
	}
	p := d.state.Outbox[i]
	return p, p.Trying && p.Attempts == attempt
}

func (d *draft) refused(body ReportRefused) {
	p, ok := d.trying(body.Part, body.Attempt)
	if !ok {
		return
	}
	fact := events.SendRefused{
		Session: p.Session, Part: p.ID, Message: p.Message, Attempt: p.Attempts,
		Status: body.Status, Code: body.Code, Subcode: body.Subcode, Detail: body.Detail, Cure: body.Cure, Other: body.Other,
		Initiates: p.Initiates,
	}
	if p.Initiates {
		fact.To = d.state.session(p.Session).InitiatedTo
	}
	due := d.at.Add(body.Wait)
	tries := p.Attempts < d.rules.SendAttempts || body.Held
	if body.Retry && tries && !p.Reports && due.Sub(p.FirstAttempt) < d.rules.SendBound {
		fact.Due, fact.Held = due, body.Held
		d.record(fact)
		return
	}
	d.record(fact)
	d.abandonPart(p, "refused", body.Detail)
	d.next(false)
}

// unclear notes an attempt of unknown outcome. The part now waits for a status
// until the time to settle has passed.
func (d *draft) unclear(body ReportUnclear) {
	p, ok := d.trying(body.Part, body.Attempt)
	if !ok {
		return
	}
	if p.Reports {
		d.abandonPart(p, "unclear", body.Detail)
		return
	}
	d.record(events.SendUnclear{
		Session: p.Session, Part: p.ID, Message: p.Message, Attempt: p.Attempts,
		Status: body.Status, Detail: body.Detail, Due: p.LastAttempt.Add(d.rules.Settle),
	})
}
