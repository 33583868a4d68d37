package rivescript

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"

	"parley/engine"
)

// Model is the model name of bots that this engine answers for.
const Model = "rivescript"

// Demo is the script of a small shop, to try things with and to begin from.
//
//go:embed demo.rive
var Demo string

// Engine answers from scripts. It may be used concurrently.
type Engine struct{ programs *cache }

// New makes an engine.
func New() *Engine { return &Engine{programs: newCache()} }

// Answer implements engine.Engine. Every message to answer is answered in
// turn. Messages that no trigger matches stay without an answer; when that is
// so for all of them, the turn ends with a permanent error.
func (e *Engine) Answer(ctx context.Context, t engine.Turn) iter.Seq2[engine.Act, error] {
	return engine.Emitted(func(emit func(engine.Act) error) error { return e.answer(ctx, t, emit) })
}

func (e *Engine) answer(ctx context.Context, t engine.Turn, emit func(engine.Act) error) error {
	p, err := e.programs.get(t.Backstory)
	if err != nil {
		return unusable(err)
	}
	b, err := p.take()
	if err != nil {
		return unusable(err)
	}
	defer p.give(b)

	b.session.begin(t, p.clock(t))
	answered := false
	for _, m := range t.Unanswered() {
		acts, err := b.answer(ctx, m)
		if errors.Is(err, errNoMatch) {
			continue
		}
		if err != nil {
			return err
		}
		answered = true
		for _, act := range acts {
			if err := emit(act); err != nil {
				return err
			}
		}
	}
	if !answered {
		return errNoMatch
	}
	return emit(engine.Remember{Memory: b.session.memory.encode()})
}

func unusable(err error) error {
	return &engine.Error{Reason: fmt.Sprintf("the bot's script cannot be used: %v", err), Invalid: true}
}

// errNoMatch is the error of a turn that the script has nothing to say to.
var errNoMatch = &engine.Error{Reason: `no trigger of the bot's script matches the message; the trigger "*" would match everything`, Invalid: true}
