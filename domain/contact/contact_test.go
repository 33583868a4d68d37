package contact_test

import (
	"strings"
	"testing"

	"parley/domain"
	"parley/domain/contact"
	"parley/domain/domaintest"
	"parley/events"
)

const (
	at          = events.Instant(1_700_000_000_000_000)
	fingerprint = "a18d4f68-1dde-5786-81c9-02f5448f2443"
)

func put(body any) domain.Command {
	return domain.Command{ID: "c", Account: "acme", At: at, Body: body}
}

// learned is a contact as a first message makes it.
func learned() events.ContactSettings {
	return events.ContactSettings{
		Fingerprint: fingerprint, Name: "Ada", Phone: "+15551230001", UserIDs: []string{"US.1"}, Username: "ada",
		VerifiedAt: at, Meta: []byte(`{"app":"whatsapp"}`),
	}
}

func TestLearning(t *testing.T) { // F030 F189 F190 F191
	ada := events.Person{Phone: "15551230001", UserID: "US.1", Name: "Ada", Username: "ada"}
	learn := func(who events.Person) domain.Command {
		return put(contact.Learn{Fingerprint: fingerprint, Who: who})
	}
	created := func(change func(*events.ContactSettings)) []events.Event {
		s := learned()
		change(&s)
		return []events.Event{events.ContactCreated{Account: "acme", Settings: s}}
	}
	updated := func(change func(*events.ContactSettings)) []events.Event {
		s := learned()
		change(&s)
		return []events.Event{events.ContactUpdated{Settings: s}}
	}
	as := func(*events.ContactSettings) {}
	domaintest.Run(t, contact.New(), []domaintest.Case{
		{Name: "who writes first becomes a contact", When: learn(ada), Then: created(as)},
		{
			Name: "a phone number alone is enough", When: learn(events.Person{Phone: "15551230001"}),
			Then: created(func(s *events.ContactSettings) { s.Name, s.UserIDs, s.Username = "", nil, "" }),
		},
		{
			Name: "so is a user ID", When: learn(events.Person{UserID: "US.1"}),
			Then: created(func(s *events.ContactSettings) { s.Name, s.Phone, s.Username = "", "", "" }),
		},
		{
			Name: "what is no phone number is not stored as one", When: learn(events.Person{Phone: "15", UserID: "US.1", Name: "Ada", Username: "ada"}),
			Then: created(func(s *events.ContactSettings) { s.Phone = "" }),
		},
		{
			Name: "an endless name is cut, and what cannot be stored is left out",
			When: learn(events.Person{Phone: "15551230001", UserID: "US.1", Name: "\x00\xff" + strings.Repeat("é", domain.MaxName+1), Username: "a\x00da"}),
			Then: created(func(s *events.ContactSettings) { s.Name = strings.Repeat("é", domain.MaxName) }),
		},
		{Name: "the same again is no news", Given: created(as), When: learn(ada)},
		{
			Name: "a name and a number are filled in when they become known", When: learn(ada),
			Given: created(func(s *events.ContactSettings) { s.Name, s.Phone = "", "" }), Then: updated(as),
		},
		{
			Name: "what is missing from a message is not forgotten", Given: created(as), When: learn(events.Person{UserID: "US.1"}),
		},
		{
			Name: "what somebody entered stays", When: learn(ada),
			Given: created(func(s *events.ContactSettings) { s.Name, s.Phone = "Countess", "+442071234567" }),
		},
		{
			Name: "another user ID is another way to know the same contact", Given: created(as),
			When: learn(events.Person{Phone: "15551230001", UserID: "US.2"}),
			Then: updated(func(s *events.ContactSettings) { s.UserIDs = []string{"US.1", "US.2"} }),
		},
		{
			Name: "a username changes with the person's", Given: created(as), When: learn(events.Person{UserID: "US.1", Username: "lovelace"}),
			Then: updated(func(s *events.ContactSettings) { s.Username = "lovelace" }),
		},
		{
			Name: "a contact that somebody made is neither verified nor marked by a message", When: learn(ada),
			Given: created(func(s *events.ContactSettings) { s.Name, s.VerifiedAt, s.Meta = "", 0, nil }),
			Then:  updated(func(s *events.ContactSettings) { s.VerifiedAt, s.Meta = 0, nil }),
		},
		{
			Name: "who was deleted and writes again begins anew", When: learn(ada), Then: created(as),
			Given: append(created(func(s *events.ContactSettings) { s.Name, s.Nick = "Countess", "A." }), events.ContactDeleted{Account: "acme"}),
		},
		{
			Name: "nothing is learned about somebody else's contact", Given: created(as), // P8
			When: domain.Command{ID: "c", Account: "other", Body: contact.Learn{Who: ada}}, Refused: domain.NotFound,
		},
	})
}

