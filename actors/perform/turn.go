package perform

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/bot"
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
	history, wamid, err := p.history(ctx, w.Address.Stream(), task)
	if err != nil {
		return err
	}
	endTyping := p.showTyping(ctx, line, wamid)
	began := time.Now()
	acts, err := p.ask(ctx, mind, history, task.Session)
	took := time.Since(began)
	endTyping()
	p.Metrics.engine(took, err)
	if err != nil {
		return p.engineFailed(ctx, w, task.Turn, err)
	}
	reply := render(turn, acts)
	reply.BotID, reply.BotRevision, reply.Model = mind.id, mind.revision, mind.model
	reply.Thought, reply.Sending = took, true
	asked := time.Now()
	if err := w.Report(ctx, turn, reply); err != nil {
		return err
	}
	began = time.Now()
	defer func() { p.Metrics.stage("send", time.Since(began)) }()
	return p.send(ctx, w, reply.Parts, 1, asked)
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
			Turn: turn, Skipped: true, Reason: "no_bot", Detail: "The integration has no bot to answer with.",
		})
	case errors.As(cause, &refusal):
		return true, w.Report(ctx, turn, conversation.Close{
			Turn: turn, Reason: "not_configured", Detail: refusal.Message,
		})
	}
	return true, cause
}

// mind is who answers: a bot, as the session knows it.
type mind struct {
	id        string
	revision  events.Revision
	model     string
	backstory string
}

var errNoBot = errors.New("there is no bot")

// mind gives the session's bot. A session keeps the settings that the bot had
// when it first answered; a bot that is deleted answers nobody any more.
func (p *Conversation) mind(ctx context.Context, w actors.Work, s events.Session) (mind, error) {
	if s.BotID == "" {
		return mind{}, errNoBot
	}
	answer, err := w.Asker.Query(ctx, domain.Address{Kind: events.BotCategory, ID: s.BotID}, bot.Look{})
	if domain.IsRefusal(err, domain.NotFound) {
		return mind{}, errNoBot
	}
	if err != nil {
		return mind{}, err
	}
	view := answer.(bot.View)
	if view.Deleted {
		return mind{}, errNoBot
	}
	m := mind{id: s.BotID, revision: view.Revision, model: view.Settings.Model, backstory: view.Settings.Backstory}
	if s.Pinned && s.BotRevision != view.Revision {
		settings, err := p.botAt(ctx, s.BotID, s.BotRevision)
		if err != nil {
			return mind{}, err
		}
		m.revision, m.model, m.backstory = s.BotRevision, settings.Model, settings.Backstory
	}
	if m.model == "" {
		m.model = p.Model
	}
	if m.model == "" {
		return m, domain.Refused(domain.Invalid, "model",
			"The bot names no model and the server has no default: set the bot's model, or PARLEY_MODEL")
	}
	return m, nil
}

// ask runs the engine and gathers its acts.
func (p *Conversation) ask(ctx context.Context, m mind, history []engine.Message, s events.Session) ([]engine.Act, error) {
	ctx, cancel := context.WithTimeout(ctx, p.TurnTime)
	defer cancel()
	return engine.Collect(p.Engine.Answer(ctx, engine.Turn{
		Model: m.model, Backstory: m.backstory, History: history, Memory: s.Memory, Now: time.Now(), Sender: s.ID,
		Abilities: engine.Abilities{Buttons: true, Lists: true, Location: true, NewConversation: true},
	}))
}

// engineFailed has the turn tried again if that may help, and closes it
// otherwise.
func (p *Conversation) engineFailed(ctx context.Context, w actors.Work, turn events.OpenTurn, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the node stops; the turn is still owed
	}
	p.Logger.Warn("engine failed", "conversation", w.Address.ID, "turn", turn.ID, "attempt", turn.Attempts+1, "err", cause)
	if !engine.Transient(cause) {
		return w.Report(ctx, turn.ID, conversation.Close{Turn: turn.ID, Reason: "engine_failed", Detail: cause.Error()})
	}
	wait := backoff(time.Second, turn.Attempts, time.Minute)
	var failure *engine.Error
	if errors.As(cause, &failure) {
		wait = max(wait, failure.RetryAfter)
	}
	return w.Report(ctx, turn.ID, conversation.Delay{Turn: turn.ID, Reason: cause.Error(), Wait: wait})
}

// backoff doubles a wait with every attempt, up to a bound, with jitter.
func backoff(first time.Duration, attempts int, bound time.Duration) time.Duration {
	d := min(first<<min(attempts, 16), bound)
	return d/2 + rand.N(d/2)
}

// The bounds of the call that shows the person that an answer is coming: as a
// whole, and how long an answer that is ready waits for it to end. Were it
// overtaken by the answer, "typing" would stay on the screen.
const (
	typingTime  = 10 * time.Second
	typingGrace = time.Second
)

// showTyping marks the message as read and shows that an answer is being
// written. Nothing depends on it. The function it returns ends it.
func (p *Conversation) showTyping(ctx context.Context, l line, wamid string) (end func()) {
	if wamid == "" {
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, typingTime)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.Graph.MarkRead(ctx, l.credentials, wamid, true); err != nil {
			p.Logger.Debug("typing indicator failed", "err", err)
		}
	}()
	return func() {
		defer cancel()
		select {
		case <-done:
		case <-time.After(typingGrace):
			cancel()
			<-done
		}
	}
}
