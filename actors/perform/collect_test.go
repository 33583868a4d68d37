package perform_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/actors"
	"parley/domain/contact"
	"parley/domain/integration"
	"parley/events"
)

func TestCollecting(t *testing.T) {
	number, id := events.Person{Phone: "15551230001"}, events.Person{UserID: "US.1"}
	both := events.Person{Phone: "15551230001", UserID: "US.1"}
	abroad := events.Person{Phone: "15551230001", UserID: "US.2"} // of another business portfolio
	for _, c := range []struct {
		name     string
		messages []message
		contacts int
	}{
		{"who writes three times is one contact", []message{{"i1", both, false}, {"i1", both, false}, {"i1", both, false}}, 1}, // F191
		{"who writes to two integrations of an account is one contact", []message{{"i1", number, false}, {"i2", number, false}}, 1},
		{"whose number becomes known later stays one contact", []message{{"i1", id, false}, {"i1", both, false}, {"i2", number, false}}, 1},
		{"whose user ID becomes known later stays one contact", []message{{"i1", number, false}, {"i1", both, false}, {"i1", id, false}}, 1},
		{"whose number is hidden later stays one contact", []message{{"i1", both, false}, {"i1", id, false}}, 1},
		{"a number ties two user IDs together", []message{{"i1", both, false}, {"i2", abroad, false}, {"i2", events.Person{UserID: "US.2"}, false}}, 1},
		{"the number that became known later does, too", []message{{"i1", id, false}, {"i1", both, false}, {"i2", abroad, false}, {"i2", events.Person{UserID: "US.2"}, false}}, 1},
		{"another number with the same user ID is one contact", []message{{"i1", both, false}, {"i1", events.Person{Phone: "15551230002", UserID: "US.1"}, false}}, 1},
		{"two people are two contacts", []message{{"i1", both, false}, {"i1", events.Person{Phone: "15551230002", UserID: "US.2"}, false}}, 2},
		{"accounts do not share contacts", []message{{"i1", both, false}, {"i3", both, false}}, 2},               // P8
		{"nobody is collected where it is switched off", []message{{"i1", both, true}, {"i2", number, true}}, 0}, // F031
	} {
		t.Run(c.name, func(t *testing.T) { // F030 F032 F190 F191
			settled(t, 1, plainly, func(t *testing.T, w *town) {
				var sessions []string
				for _, m := range c.messages {
					sessions = append(sessions, w.receive(0, m))
					w.rest()
				}
				f := w.find()
				if f.made != c.contacts || len(f.contacts) != c.contacts {
					t.Errorf("%d contacts: %+v", f.made, f.contacts)
				}
				if linked := f.of(sessions); c.contacts > 0 && (len(linked) != c.contacts || slices.Contains(linked, "")) {
					t.Errorf("the sessions are linked with %q", linked)
				}
			})
		})
	}
}

