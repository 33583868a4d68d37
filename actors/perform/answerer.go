package perform

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"parley/domain"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// slotTime bounds the wait for other answers to end.
const slotTime = 10 * time.Second

// Answerer lets engines answer what no actor owes an answer to: nothing of it
// is stored, and nobody goes on with it. It may be used concurrently.
type Answerer struct {
	engine  engine.Engine
	model   string
	time    time.Duration
	slots   chan struct{}
	metrics *Metrics
	logger  *slog.Logger
}

// NewAnswerer makes an answerer. model is for questions that name none, "" if
// there is none; bound is for one answer, most for answers at a time.
func NewAnswerer(e engine.Engine, model string, bound time.Duration, most int, m *Metrics, logger *slog.Logger) *Answerer {
	return &Answerer{engine: e, model: model, time: bound, slots: make(chan struct{}, most), metrics: m, logger: logger}
}

// Answer gives an engine's answer. token is told the words while they are
// written. Errors: a refusal if the question cannot be asked, else
// *conversation.Unanswered, or the context's. The tokens that were used are
// told with an error, too.
func (a *Answerer) Answer(ctx context.Context, q conversation.Question, token func(string)) (conversation.Answer, error) {
	t := engine.Turn{
		Model: cmp.Or(q.Model, a.model), Backstory: q.Backstory, History: make([]engine.Message, len(q.History)),
		Now: time.Now(), Timezone: q.Timezone, Sender: events.NewKey(),
	}
	if t.Model == "" {
		return conversation.Answer{}, noModel()
	}
	for i, e := range q.History {
		t.History[i] = told(e)
	}
	if err := a.enter(ctx); err != nil {
		return conversation.Answer{}, err
	}
	defer func() { <-a.slots }()
	p := pieces{tell: token}
	acts, err := askGuarded(ctx, a.logger, a.engine, a.time, t, p.watch)
	took := time.Since(t.Now)
	a.metrics.engine(took, err)
	answer := plainly(t.Sender, acts)
	answer.Model, answer.Thought = t.Model, took
	if err != nil && ctx.Err() != nil {
		return answer, ctx.Err()
	}
	return answer, unanswered(err)
}

// enter waits until one more answer may be under way.
func (a *Answerer) enter(ctx context.Context) error {
	select {
	case a.slots <- struct{}{}:
		return nil
	default:
	}
	wait := time.NewTimer(slotTime)
	defer wait.Stop()
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-wait.C:
		return &conversation.Unanswered{Reason: conversation.EngineBusy, Detail: "too many answers are under way"}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noModel is the refusal of whoever names no model where there is no default.
func noModel() error {
	return domain.Refused(domain.Invalid, "model", "No model is named and the server has no default: name one, or set PARLEY_MODEL")
}

// unanswered says in the rules' words why an engine gave no answer; nil for no
// error.
func unanswered(cause error) error {
	if cause == nil {
		return nil
	}
	failure, _ := errors.AsType[*engine.Error](cause)
	switch {
	case failure != nil && failure.Invalid:
		return &conversation.Unanswered{Reason: conversation.EngineInvalid, Detail: failure.Reason}
	case errors.Is(cause, context.DeadlineExceeded):
		return &conversation.Unanswered{Reason: conversation.EngineLate, Detail: "the model took too long"}
	case engine.Transient(cause):
		return &conversation.Unanswered{Reason: conversation.EngineBusy, Detail: cause.Error()}
	}
	return &conversation.Unanswered{Reason: conversation.EngineFailed, Detail: cause.Error()}
}