func TestRules(t *testing.T) { // A22
	created := events.ContactCreated{Account: "acme", Settings: learned()}
	update := func(change func(*contact.Changes)) domain.Command {
		var c contact.Changes
		change(&c)
		return put(contact.Update{Changes: c})
	}
	create := func(change func(*contact.Changes)) domain.Command {
		c := contact.Changes{Fingerprint: domain.Some(fingerprint)}
		change(&c)
		return put(contact.Create{Changes: c})
	}
	merged := learned()
	merged.Nick, merged.Phone, merged.Email = "Countess", "+442071234567", "ada@example.com"
	merged.Meta = []byte(`{"app":"whatsapp","vip":true}`)
	bare := events.ContactSettings{Fingerprint: fingerprint, VerifiedAt: at}
	domaintest.Run(t, contact.New(), []domaintest.Case{
		{
			Name: "a fingerprint is enough to create one", When: create(func(c *contact.Changes) { c.VerifiedAt = domain.Some(at) }),
			Then: []events.Event{events.ContactCreated{Account: "acme", Settings: bare}},
		},
		{Name: "it is created once", Given: []events.Event{created}, When: create(func(*contact.Changes) {}), Refused: domain.Conflict},
		{
			Name:  "a deleted one can be created again",
			Given: []events.Event{created, events.ContactDeleted{Account: "acme"}}, When: create(func(c *contact.Changes) { c.VerifiedAt = domain.Some(at) }),
			Then: []events.Event{events.ContactCreated{Account: "acme", Settings: bare}},
		},
		{Name: "a fingerprint is needed", When: put(contact.Create{}), Refused: domain.Invalid},
		{
			Name: "a short fingerprint is refused", Refused: domain.Invalid,
			When: create(func(c *contact.Changes) { c.Fingerprint = domain.Some(strings.Repeat("f", contact.MinFingerprint-1)) }),
		},
		{
			Name: "an update changes only what it names", Given: []events.Event{created},
			When: update(func(c *contact.Changes) {
				c.Fingerprint, c.Nick, c.Meta = domain.Some(fingerprint), domain.Some("Countess"), []byte(`{"vip":true}`)
				c.Email, c.Phone = domain.Some("ada@example.com"), domain.Some("+44 (20) 7123-4567")
			}),
			Then: []events.Event{events.ContactUpdated{Settings: merged}},
		},
		{
			Name: "the fingerprint does not change", Given: []events.Event{created}, Refused: domain.Invalid,
			When: update(func(c *contact.Changes) { c.Fingerprint = domain.Some(strings.Repeat("f", 20)) }),
		},
		{
			Name: "a verification before all time is refused", Given: []events.Event{created}, Refused: domain.Invalid,
			When: update(func(c *contact.Changes) { c.VerifiedAt = domain.Some(events.Instant(-1)) }),
		},
		{
			Name: "an endless nick is refused", Given: []events.Event{created}, Refused: domain.Invalid,
			When: update(func(c *contact.Changes) { c.Nick = domain.Some(strings.Repeat("n", domain.MaxName+1)) }),
		},
		{
			Name: "meta is an object", Given: []events.Event{created}, Refused: domain.Invalid,
			When: update(func(c *contact.Changes) { c.Meta = []byte(`[]`) }),
		},
		{Name: "deleting ends it", Given: []events.Event{created}, When: put(contact.Delete{}), Then: []events.Event{events.ContactDeleted{Account: "acme"}}},
		{
			Name:  "what is deleted cannot be changed",
			Given: []events.Event{created, events.ContactDeleted{Account: "acme"}}, When: put(contact.Update{}), Refused: domain.NotFound,
		},
		{
			Name: "somebody else's looks as if it did not exist", Given: []events.Event{created}, // P8
			When: domain.Command{ID: "c", Account: "other", Body: contact.Delete{}}, Refused: domain.NotFound,
		},
		{Name: "what is no command is refused", Given: []events.Event{created}, When: put("hello"), Refused: domain.Invalid},
	})
}

