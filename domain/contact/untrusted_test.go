package contact_test

import (
	"testing"

	"parley/domain"
	"parley/domain/contact"
)

func TestFingerprintsOfWhatIsSaid(t *testing.T) { // A22
	some := domain.Some[string]
	ada := contact.Changes{Name: some("Ada"), Email: some("ada@example.com"), Phone: some("+15551230001")}
	of := func(c contact.Changes) string {
		t.Helper()
		got, err := c.Untrusted()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// As the public platform makes them: sorted, joined by semicolons, empty
	// ones last.
	if got := of(ada); got != "477fab06-054a-50e8-ac6f-ac77785c4e1c" {
		t.Errorf("the fingerprint is %s", got)
	}
	for name, change := range map[string]func(*contact.Changes){
		"a number written otherwise":     func(c *contact.Changes) { c.Phone = some("+1 (555) 123-0001") },
		"an empty nick":                  func(c *contact.Changes) { c.Nick = some("") },
		"a description":                  func(c *contact.Changes) { c.Description = some("a countess") },
		"preferences":                    func(c *contact.Changes) { c.Preferences = some("language=en") },
		"when it is said to be verified": func(c *contact.Changes) { c.VerifiedAt = domain.Some(at) },
		"meta":                           func(c *contact.Changes) { c.Meta = []byte(`{"a":1}`) },
	} {
		same := ada
		change(&same)
		if of(same) != of(ada) {
			t.Errorf("%s makes another contact", name)
		}
	}
	for name, change := range map[string]func(*contact.Changes){
		"name":  func(c *contact.Changes) { c.Name = some("Eve") },
		"email": func(c *contact.Changes) { c.Email = some("eve@example.com") },
		"phone": func(c *contact.Changes) { c.Phone = some("") },
		"nick":  func(c *contact.Changes) { c.Nick = some("ada") },
	} {
		other := ada
		change(&other)
		if of(other) == of(ada) {
			t.Errorf("another %s is the same contact", name)
		}
	}
	if number := contact.Fingerprint("+15551230001"); number == of(contact.Changes{Phone: some("+15551230001")}) {
		t.Error("a number that is said is taken for one that is proved")
	}
	for _, c := range []contact.Changes{{}, {Description: some("x")}, {Phone: some("15")}} {
		if _, err := c.Untrusted(); !domain.IsRefusal(err, domain.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
