package contact_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/domain"
	"parley/domain/contact"
	"parley/domain/domaintest"
	"parley/events"
)

func TestForgettingADeletedContact(t *testing.T) { // A22
	made, deleted := events.ContactCreated{Account: "acme", Settings: learned()}, events.ContactDeleted{Account: "acme"}
	report := func(deletions int) domain.Command { return put(contact.ReportBared{Deletions: deletions}) }
	domaintest.Run(t, contact.New(), []domaintest.Case{
		{
			Name: "that it is bare is recorded", Given: []events.Event{made, deleted}, When: report(1),
			Then: []events.Event{events.ContactBared{Deletions: 1}},
		},
		{Name: "once", Given: []events.Event{made, deleted, events.ContactBared{Deletions: 1}}, When: report(1)},
		{
			Name: "also when it was made again", Given: []events.Event{made, deleted, made}, When: report(1),
			Then: []events.Event{events.ContactBared{Deletions: 1}},
		},
		{Name: "what is not deleted is not bare", Given: []events.Event{made}, When: report(1)},
	})
	d := contact.New()
	owed := func(facts ...events.Event) []domain.Task { return d.Owed(d.Fold(contact.State{}, facts...)) }
	want := []domain.Task{{Lane: "bare", Body: contact.Bare{Deletions: 2}}}
	if diff := cmp.Diff(want, owed(made, deleted, made, deleted, events.ContactBared{Deletions: 1})); diff != "" {
		t.Errorf("after the second deletion: %s", diff)
	}
	if owed := owed(made, deleted, events.ContactBared{Deletions: 1}, made); len(owed) > 0 {
		t.Errorf("%v is owed, and it is done", owed)
	}
}

// Without what was known of a deleted contact the state is the same. P6
func TestBareFactsFoldAsWholeOnes(t *testing.T) {
	d := contact.New()
	rapid.Check(t, func(t *rapid.T) {
		var whole []events.Event
		for range rapid.IntRange(0, 20).Draw(t, "commands") {
			facts, _ := d.Decide(d.Fold(contact.State{}, whole...), command(t)) // refusals are told by others
			whole = append(whole, facts...)
		}
		bare := append([]events.Event{}, whole...)
		for i, fact := range whole {
			if _, ok := fact.(events.ContactDeleted); ok {
				for j := range i {
					bare[j] = events.BareContact(bare[j])
				}
			}
		}
		if diff := cmp.Diff(d.Fold(contact.State{}, whole...), d.Fold(contact.State{}, bare...)); diff != "" {
			t.Fatalf("another state: %s", diff)
		}
	})
}
