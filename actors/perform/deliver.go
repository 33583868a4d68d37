package perform

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/whatsapp"
)

// deliver gives the outbox's first part to Meta, after the stream has granted
// the attempt.
func (p *Conversation) deliver(ctx context.Context, w actors.Work, part events.OpenPart) error {
	asked := time.Now()
	if err := w.Report(ctx, turnOf(part.ID), conversation.Attempt{Part: part.ID}); err != nil {
		return err
	}
	return p.send(ctx, w, []events.Part{part.Part}, part.Attempts+1, asked)
}

// abandonDeleted ends what is under way for a deleted integration.
var abandonDeleted = conversation.Abandon{Reason: "integration_deleted", Detail: "The integration was deleted."}

// turnOf is the turn that a part belongs to.
func turnOf(part string) string {
	turn, _, _ := strings.Cut(part, "-")
	return turn
}

// send gives parts to Meta one after the other, each after the one before was
// accepted. The attempt of the first, its number given, is recorded already,
// since asked at the earliest; reporting a part records the attempt of the next.
// The time to settle counts from there, and recording may take long: so does
// the time for the call.
func (p *Conversation) send(ctx context.Context, w actors.Work, parts []events.Part, attempt int, asked time.Time) error {
	for i, part := range parts {
		outcome := p.sendOne(ctx, w, part, attempt, asked.Add(p.SendTime))
		sent, accepted := outcome.(conversation.ReportSent)
		if accepted {
			sent.Sending = i+1 < len(parts)
			outcome = sent
		}
		asked = time.Now()
		if err := w.Report(ctx, turnOf(part.ID), outcome); err != nil || !accepted {
			return err
		}
		attempt = 1
	}
	return nil
}

// sendOne makes one call and gives the report of what came of it. It looks for
// the credentials as late as can be: they may have changed, or the integration
// may be gone.
func (p *Conversation) sendOne(ctx context.Context, w actors.Work, part events.Part, attempt int, until time.Time) any {
	l, err := p.line(ctx, w)
	if domain.IsRefusal(err, domain.NotFound) {
		return abandonDeleted
	}
	if err != nil {
		return conversation.ReportRefused{
			Part: part.ID, Attempt: attempt, Detail: err.Error(), Cure: "Run setup to see what the integration lacks.",
			Retry: true, Wait: backoff(10*time.Second, attempt, 10*time.Minute),
		}
	}
	call, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	began := time.Now()
	sent, err := p.Graph.Send(call, l.credentials, l.address, part.Payload, part.ID)
	took := time.Since(began)
	p.Metrics.send(took, err)
	if err == nil {
		return conversation.ReportSent{Part: part.ID, WAMID: sent.WAMID, Took: took}
	}
	p.Logger.Warn("send failed", "part", part.ID, "attempt", attempt, "err", err)
	return refusalOf(part.ID, attempt, err)
}

// refusalOf turns an error of the client's into a report.
func refusalOf(part string, attempt int, err error) any {
	var unclear *whatsapp.Unclear
	if errors.As(err, &unclear) {
		return conversation.ReportUnclear{Part: part, Attempt: attempt, Detail: err.Error()}
	}
	report := conversation.ReportRefused{Part: part, Attempt: attempt, Detail: err.Error()}
	var refusal *whatsapp.Error
	if errors.As(err, &refusal) {
		report.Status, report.Code, report.Subcode = refusal.Status, refusal.Code, refusal.Subcode
	}
	advice := whatsapp.Advise(err)
	report.Cure = advice.Cure
	report.Retry, report.Wait = wait(advice, attempt)
	return report
}
