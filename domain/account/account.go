// Package account holds the rules of accounts: which secrets may call the API
// on their behalf.
package account

import (
	"maps"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one account come to: the tokens that are valid.
type State struct {
	Tokens map[string]events.TokenIssued
}

// Issue hands out a token. Only the hash of its secret arrives here.
type Issue struct {
	Token string `msgpack:"id"`
	Name  string `msgpack:"nm"`
	Hash  []byte `msgpack:"ha"`
	// First refuses the token if the account has one: of many nodes that start
	// at once one makes it.
	First bool `msgpack:"fi,omitempty"`
}

// Revoke withdraws a token.
type Revoke struct {
	Token string `msgpack:"id"`
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.AccountCategory, Messages: []any{Issue{}, Revoke{}}, Decide: decide, Evolve: evolve,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Issue:
		if _, ok := s.Tokens[body.Token]; ok {
			return nil, nil
		}
		if body.First && len(s.Tokens) > 0 {
			return nil, domain.Refused(domain.Conflict, "", "the account has a token already")
		}
		if err := domain.CheckText("name", body.Name, domain.MaxName); err != nil {
			return nil, err
		}
		return []events.Event{events.TokenIssued{Token: body.Token, Name: body.Name, Hash: body.Hash}}, nil
	case Revoke:
		if _, ok := s.Tokens[body.Token]; !ok {
			return nil, domain.Refused(domain.NotFound, "", "Token not found")
		}
		return []events.Event{events.TokenRevoked{Token: body.Token}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "accounts do not know this command")
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.TokenIssued:
		s.Tokens = maps.Clone(s.Tokens)
		if s.Tokens == nil {
			s.Tokens = map[string]events.TokenIssued{}
		}
		s.Tokens[f.Token] = f
	case events.TokenRevoked:
		s.Tokens = maps.Clone(s.Tokens)
		delete(s.Tokens, f.Token)
	}
	return s
}
