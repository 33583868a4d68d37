// Package alias holds the rule that an alias belongs to one thing at a time.
// Each alias of an account and a kind has a stream of its own, so that two
// things that want it at once meet there.
package alias

import (
	"time"

	"parley/domain"
	"parley/events"
)

// Unproven is how long a claim is safe from being taken over although its
// holder does not use it: the holder may be about to.
const Unproven = time.Minute

// State says who holds the alias, and since when.
type State struct {
	Holder string
	Since  events.Instant
}

// Claim asks for the alias. Claiming what one holds changes nothing.
type Claim struct {
	Holder string `msgpack:"h"`
	// Instead names a holder that was found not to use the alias (any more).
	Instead string `msgpack:"i"`
}

// Release gives the alias up. Releasing what somebody else holds changes
// nothing.
type Release struct {
	Holder string `msgpack:"h"`
}

// Look asks who holds the alias. The answer is a string, "" for nobody.
type Look struct{}

// Address is where an alias of a kind of things of an account lives.
func Address(account, kind, name string) domain.Address {
	return domain.Address{Kind: events.AliasCategory, ID: account + "." + kind + "." + name}
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.AliasCategory, Messages: []any{Claim{}, Release{}, Look{}}, Decide: decide, Evolve: evolve, Answer: answer,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Claim:
		switch {
		case s.Holder == body.Holder:
			return nil, nil
		case s.Holder == "", s.Holder == body.Instead && c.At.Sub(s.Since) >= Unproven:
			return []events.Event{events.AliasClaimed{Holder: body.Holder, At: c.At}}, nil
		}
		return nil, domain.Refused(domain.Conflict, "alias", "The alias is taken")
	case Release:
		if s.Holder != body.Holder {
			return nil, nil
		}
		return []events.Event{events.AliasReleased{}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "aliases do not know this command")
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.AliasClaimed:
		return State{Holder: f.Holder, Since: f.At}
	case events.AliasReleased:
		return State{}
	}
	return s
}

func answer(s State, question any) (any, error) {
	if _, ok := question.(Look); !ok {
		return nil, domain.Refused(domain.Invalid, "", "aliases do not know this question")
	}
	return s.Holder, nil
}