func TestWhatIsCollected(t *testing.T) { // F030 F189 F190
	settled(t, 1, plainly, func(t *testing.T, w *town) {
		at := events.At(time.Now())
		session := w.receive(0, message{integration: "i1", who: events.Person{Phone: "15551230001"}})
		w.rest()
		w.receive(0, message{integration: "i1", who: events.Person{Phone: "15551230001", UserID: "US.1", Name: "Ada", Username: "ada"}})
		w.rest()
		f := w.find()
		got := f.contacts[f.linked[session]]
		want := contact.State{Account: "acme", Exists: true, Settings: events.ContactSettings{
			Fingerprint: "a18d4f68-1dde-5786-81c9-02f5448f2443", Name: "Ada", Phone: "+15551230001",
			UserIDs: []string{"US.1"}, Username: "ada", VerifiedAt: at, Meta: []byte(`{"app":"whatsapp"}`),
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// Two contacts may turn out to be one person. Both stay, and the one with the
// number is gone on with.
func TestANumberTellsWhoAUserIDIs(t *testing.T) {
	settled(t, 1, plainly, func(t *testing.T, w *town) {
		number, id := events.Person{Phone: "15551230001"}, events.Person{UserID: "US.1"}
		apart := []string{w.receive(0, message{integration: "i1", who: number}), w.receive(0, message{integration: "i1", who: id})}
		w.rest()
		both := w.receive(0, message{integration: "i2", who: events.Person{Phone: "15551230001", UserID: "US.1"}})
		w.rest()
		later := w.receive(0, message{integration: "i1", who: id})
		w.rest()
		f := w.find()
		if f.made != 2 || len(f.of(apart)) != 2 {
			t.Fatalf("%d contacts, linked %v", f.made, f.linked)
		}
		if got := f.of([]string{apart[0], both, later}); len(got) != 1 {
			t.Errorf("linked with %q", got)
		}
	})
}

func TestADeletedContactIsCollectedAnew(t *testing.T) {
	settled(t, 1, plainly, func(t *testing.T, w *town) {
		ada := message{integration: "i1", who: events.Person{Phone: "15551230001"}}
		first := w.receive(0, ada)
		w.rest()
		was := w.find().linked[first]
		w.ask(0, events.ContactCategory, was, "acme", contact.Delete{})
		second := w.receive(0, ada)
		w.rest()
		f := w.find()
		if !f.contacts[was].Exists || f.made != 2 || f.linked[second] != was {
			t.Errorf("%+v, linked %v", f.contacts, f.linked)
		}
	})
}

func TestNothingIsCollectedForADeletedIntegration(t *testing.T) { // P7
	var tries int
	note := func(ctx context.Context, w actors.Work, perform actors.PerformerFunc) error {
		tries++
		return perform(ctx, w)
	}
	settled(t, 1, note, func(t *testing.T, w *town) {
		w.ask(0, events.IntegrationCategory, "i1", "acme", integration.Delete{})
		w.receive(0, message{integration: "i1", who: events.Person{Phone: "15551230001"}})
		w.rest()
		if f := w.find(); f.made != 0 || len(f.linked) != 0 {
			t.Errorf("%+v, linked %v", f.contacts, f.linked)
		}
		if tries != 1 {
			t.Errorf("it was tried %d times", tries)
		}
	})
}

func TestCollectingGoesOnAfterACrash(t *testing.T) { // P4
	messages := []message{
		{integration: "i1", who: events.Person{UserID: "US.1"}},
		{integration: "i1", who: events.Person{Phone: "15551230001", UserID: "US.1", Name: "Ada"}},
		{integration: "i2", who: events.Person{Phone: "15551230001", UserID: "US.2"}},
		{integration: "i2", who: events.Person{UserID: "US.2"}},
	}
	for at := 1; ; at++ {
		calls := 0
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("at call %d, after it %v", at, after), func(t *testing.T) {
				c := &crash{at: at, after: after}
				settled(t, 1, c.during, func(t *testing.T, w *town) {
					var sessions []string
					for _, m := range messages {
						sessions = append(sessions, w.receive(0, m))
						w.rest()
					}
					f := w.find()
					if linked := f.of(sessions); f.made != 1 || len(linked) != 1 || linked[0] == "" {
						t.Errorf("%d contacts, linked with %q", f.made, linked)
					}
				})
				calls = c.calls
			})
		}
		if calls < at {
			return // it crashed everywhere
		}
	}
}

func TestConversationsThatBeginAtOnceGiveOneContact(t *testing.T) { // F191
	messages := []message{
		{integration: "i1", who: events.Person{Phone: "15551230001", UserID: "US.1", Name: "Ada"}},
		{integration: "i2", who: events.Person{Phone: "15551230001", UserID: "US.1"}},
		{integration: "i1", who: events.Person{UserID: "US.1", Username: "ada"}},
	}
	for round := range 40 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			settled(t, 3, lag(uint64(round)), func(t *testing.T, w *town) {
				sessions := w.receiveAtOnce(round, messages)
				w.rest()
				f := w.find()
				if linked := f.of(sessions); f.made != 1 || len(linked) != 1 || linked[0] == "" {
					t.Errorf("%d contacts, linked with %q", f.made, linked)
				}
				if s := f.contacts[f.linked[sessions[0]]].Settings; s.Name != "Ada" || s.Phone != "+15551230001" || s.Username != "ada" {
					t.Errorf("what was learned got lost: %+v", s)
				}
			})
		})
	}
}

func TestConversationsThatKnowTheNumberAgree(t *testing.T) { // F190
	id := message{integration: "i1", who: events.Person{UserID: "US.1"}}
	messages := []message{
		{integration: "i1", who: events.Person{Phone: "15551230001", UserID: "US.1"}},
		{integration: "i2", who: events.Person{Phone: "15551230001"}},
	}
	for round := range 40 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			settled(t, 2, lag(uint64(round)), func(t *testing.T, w *town) {
				w.receive(0, id)
				w.rest()
				sessions := w.receiveAtOnce(round, messages)
				w.rest()
				f := w.find()
				if linked := f.of(sessions); len(linked) != 1 || linked[0] == "" {
					t.Errorf("linked with %q", linked)
				}
				for _, s := range f.streams {
					if s.Category() == events.AliasCategory && strings.HasSuffix(string(s), ".") {
						t.Errorf("somebody without a user ID is known as %s", s)
					}
				}
			})
		})
	}
}
