// Package domaintest plays given/when/then tables against deciders.
package domaintest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/domain"
	"parley/events"
)

// Case is one rule: given some facts, when a command is put, then either facts
// follow or a refusal.
type Case struct {
	// Name is a sentence that states the rule.
	Name  string
	Given []events.Event
	When  domain.Command
	Then  []events.Event
	// Refused is the refusal's code; "" when the command is not refused.
	Refused domain.Code
}

// Run checks each case, and that a decision leaves the state alone.
func Run[S any](t *testing.T, d domain.Decider[S], cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			var empty S
			state := d.Fold(empty, c.Given...)
			facts, err := d.Decide(state, c.When)
			var refusal *domain.Error
			switch {
			case c.Refused != "":
				if !errors.As(err, &refusal) || refusal.Code != c.Refused {
					t.Errorf("refused with %v, want %s", err, c.Refused)
				}
			case err != nil:
				t.Errorf("refused: %v", err)
			}
			if diff := cmp.Diff(c.Then, facts); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(d.Fold(empty, c.Given...), state); diff != "" {
				t.Errorf("deciding changed the state: %s", diff)
			}
		})
	}
}
