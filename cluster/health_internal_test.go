package cluster

import (
	"log/slog"
	"strings"
	"testing"
)

// Three nodes say how they are, one word a beat: + is fit, - is not, x is not
// reached. The ring is the first one's.
func TestWhoIsNotFitIsLeftOut(t *testing.T) {
	for _, c := range []struct{ name, a, b, c, ring string }{
		{"all are fit", "+", "+", "+", "abc"},
		{"one that says once that it is not stays", "++", "+-", "++", "abc"},
		{"one that says so twice is left out", "++", "--", "++", "ac"},
		{"so is this node itself", "--", "++", "++", "bc"},
		{"one that is fit again comes back", "+++", "--+", "+++", "abc"},
		{"when nobody is fit all stay", "--", "--", "--", "abc"},
		{"also while they notice one after the other", "+-", "--", "--", "abc"},
		{"and when the first is fit again", "--+", "---", "---", "abc"},
		{"until it is sure of it", "--++", "----", "----", "a"},
		{"a fit one that is not reached is no help", "--", "xxx", "--", "ac"},
		{"one that is not fit is better than nobody", "--", "xxx", "xxx", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &view{
				self: Member{ID: "a"}, health: sure, logger: slog.New(slog.DiscardHandler), changed: func() {}, links: map[string]*link{},
				dial: func(m Member) (*link, error) { return &link{member: m, health: sure}, nil },
			}
			v.learn([]Member{{ID: "a"}, {ID: "b", Address: "b:1"}, {ID: "c", Address: "c:1"}})
			for i := range max(len(c.a), len(c.b), len(c.c)) {
				if i < len(c.a) {
					v.feels(c.a[i] == '+')
				}
				for id, said := range map[string]string{"b": c.b, "c": c.c} {
					switch l := v.links[id]; {
					case i >= len(said):
					case said[i] == 'x':
						v.heard(l, 1)
					default:
						v.says(l, said[i] == '+')
					}
				}
			}
			var ring strings.Builder
			for _, m := range v.ring.Load().members {
				ring.WriteString(m.ID)
			}
			if ring.String() != c.ring {
				t.Errorf("the ring is %s, not %s", ring.String(), c.ring)
			}
		})
	}
}
