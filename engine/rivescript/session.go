package rivescript

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aichaos/rivescript-go/sessions"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

const (
	// maxSteps bounds the redirects of one message; maxDepth is the
	// interpreter's own bound, out of reach.
	maxSteps = 50
	maxDepth = 100
	// maxTime bounds what one message may cost.
	maxTime = 2 * time.Second
	// maxOutput bounds the answer to one message, in bytes.
	maxOutput = 16 << 10
	maxActs   = 20
)

// session is the interpreter's view of one conversation. It is the library's
// session manager, for the one user whose turn it is. The interpreter asks it
// for the topic at every step, which is where a step can be counted and
// refused.
type session struct {
	// The turn.
	sender    string
	abilities engine.Abilities
	memory    memory
	clock     map[string]string

	// The message.
	ctx     context.Context
	start   time.Time
	steps   int
	inline  int // redirects inside replies
	acts    []engine.Act
	missed  bool
	failure error
}

// begin prepares the session for a turn.
func (s *session) begin(t engine.Turn, now time.Time) {
	*s = session{
		sender:    lang.Clean(t.Sender),
		abilities: t.Abilities,
		memory:    decodeMemory(t.Memory),
		clock: map[string]string{
			"date":    now.Format("2006-01-02"),
			"time":    now.Format("15:04"),
			"hour":    now.Format("15"),
			"weekday": strings.ToLower(now.Weekday().String()),
		},
	}
	if s.sender == "" {
		s.sender = "user"
	}
}

// beginMessage takes in what comes with a message, and returns the text that
// triggers are compared with.
func (s *session) beginMessage(ctx context.Context, m engine.Message) string {
	s.ctx, s.start = ctx, time.Now()
	s.steps, s.inline, s.acts, s.missed, s.failure = 0, 0, nil, false, nil
	in := readInput(m, s.memory.Choices)
	s.memory.Choices = nil
	delete(s.memory.Vars, "selection")
	for name, value := range in.vars {
		s.memory.Vars[name] = lang.Shorten(lang.Clean(value), maxValue)
	}
	return lang.Shorten(lang.Comparable(in.text), maxInput)
}

// step counts a step of the interpreter and stops it when it is one too many.
func (s *session) step() {
	s.steps++
	switch {
	case s.ctx.Err() != nil:
		panic(abort{fmt.Errorf("answer from the script: %w", s.ctx.Err())})
	case s.steps > maxSteps:
		panic(abort{errTooManySteps})
	case time.Since(s.start) > maxTime:
		panic(abort{&engine.Error{Reason: fmt.Sprintf("the bot's script took longer than %v for one message", maxTime)}})
	}
}

// nextRedirect numbers the inline redirects of one message. Those that are
// resolved but never followed are bounded here; the others are steps too.
func (s *session) nextRedirect() int {
	if s.inline++; s.inline > maxSteps {
		panic(abort{errTooManySteps})
	}
	return s.inline
}

// call performs a <call> of the script. The mark it returns shows in the reply
// where the act belongs.
func (s *session) call(text string) string {
	act, err := lang.ParseCall(text)
	if err != nil {
		if s.failure == nil {
			s.failure = &engine.Error{Reason: "the bot's script", Err: err}
		}
		return ""
	}
	s.acts = append(s.acts, act)
	return mark(len(s.acts) - 1)
}

var errTooManySteps = &engine.Error{Reason: fmt.Sprintf("the bot's script redirects more than %d times for one message", maxSteps)}

// errUnset is what the interpreter shows as "undefined".
var errUnset = errors.New("not set")

// Get returns a variable, or a filtered text.
func (s *session) Get(_, name string) (string, error) {
	if name == "topic" {
		s.step()
	}
	if f, text, ok := lang.CutFilter(name); ok {
		return s.filter(f, text), nil
	}
	if value, ok := s.memory.Vars[name]; ok {
		return value, nil
	}
	if value, ok := s.clock[name]; ok {
		return value, nil
	}
	return "", errUnset
}

// Set changes variables; "undefined" removes one.
func (s *session) Set(_ string, vars map[string]string) {
	for name, value := range vars {
		value = lang.Clean(value)
		if value == "undefined" {
			delete(s.memory.Vars, name)
			continue
		}
		if len(value) > maxValue {
			panic(abort{&engine.Error{Reason: fmt.Sprintf("the bot's script set %s to %d bytes, at most %d are allowed", name, len(value), maxValue)}})
		}
		s.memory.Vars[name] = value
		if len(s.memory.Vars) > maxVariables {
			panic(abort{&engine.Error{Reason: fmt.Sprintf("the bot's script set more than %d variables", maxVariables)}})
		}
	}
}

// AddHistory keeps a message and its reply.
func (s *session) AddHistory(_, input, reply string) {
	s.memory.remember(input, lang.ComparableReply(unmarked(reply)))
}

// GetHistory returns the last messages and replies, padded as the interpreter
// expects.
func (s *session) GetHistory(string) (*sessions.History, error) {
	h := sessions.NewHistory()
	copy(h.Input, s.memory.Inputs)
	copy(h.Reply, s.memory.Replies)
	return h, nil
}

// SetLastMatch hears which trigger matched; "" means none, also for a
// redirect, whose error the interpreter would put into the reply.
func (s *session) SetLastMatch(_, trigger string) {
	if trigger == "" {
		s.missed = true
	}
}

// The rest of the library's interface is for programs, not for scripts.

// Init does nothing: the session is always ready.
func (s *session) Init(string) *sessions.UserData { return nil }

// GetAny has no use here.
func (s *session) GetAny(string) (*sessions.UserData, error) { return nil, errUnset }

// GetAll has no use here.
func (s *session) GetAll() map[string]*sessions.UserData { return nil }

// GetLastMatch has no use here.
func (s *session) GetLastMatch(string) (string, error) { return "", errUnset }

// Clear has no use here.
func (s *session) Clear(string) {}

// ClearAll has no use here.
func (s *session) ClearAll() {}

// Freeze has no use here.
func (s *session) Freeze(string) error { return errUnset }

// Thaw has no use here.
func (s *session) Thaw(string, sessions.ThawAction) error { return errUnset }