func TestPhoneNumbersAndEmailAddresses(t *testing.T) { // A22
	decider := contact.New()
	made := decider.Fold(contact.State{}, events.ContactCreated{Account: "acme", Settings: learned()})
	for _, c := range []struct {
		phone, email string
		want         string // the phone number as it is stored
		refused      bool
	}{
		{phone: "+15551230001", want: "+15551230001"},
		{phone: "+1 (555) 123-0001", want: "+15551230001"},
		{phone: "+49.30.1234567", want: "+49301234567"},
		{phone: "", want: ""},
		{phone: "15551230001", refused: true},
		{phone: "+05551230001", refused: true},
		{phone: "+123456", refused: true},
		{phone: "+1234567890123456", refused: true},
		{phone: "+1555123000x", refused: true},
		{phone: "+١٥٥٥١٢٣٠٠٠١", refused: true},
		{phone: "US.13491208655302741918", refused: true},
		{phone: " ", refused: true},
		{email: "ada@example.com"},
		{email: "ada+shop@mail.example.com"},
		{email: "ada", refused: true},
		{email: "Ada <ada@example.com>", refused: true},
		{email: "ada@example.com, bob@example.com", refused: true},
		{email: "ada@example.com\n", refused: true},
		{email: strings.Repeat("a", contact.MaxEmail) + "@example.com", refused: true},
	} {
		t.Run(c.phone+c.email, func(t *testing.T) {
			facts, err := decider.Decide(made, put(contact.Update{Changes: contact.Changes{
				Phone: domain.Some(c.phone), Email: domain.Some(c.email),
			}}))
			if c.refused {
				if !domain.IsRefusal(err, domain.Invalid) {
					t.Errorf("refused with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s := facts[0].(events.ContactUpdated).Settings
			if s.Phone != c.want || s.Email != c.email {
				t.Errorf("stored %q and %q", s.Phone, s.Email)
			}
		})
	}
}

func TestFingerprintsAndIDs(t *testing.T) { // F190
	if got := contact.Fingerprint(contact.Identifier("15551230001")); got != fingerprint {
		t.Errorf("the fingerprint of a phone number is %s, want %s", got, fingerprint)
	}
	if contact.Identifier("") != "" {
		t.Error("there is an identifier without a number")
	}
	one, other := contact.Address("acme", fingerprint), contact.Address("globex", fingerprint)
	if one == other || one != contact.Address("acme", fingerprint) || one.Kind != events.ContactCategory {
		t.Errorf("addresses %v and %v", one, other)
	}
}

func TestDecisionsDoNotShareMemory(t *testing.T) {
	d := contact.New()
	known := learned()
	known.UserIDs = append(make([]string, 0, 4), "US.1")
	s := d.Fold(contact.State{}, events.ContactCreated{Account: "acme", Settings: known})
	learn := func(userID string) []string {
		facts, err := d.Decide(s, put(contact.Learn{Who: events.Person{UserID: userID}}))
		if err != nil {
			t.Fatal(err)
		}
		return facts[0].(events.ContactUpdated).Settings.UserIDs
	}
	one, other := learn("US.2"), learn("US.3")
	if one[1] != "US.2" || other[1] != "US.3" {
		t.Errorf("decided %v and %v", one, other)
	}
}
