package script

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"parley/engine"
)

// Engine answers by rules. It may be used concurrently.
type Engine struct {
	rules []Rule
	plan  func(engine.Turn) []Step

	mu    sync.Mutex
	used  []int // how often each rule was used
	turns []engine.Turn
}

// Rule says what to do for one message of the user.
type Rule struct {
	// On is the whole text of the last message to answer; "" takes any.
	On string
	// Times is how often the rule may be used; 0 is without end.
	Times int
	Steps []Step
}

// Step is one thing that happens during a turn: its fields in this order.
type Step struct {
	// Wait is a pause.
	Wait time.Duration
	// Hang waits for the end of the turn's context.
	Hang bool
	// Fail ends the turn with an error.
	Fail error
	Acts []engine.Act
}

// New makes an engine of rules. The first that fits a turn and is not used up
// decides it.
func New(rules ...Rule) *Engine {
	return &Engine{rules: slices.Clone(rules), used: make([]int, len(rules))}
}

// Func makes an engine whose every turn is planned by a function. The function
// is called concurrently when turns are.
func Func(plan func(engine.Turn) []Step) *Engine { return &Engine{plan: plan} }

// Say is the step that says texts.
func Say(texts ...string) Step {
	var s Step
	for _, text := range texts {
		s.Acts = append(s.Acts, engine.Say{Text: text})
	}
	return s
}

// Do is the step that yields acts.
func Do(acts ...engine.Act) Step { return Step{Acts: acts} }

// Wait is the step that pauses.
func Wait(d time.Duration) Step { return Step{Wait: d} }

// Hang is the step that waits for the end of the turn's context.
func Hang() Step { return Step{Hang: true} }

// Fail is the step that ends the turn with an error.
func Fail(err error) Step { return Step{Fail: err} }

// Answer implements engine.Engine. A turn that no rule fits is a permanent
// error.
func (e *Engine) Answer(ctx context.Context, t engine.Turn) iter.Seq2[engine.Act, error] {
	return func(yield func(engine.Act, error) bool) {
		steps, err := e.steps(t)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, s := range steps {
			if err := s.pause(ctx); err != nil {
				yield(nil, err)
				return
			}
			for _, act := range s.Acts {
				if !yield(act, nil) {
					return
				}
			}
		}
	}
}

// Turns returns the turns that were run, in the order they began.
func (e *Engine) Turns() []engine.Turn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.turns)
}

func (e *Engine) steps(t engine.Turn) ([]Step, error) {
	e.record(t)
	if e.plan != nil {
		return e.plan(t), nil
	}
	text := ""
	if messages := t.Unanswered(); len(messages) > 0 {
		text = messages[len(messages)-1].Text
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	for i, r := range e.rules {
		if (r.On == "" || r.On == text) && (r.Times == 0 || e.used[i] < r.Times) {
			e.used[i]++
			return r.Steps, nil
		}
	}
	return nil, &engine.Error{Reason: fmt.Sprintf("no rule of the script fits the message %q", text)}
}

func (e *Engine) record(t engine.Turn) {
	t.History = slices.Clone(t.History)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.turns = append(e.turns, t)
}

// pause does everything of a step that comes before its acts.
func (s Step) pause(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Wait > 0 {
		timer := time.NewTimer(s.Wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Fail
}
