package perform

import (
	"context"
	"errors"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/whatsapp"
)

// deliver gives the outbox's first part to Meta, after the stream has granted
// the attempt.
func (p *Conversation) deliver(ctx context.Context, w actors.Work, task conversation.Deliver) error {
	part := task.Part
	if may, err := p.Pacer.wait(ctx, w.Address); err != nil || !may {
		return err // the lane asks again in a while
	}
	asked := time.Now()
	if err := w.Report(ctx, events.TurnOf(part.ID), conversation.Attempt{Part: part.ID}); err != nil {
		return err
	}
	d := delivery{Conversation: p, work: w, terms: task.Terms, other: part.Other}
	return d.send(ctx, []events.Part{part.Part}, part.Attempts+1, asked)
}

// abandonDeleted ends what is under way for a deleted integration.
var abandonDeleted = conversation.Abandon{Reason: "integration_deleted", Detail: "The integration was deleted."}

// delivery gives parts to one person.
type delivery struct {
	*Conversation
	work  actors.Work
	terms conversation.Terms
	// other says to try the other form of the phone number.
	other bool
}

// send gives parts to Meta one after the other, each after the one before was
// accepted. The attempt of the first, its number given, is recorded already,
// since asked at the earliest; reporting a part records the attempt of the
// next, if nothing speaks against it. The time to settle counts from there, and
// recording may take long: so does the time for the call.
func (d delivery) send(ctx context.Context, parts []events.Part, attempt int, asked time.Time) error {
	for i, part := range parts {
		outcome := d.sendOne(ctx, part, attempt, asked.Add(d.SendTime))
		sent, accepted := outcome.(conversation.ReportSent)
		if accepted {
			sent.Sending = i+1 < len(parts) && d.Pacer.may(ctx, d.work.Address)
			outcome = sent
		}
		asked = time.Now()
		if err := d.work.Report(ctx, events.TurnOf(part.ID), outcome); err != nil || !sent.Sending {
			return err
		}
		if granted, err := d.granted(ctx, parts[i+1]); err != nil || !granted {
			return err
		}
		attempt = 1
	}
	return nil
}

// granted asks the stream whether a part is to be sent now. An actor that has
// moved meanwhile may not know what was just reported where it was: before its
// no counts, it is made to look. Otherwise nobody would send the part until its
// attempt is settled.
func (d delivery) granted(ctx context.Context, part events.Part) (bool, error) {
	ask := func(question any) (any, error) { return d.work.Asker.Query(ctx, d.work.Address, question) }
	answer, err := ask(conversation.Granted{Part: part.ID})
	if err != nil || answer.(bool) {
		return err == nil, err
	}
	if _, err := ask(actors.Wake{}); err != nil {
		return false, err
	}
	if answer, err = ask(conversation.Granted{Part: part.ID}); err != nil {
		return false, err
	}
	return answer.(bool), nil
}

// window is how long after a person wrote they may be written to freely.
// Meta: customer service windows.
const window = 24 * time.Hour

// windowRetry is the wait after Meta refused a part because the window were
// closed, while it is open. That was seen to be wrong, and right at the second
// try.
const windowRetry = 5 * time.Second

// windowClosed is the report of a part that Meta would refuse.
func windowClosed(part string, attempt int) conversation.ReportRefused {
	advice := whatsapp.Advise(&whatsapp.Error{Code: whatsapp.CodeWindowClosed})
	return conversation.ReportRefused{
		Part: part, Attempt: attempt, Code: whatsapp.CodeWindowClosed, Cure: advice.Cure,
		Detail: "The person last wrote more than 24 hours ago. It was not given to Meta, who would refuse it.",
	}
}

// sendOne makes one call and gives the report of what came of it. It looks for
// the credentials as late as can be: they may have changed, or the integration
// may be gone.
func (d delivery) sendOne(ctx context.Context, part events.Part, attempt int, until time.Time) any {
	p := d.Conversation
	l, err := p.line(ctx, d.work)
	if domain.IsRefusal(err, domain.NotFound) {
		return abandonDeleted
	}
	if err != nil {
		return conversation.ReportRefused{
			Part: part.ID, Attempt: attempt, Detail: err.Error(), Cure: "Run setup to see what the integration lacks.",
			Retry: true, Wait: backoff(10*time.Second, attempt, 10*time.Minute),
		}
	}
	if last := d.terms.LastInbound; last != 0 && time.Since(last.Time()) >= window {
		return windowClosed(part.ID, attempt)
	}
	call, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	began := time.Now()
	to := d.address(l.address)
	sent, err := p.Graph.Send(call, l.credentials, to, part.Payload, part.ID)
	took := time.Since(began)
	p.Metrics.send(took, err)
	if err == nil {
		p.log(d.work).Debug("part sent", "part", part.ID, "attempt", attempt, "wamid", sent.WAMID, "took", took)
		report := conversation.ReportSent{Part: part.ID, WAMID: sent.WAMID, Took: took}
		if to != l.address {
			report.To = to.String()
		}
		return report
	}
	p.log(d.work).Warn("send failed", "part", part.ID, "attempt", attempt, "err", err)
	if advice := whatsapp.Advise(err); advice.Action == whatsapp.BackOff {
		p.Pacer.pause(ctx, d.work.Address, advice.Wait(min(attempt-1, 5)))
	}
	report := refusalOf(part.ID, attempt, err)
	if refused, ok := report.(conversation.ReportRefused); ok {
		return d.secondChance(refused, to)
	}
	return report
}

// address is the form of a phone number that is written to.
func (d delivery) address(given whatsapp.Address) whatsapp.Address {
	if reach, err := whatsapp.ParseAddress(d.terms.Reach); err == nil {
		return reach
	}
	if other, ok := given.Other(); ok && d.other {
		return other
	}
	return given
}

// secondChance has a part tried once more where a refusal was seen to be wrong.
func (d delivery) secondChance(r conversation.ReportRefused, to whatsapp.Address) conversation.ReportRefused {
	_, hasOther := to.Other()
	switch {
	case r.Code == whatsapp.CodeWindowClosed && r.Attempt == 1 && d.terms.LastInbound != 0:
		r.Retry, r.Wait = true, windowRetry // it is open, as far as we know
	case (r.Code == whatsapp.CodeUndeliverable || r.Code == whatsapp.CodeNotAllowed) && hasOther && !d.other && d.terms.Reach == "":
		r.Retry, r.Wait, r.Other = true, otherWait, true
	}
	return r
}

// otherWait is the wait before the other form of a number is tried.
const otherWait = time.Second

// refusalOf turns an error of the client's into a report.
func refusalOf(part string, attempt int, err error) any {
	var unclear *whatsapp.Unclear
	if errors.As(err, &unclear) {
		return conversation.ReportUnclear{Part: part, Attempt: attempt, Status: unclear.Status, Detail: err.Error()}
	}
	report := conversation.ReportRefused{Part: part, Attempt: attempt, Detail: err.Error()}
	var refusal *whatsapp.Error
	if errors.As(err, &refusal) {
		report.Status, report.Code, report.Subcode = refusal.Status, refusal.Code, refusal.Subcode
	}
	advice := whatsapp.Advise(err)
	report.Cure = advice.Cure
	report.Retry, report.Wait = wait(advice, attempt)
	report.Held = advice.Action == whatsapp.Stop
	return report
}
