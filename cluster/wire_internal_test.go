package cluster

import (
	"strings"
	"testing"

	"parley/actors"
)

type (
	secretive struct{ A, b string }
	around    struct{ Inner []*secretive }
	looping   struct {
		Next *looping
		Map  map[string]int
	}
)

func TestWhatTravelsBetweenNodes(t *testing.T) {
	for _, c := range []struct {
		name   string
		sample any
		wrong  string
	}{
		{"a type with all its fields", actors.Wake{}, ""},
		{"a type that holds itself", looping{}, ""},
		{"a field that would be lost is an error", secretive{}, "secretive would lose its field b"},
		{"however deep it lies", around{}, "around would lose its field Inner.b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newWire([]actors.Kind{{Messages: []any{c.sample}}})
			if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
				t.Errorf("got %v", err)
			}
		})
	}
	_ = secretive{b: "used"}.b
}
