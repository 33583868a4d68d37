package perform

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// turn asks the engine for the answer to a turn, and goes on to deliver it.
func (p *Conversation) turn(ctx context.Context, w actors.Work, task conversation.RunTurn) error {
	turn := task.Turn.ID
	if len(task.Turn.Messages) > 0 {
		p.Metrics.stage("wait", time.Since(task.Turn.Messages[0].At.Time()))
	}
	line, err := p.line(ctx, w)
	if done, err := p.cannotAnswer(ctx, w, turn, err); done {
		return err
	}
	mind, err := p.mind(ctx, w, task.Session)
	if done, err := p.cannotAnswer(ctx, w, turn, err); done {
		return err
	}
	history, facts, err := p.history(ctx, w, task)
	if err != nil {
		return err
	}
	p.log(w).Debug("turn begins", "session", task.Session.ID, "turn", turn, "attempt", task.Turn.Attempts+1)
	d := delivery{Conversation: p, work: w, terms: task.Terms}
	typing, hush := context.WithCancel(ctx)
	defer hush() // also when the engine panics
	endTyping := p.showTyping(typing, w, line, newestWAMID(facts, task.Turn))
	began := time.Now()
	acts, err := ask(ctx, p.Engine, p.TurnTime, engine.Turn{
		Model: mind.model, Backstory: mind.backstory, History: history, Memory: task.Session.Memory, Now: time.Now(), Sender: task.Session.ID,
		Abilities: engine.Abilities{Buttons: true, Lists: true, Location: true, Progress: true, NewConversation: true},
	}, d.reporter(ctx, turn))
	took := time.Since(began)
	endTyping()
	p.Metrics.engine(took, err)
	if err != nil {
		return p.engineFailed(ctx, w, task.Turn, err)
	}
	reply := render(turn, acts)
	reply.BotID, reply.BotRevision, reply.Model, reply.Thought = mind.id, mind.revision, mind.model, took
	p.log(w).Debug("engine answered", "turn", turn, "bot", mind.id, "parts", len(reply.Parts), "tokens", reply.Tokens, "took", took)
	return d.answer(ctx, reply)
}

// answer reports what the engine answered, and goes on to deliver it.
func (d delivery) answer(ctx context.Context, reply conversation.Answer) error {
	reply.Sending = len(reply.Parts) > 0 && d.Pacer.may(ctx, d.work.Address)
	asked := time.Now()
	if err := d.work.Report(ctx, reply.Turn, reply); err != nil || !reply.Sending {
		return err
	}
	if granted, err := d.granted(ctx, reply.Parts[0]); err != nil || !granted {
		return err
	}
	began := time.Now()
	defer func() { d.Metrics.stage("send", time.Since(began)) }()
	return d.send(ctx, reply.Parts, 1, asked)
}

// reporter gives the function that tells the person at once how far a turn is.
// What cannot be told is left out: the turn goes on.
func (d delivery) reporter(ctx context.Context, turn string) func(engine.Act) {
	number := -1
	return func(act engine.Act) {
		report, ok := act.(engine.Progress)
		if !ok {
			return
		}
		number++
		said, parts := renderProgress(turn, number, report)
		if len(parts) == 0 || !d.Pacer.may(ctx, d.work.Address) {
			return
		}
		asked := time.Now()
		err := d.work.Report(ctx, turn, conversation.Progress{Turn: turn, Number: number, Said: said, Parts: parts})
		if err == nil {
			err = d.send(ctx, parts, 1, asked)
		}
		if err != nil && !domain.IsRefusal(err, domain.Stale) {
			d.Logger.Warn("progress could not be told", "turn", turn, "err", err)
		}
	}
}

// cannotAnswer closes a turn that nobody can answer. done says that the turn
// needs no more: it is closed, or err has to be seen to first.
func (p *Conversation) cannotAnswer(ctx context.Context, w actors.Work, turn string, cause error) (done bool, err error) {
	var refusal *domain.Error
	switch {
	case cause == nil:
		return false, nil
	case domain.IsRefusal(cause, domain.NotFound):
		return true, w.Report(ctx, turn, abandonDeleted)
	case errors.Is(cause, errNoBot):
		return true, w.Report(ctx, turn, conversation.Close{
			Turn: turn, Skipped: true, Reason: conversation.NoBot, Detail: whyNoBot(cause),
		})
	case errors.As(cause, &refusal):
		return true, w.Report(ctx, turn, conversation.Close{
			Turn: turn, Reason: conversation.NotConfigured, Detail: refusal.Message,
		})
	}
	return true, cause
}

// ask runs an engine, for a time at most, and gathers its acts, also those
// before an error. Every act is shown to watch at once; those that only inform,
// Progress and Delta, are not gathered.
func ask(ctx context.Context, e engine.Engine, bound time.Duration, t engine.Turn, watch func(engine.Act)) ([]engine.Act, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var acts []engine.Act
	for act, err := range e.Answer(ctx, t) {
		if err != nil {
			return acts, err
		}
		watch(act)
		switch act.(type) {
		case engine.Progress, engine.Delta:
		default:
			acts = append(acts, act)
		}
	}
	return acts, nil
}

// engineFailed has the turn tried again if that may help, and closes it
// otherwise.
func (p *Conversation) engineFailed(ctx context.Context, w actors.Work, turn events.OpenTurn, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the node stops; the turn is still owed
	}
	p.log(w).Warn("engine failed", "session", turn.Session, "turn", turn.ID, "attempt", turn.Attempts+1, "err", cause)
	if !engine.Transient(cause) {
		return w.Report(ctx, turn.ID, conversation.Close{
			Turn: turn.ID, Reason: conversation.EngineFailed, Detail: cause.Error(), Apology: p.apology(turn.ID),
		})
	}
	wait := backoff(time.Second, turn.Attempts, time.Minute)
	var failure *engine.Error
	if errors.As(cause, &failure) {
		wait = max(wait, failure.RetryAfter)
	}
	return w.Report(ctx, turn.ID, conversation.Delay{
		Turn: turn.ID, Reason: cause.Error(), Wait: wait, Apology: p.apology(turn.ID),
	})
}

// apology is what the person is told instead of an answer, if anything.
func (p *Conversation) apology(turn string) conversation.Apology {
	if p.Apology == "" {
		return conversation.Apology{}
	}
	reply := render(turn, []engine.Act{engine.Say{Text: p.Apology}})
	return conversation.Apology{Said: reply.Messages, Parts: reply.Parts}
}

// backoff doubles a wait with every attempt, up to a bound, with jitter.
func backoff(first time.Duration, attempts int, bound time.Duration) time.Duration {
	d := min(first<<min(attempts, 16), bound)
	return d/2 + rand.N(d/2)
}
