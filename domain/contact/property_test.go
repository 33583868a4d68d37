package contact_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/domain"
	"parley/domain/contact"
	"parley/events"
)

// person draws somebody of whom anything may be known, oddities included.
func person(t *rapid.T) events.Person {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "Ada", "Bob"}), rapid.String(), rapid.Just("\xff\x00"+strings.Repeat("x", 1100)))
	return events.Person{
		Phone:    rapid.SampledFrom([]string{"", "15551230001", "442071234567", "1", "0", strings.Repeat("9", 40)}).Draw(t, "phone"),
		UserID:   rapid.SampledFrom([]string{"", "US.1", "US.2", "GB.ENT.3"}).Draw(t, "user ID"),
		Name:     text.Draw(t, "name"),
		Username: text.Draw(t, "username"),
	}
}

func command(t *rapid.T) domain.Command {
	changes := contact.Changes{Fingerprint: domain.Some(fingerprint)}
	if rapid.Bool().Draw(t, "renames") {
		changes.Name, changes.Phone = domain.Some(rapid.SampledFrom([]string{"", "Countess"}).Draw(t, "new name")), domain.Some("")
	}
	return put(rapid.SampledFrom([]any{
		contact.Learn{Fingerprint: fingerprint, Who: person(t)},
		contact.Learn{Fingerprint: fingerprint, Who: person(t)},
		contact.Create{Changes: changes},
		contact.Update{Changes: changes},
		contact.Delete{},
	}).Draw(t, "command"))
}

func TestLearningTwiceChangesNothing(t *testing.T) {
	d := contact.New()
	rapid.Check(t, func(t *rapid.T) {
		var s contact.State
		for range rapid.IntRange(0, 20).Draw(t, "commands") {
			facts, err := d.Decide(s, command(t))
			if err != nil && !domain.IsRefusal(err, domain.Conflict) && !domain.IsRefusal(err, domain.NotFound) {
				t.Fatalf("what was learned stands in the way: %v", err)
			}
			s = d.Fold(s, facts...)

			learn := put(contact.Learn{Fingerprint: fingerprint, Who: person(t)})
			facts, err = d.Decide(s, learn)
			if err != nil || len(facts) > 1 {
				t.Fatalf("learning gives %v, %v", facts, err)
			}
			knew := s
			s = d.Fold(s, facts...)
			if again, err := d.Decide(s, learn); err != nil || len(again) > 0 {
				t.Fatalf("learning twice gives %v, %v", again, err)
			}
			if knew.Exists && !keeps(knew.Settings, s.Settings) {
				t.Fatalf("%+v was overwritten: %+v", knew.Settings, s.Settings)
			}
		}
	})
}

// keeps reports that what was known is known still.
func keeps(was, is events.ContactSettings) bool {
	return (was.Name == "" || was.Name == is.Name) && (was.Phone == "" || was.Phone == is.Phone) &&
		len(was.UserIDs) <= len(is.UserIDs) && slices.Equal(was.UserIDs, is.UserIDs[:len(was.UserIDs)])
}

// fact draws a fact of any kind, those of contacts most often.
func fact(t *rapid.T) events.Event {
	types := events.Types()
	settings := rapid.Make[events.ContactSettings]().Draw(t, "settings")
	return rapid.SampledFrom([]events.Event{
		events.ContactCreated{Account: "acme", Settings: settings},
		events.ContactUpdated{Settings: settings},
		events.ContactDeleted{Account: "acme"},
		types[rapid.SampledFrom(slices.Sorted(maps.Keys(types))).Draw(t, "type")],
	}).Draw(t, "fact")
}

func TestEvolveIsTotal(t *testing.T) {
	d := contact.New()
	rapid.Check(t, func(t *rapid.T) {
		var s contact.State
		for range rapid.IntRange(0, 20).Draw(t, "facts") {
			was, f := s, fact(t)
			s = d.Evolve(s, f)
			switch f.(type) {
			case events.ContactCreated, events.ContactUpdated, events.ContactDeleted:
			default:
				if diff := cmp.Diff(was, s); diff != "" {
					t.Fatalf("%s changed a contact: %s", f.EventType(), diff)
				}
			}
			before := s
			_, _ = d.Decide(s, command(t)) // whatever comes of it
			if diff := cmp.Diff(before, s); diff != "" {
				t.Fatalf("deciding changed the state: %s", diff)
			}
		}
	})
}
