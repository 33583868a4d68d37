package parley_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/projections"
)

// auditReplay: the state follows from the facts alone, from the first one or
// from any snapshot, and it is the state by which the node went. P6
func (s *simulation) auditReplay(c *character, facts []logged) {
	decider := conversation.New(s.rules)
	// whole is folded from the start and from no snapshot.
	var state, whole conversation.State
	sameBut := cmpopts.IgnoreFields(conversation.State{}, "Since")
	for i, e := range facts {
		state = decider.Evolve(state, e.fact)
		if fact := withoutSnapshot(e.fact); fact != nil {
			whole = decider.Evolve(whole, fact)
		}
		if diff := cmp.Diff(whole, state, sameBut, cmpopts.EquateEmpty()); diff != "" {
			s.fail(c.name, "at revision %d a snapshot leads to another state: %s", e.Revision, diff)
			return
		}
		last := i+1 == len(facts) || facts[i+1].meta.Command != e.meta.Command
		if owes := domain.NextDue(decider.Owed(state)); last && owes != e.meta.Owes {
			s.fail(c.name, "at revision %d the node went by work due at %v, replayed it is %v", e.Revision, e.meta.Owes.Time(), owes.Time())
		}
	}
	if owed := decider.Owed(state); len(owed) > 0 {
		s.fail(c.name, "the conversation still owes %+v", owed)
	}
}

// withoutSnapshot is a fact without what it repeats; nil if nothing is left.
func withoutSnapshot(fact events.Event) events.Event {
	switch f := fact.(type) {
	case events.SessionContinued:
		return nil
	case events.SessionStarted:
		f.Carried = nil
		return f
	}
	return fact
}

// auditHistories: the API tells each message once. P2
func (s *simulation) auditHistories() {
	told := map[string]int{}
	for _, conversation := range s.conversations() {
		for _, text := range s.history(conversation["id"].(string)) {
			if text, ok := strings.CutPrefix(text, "user: "); ok {
				told[labelled.FindString(text)]++
			}
		}
	}
	for _, w := range s.record.written {
		if n := told[w.label]; w.opens && n != 1 {
			s.fail(w.person.name, "the API tells %s %d times", w.label, n)
		}
	}
}

// auditReadModel: the read model owes nothing, and is the one that is folded
// from the log alone. P6
func (s *simulation) auditReadModel() {
	open := func(path string) *projections.Model {
		m, err := projections.Open(s.t.Context(), projections.Config{Path: path, Store: s.store})
		if err != nil {
			s.t.Fatal(err)
		}
		return m
	}
	lived := open(filepath.Join(s.config.Data, "read", "model.db"))
	folded := open(filepath.Join(s.t.TempDir(), "model.db"))
	if head := s.head(); lived.Position() != head {
		s.fail("", "the read model is at %d, the log at %d", lived.Position(), head)
	}
	s.fold(folded)
	var prints []string
	for _, m := range []*projections.Model{lived, folded} {
		if owing, err := m.Owing(s.t.Context(), math.MaxInt64, 10); err != nil || len(owing) > 0 {
			s.fail("", "the read model says that %v owe work (%v)", owing, err)
		}
		print, err := m.Fingerprint(s.t.Context())
		if err != nil {
			s.t.Error(err)
		}
		prints = append(prints, print)
		if err := m.Close(); err != nil {
			s.t.Error(err)
		}
	}
	if prints[0] != prints[1] {
		s.fail("", "the read model is another one when it is folded anew")
	}
}

// fold lets a read model follow the log to its end.
func (s *simulation) fold(m *projections.Model) { follow(s.t, m) }

// follow lets a read model follow its log to the end.
func follow(t testing.TB, m *projections.Model) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	err := m.CatchUp(ctx)
	cancel()
	if err := errors.Join(err, <-ended); err != nil {
		t.Error(err)
	}
}

func (s *simulation) head() events.Position {
	head, err := s.store.Head(s.t.Context())
	if err != nil {
		s.t.Error(err)
	}
	return head
}
