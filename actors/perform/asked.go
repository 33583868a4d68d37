package perform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// asked asks the engine for the answer to a turn that somebody asked for
// through the API. It is stored, and goes to nobody on WhatsApp.
func (p *Conversation) asked(ctx context.Context, w actors.Work, task conversation.RunTurn) error {
	turn := task.Turn.ID
	p.Metrics.stage("wait", time.Since(task.Turn.Ask.At.Time()))
	mind, err := p.mind(ctx, w, task.Session)
	if done, err := p.cannotAnswer(ctx, w, turn, err); done {
		return p.ended(turn, err)
	}
	history, facts, err := p.history(ctx, w, task)
	if err != nil {
		return err
	}
	question, ok := askedIn(facts, turn)
	if !ok {
		return p.ended(turn, w.Report(ctx, turn, conversation.Close{
			Turn: turn, Reason: conversation.EngineFailed, Detail: "Too much happened since it was asked.",
		}))
	}
	if question.Text != "" {
		history = append(history, engine.Message{Role: engine.User, Text: question.Text})
	}
	p.log(w).Debug("asked turn begins", "session", task.Session.ID, "turn", turn, "attempt", task.Turn.Attempts+1)
	words := pieces{tell: func(piece string) { p.Taps.tell(turn, piece) }}
	began := time.Now()
	acts, err := askGuarded(ctx, p.Logger, p.Engine, p.TurnTime, engine.Turn{
		Model: mind.model, Backstory: paragraphs(mind.backstory, question.Backstory), History: history, Memory: task.Session.Memory,
		Now: began, Timezone: question.Ask.Timezone, Sender: task.Session.ID,
	}, words.watch)
	took := time.Since(began)
	p.Metrics.engine(took, err)
	if err != nil {
		return p.askedFailed(ctx, w, task.Turn, err, words.began)
	}
	reply := plainly(turn, acts)
	reply.BotID, reply.BotRevision, reply.Model, reply.Thought, reply.Asked = mind.id, mind.revision, mind.model, took, question.Text
	p.log(w).Debug("engine answered", "turn", turn, "bot", mind.id, "tokens", reply.Tokens, "took", took)
	return p.ended(turn, w.Report(ctx, turn, reply))
}

// askGuarded asks for somebody who waits: a panic of the engine's is its
// failure.
func askGuarded(
	ctx context.Context, logger *slog.Logger, e engine.Engine, bound time.Duration, t engine.Turn, watch func(engine.Act),
) (acts []engine.Act, err error) {
	defer func() {
		if r := recover(); r != nil {
			logger.Error("engine panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errors.New("the engine panicked")
		}
	}()
	return ask(ctx, e, bound, t, watch)
}

// ended tells whoever listens that a turn is over, if its end is recorded.
func (p *Conversation) ended(turn string, err error) error {
	if err == nil || domain.IsRefusal(err, domain.Stale) {
		p.Taps.end(turn)
	}
	return err
}

// askedFailed has the turn tried again if that may help while whoever asked
// waits, and closes it otherwise. They may have heard a part of the answer
// already: then another one would not fit to it.
func (p *Conversation) askedFailed(ctx context.Context, w actors.Work, turn events.OpenTurn, cause error, heard bool) error {
	if ctx.Err() != nil {
		return ctx.Err() // the node stops; the turn is still owed
	}
	p.log(w).Warn("engine failed", "session", turn.Session, "turn", turn.ID, "attempt", turn.Attempts+1, "err", cause)
	var failure *conversation.Unanswered
	if !errors.As(unanswered(cause), &failure) {
		return cause
	}
	if failure.Reason != conversation.EngineBusy || heard {
		return p.ended(turn.ID, w.Report(ctx, turn.ID, conversation.Close{Turn: turn.ID, Reason: failure.Reason, Detail: failure.Detail}))
	}
	wait := backoff(time.Second, turn.Attempts, time.Minute)
	if in, ok := errors.AsType[*engine.Error](cause); ok {
		wait = max(wait, in.RetryAfter)
	}
	return w.Report(ctx, turn.ID, conversation.Delay{Turn: turn.ID, Reason: failure.Detail, Wait: wait, Close: failure.Reason})
}

// askedIn finds what was asked.
func askedIn(facts []events.Event, turn string) (events.TurnAsked, bool) {
	for _, fact := range facts {
		if f, ok := fact.(events.TurnAsked); ok && f.Ask.Turn == turn {
			return f, true
		}
	}
	return events.TurnAsked{}, false
}

// paragraphs puts texts below one another.
func paragraphs(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + "\n\n" + second
}
