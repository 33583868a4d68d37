// Package completion holds the rules of answers that are stored nowhere: all
// that is kept of one is what it cost.
package completion

import (
	"time"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one answer come to.
type State struct{ Made bool }

// Record says what an answer cost. Of one answer it counts once.
type Record struct {
	BotID   string        `msgpack:"bo"`
	Model   string        `msgpack:"mo"`
	Tokens  int           `msgpack:"tk"`
	Thought time.Duration `msgpack:"th"`
	// Failed says that there was no answer in the end.
	Failed bool `msgpack:"fa"`
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{Kind: events.CompletionCategory, Messages: []any{Record{}}, Decide: decide, Evolve: evolve}
}

// Address is the actor of an answer, by a new ID.
func Address(id string) domain.Address {
	return domain.Address{Kind: events.CompletionCategory, ID: id}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	body, ok := c.Body.(Record)
	switch {
	case !ok:
		return nil, domain.Refused(domain.Invalid, "", "completions do not know this command")
	case s.Made:
		return nil, nil
	}
	return []events.Event{events.CompletionMade{
		BotID: body.BotID, Model: body.Model, Tokens: body.Tokens, Thought: body.Thought.Microseconds(), Failed: body.Failed, At: c.At,
	}}, nil
}

func evolve(s State, fact events.Event) State {
	if _, ok := fact.(events.CompletionMade); ok {
		s.Made = true
	}
	return s
}
