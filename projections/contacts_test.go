package projections_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/projections"
)

// know puts a contact into the log.
func (f *fixture) know(id, account string, s events.ContactSettings) {
	f.put(events.StreamOf("contact", id), 0, events.ContactCreated{Account: account, Settings: s})
}

// contactOf gives the contact that a conversation of acme is linked with.
func (f *fixture) contactOf(conversation string) string {
	f.t.Helper()
	c, err := f.model.Conversation(f.t.Context(), "acme", conversation)
	if err != nil {
		f.t.Fatal(err)
	}
	return c.ContactID
}

func TestContacts(t *testing.T) { // F030 F032 A22
	f := start(t)
	f.fill()
	ctx := t.Context()
	ada := events.ContactSettings{
		Fingerprint: "fingerprint-of-ada", Name: "Ada", Phone: "+15551230001", UserIDs: []string{"US.1"}, VerifiedAt: 5,
		Meta: []byte(`{"app":"whatsapp"}`),
	}
	f.know("c1", "acme", ada)
	f.know("c2", "acme", events.ContactSettings{Fingerprint: "fingerprint-of-bob"})
	f.know("c3", "other", ada)

	t.Run("a contact is found by its owner alone", func(t *testing.T) { // P8
		c, err := f.model.Contact(ctx, "acme", "c1")
		if diff := cmp.Diff(ada, c.Settings); err != nil || diff != "" || c.ID != "c1" || c.Created == 0 || c.Created != c.Updated {
			t.Errorf("%+v, %v %s", c, err, diff)
		}
		for _, who := range [][2]string{{"other", "c1"}, {"acme", "c3"}, {"acme", "none"}, {"acme", ""}} {
			if _, err := f.model.Contact(ctx, who[0], who[1]); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%v: %v", who, err)
			}
		}
	})
	t.Run("contacts are listed in pages, and by their meta", func(t *testing.T) { // A15
		for _, c := range []struct {
			page projections.Page
			want []string
		}{
			{all, []string{"c1", "c2"}},
			{projections.Page{Take: 1, Descending: true}, []string{"c2"}},
			{projections.Page{Take: 10, Meta: map[string]string{"app": "whatsapp"}}, []string{"c1"}},
		} {
			contacts, err := f.model.Contacts(ctx, "acme", c.page)
			var got []string
			for _, contact := range contacts {
				got = append(got, contact.ID)
			}
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%+v: %v %s", c.page, err, diff)
			}
		}
	})
	t.Run("an update shows", func(t *testing.T) {
		changed := ada
		changed.Nick, changed.Meta = "Countess", []byte(`{"app":"web"}`)
		f.put("contact-c1", 0, events.ContactUpdated{Settings: changed})
		c, err := f.model.Contact(ctx, "acme", "c1")
		if diff := cmp.Diff(changed, c.Settings); err != nil || diff != "" || c.Updated <= c.Created {
			t.Errorf("%+v, %v %s", c, err, diff)
		}
		found, err := f.model.Contacts(ctx, "acme", projections.Page{Take: 10, Meta: map[string]string{"app": "web"}})
		if err != nil || len(found) != 1 {
			t.Errorf("%d found by the new meta, %v", len(found), err)
		}
	})
	t.Run("a conversation is linked with its contact", func(t *testing.T) {
		f.put("conversation-i1.1555", 0, events.ContactLinked{Session: "s1", Contact: "c1"})
		if got := f.contactOf("s1"); got != "c1" {
			t.Errorf("linked with %q", got)
		}
		for _, c := range []struct {
			account, contact string
			want             int
		}{{"acme", "c1", 1}, {"acme", "c2", 0}, {"acme", "", 0}, {"other", "c1", 0}} {
			conversations, err := f.model.ContactConversations(ctx, c.account, c.contact, all)
			if err != nil || len(conversations) != c.want {
				t.Errorf("%+v: %d conversations, %v", c, len(conversations), err)
			}
		}
	})
	t.Run("a deleted contact is linked nowhere", func(t *testing.T) {
		f.put("contact-c1", 0, events.ContactDeleted{Account: "acme"})
		if _, err := f.model.Contact(ctx, "acme", "c1"); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("it is still there: %v", err)
		}
		if got := f.contactOf("s1"); got != "" {
			t.Errorf("linked with %q", got)
		}
		f.put("conversation-i1.1555", 0, events.ContactLinked{Session: "s1", Contact: "c1"})
		if got := f.contactOf("s1"); got != "" {
			t.Errorf("linked with %q after its end", got)
		}
	})
	t.Run("it may begin anew", func(t *testing.T) {
		f.put("contact-c1", 0, events.ContactCreated{Account: "acme", Settings: ada})
		contacts, err := f.model.Contacts(ctx, "acme", all)
		if err != nil || len(contacts) != 2 || contacts[1].ID != "c1" {
			t.Errorf("%+v, %v", contacts, err)
		}
		if got := f.contactOf("s1"); got != "" {
			t.Errorf("an old conversation is linked with %q", got)
		}
	})
	t.Run("a fingerprint is an account's only once, whatever the log holds", func(t *testing.T) {
		f.know("c4", "acme", ada)
		if _, err := f.model.Contact(ctx, "acme", "c4"); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a model that is folded anew is the same", func(t *testing.T) { // P6
		want := dump(t, f.model)
		f.stop()
		remove(t, f.path)
		f.open()
		if err := f.model.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if got := dump(t, f.model); got != want {
			t.Error("the model differs")
		}
	})
}

func TestContactsOutliveTheirIntegration(t *testing.T) { // F112
	f := start(t)
	f.fill()
	f.know("c1", "acme", events.ContactSettings{Fingerprint: "fingerprint-of-ada"})
	f.put("conversation-i1.1555", 0, events.ContactLinked{Session: "s1", Contact: "c1"})
	f.put("integration-i1", 0, events.IntegrationDeleted{Account: "acme"})
	if _, err := f.model.Contact(t.Context(), "acme", "c1"); err != nil || f.contactOf("s1") != "c1" {
		t.Errorf("%v, linked with %q", err, f.contactOf("s1"))
	}
}
