package events

// ContactSettings is everything that is known about a contact. Facts carry it
// whole, so that a reader needs no earlier fact.
type ContactSettings struct {
	// Fingerprint tells the contacts of an account apart; the contact's ID
	// derives from it. It never changes.
	Fingerprint string `msgpack:"fp"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	Email       string `msgpack:"em,omitempty"`
	// Phone is in E.164's form with the plus sign, for example "+15551234567".
	Phone string `msgpack:"ph,omitempty"`
	Nick  string `msgpack:"nk,omitempty"`
	// Preferences is free text for whoever deals with the contact.
	Preferences string `msgpack:"pr,omitempty"`
	// VerifiedAt is when it was proved who the contact is; 0 means not yet.
	VerifiedAt Instant `msgpack:"va,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
	// UserIDs are the business-scoped user IDs that the contact was seen with,
	// oldest first. There is one a business portfolio, and a new one when the
	// contact changes the phone number. Meta: business-scoped user IDs.
	UserIDs []string `msgpack:"ui,omitempty"`
	// Username is what the contact was last found by on WhatsApp.
	Username string `msgpack:"un,omitempty"`
}

// ContactCreated says that a contact exists from now on. It may follow a
// deletion: then the contact begins anew.
type ContactCreated struct {
	Account  string          `msgpack:"ac"`
	Settings ContactSettings `msgpack:"se"`
}

// ContactUpdated carries the settings that hold from now on.
type ContactUpdated struct {
	Settings ContactSettings `msgpack:"se"`
}

// ContactDeleted says that a contact is gone. Sessions that were linked with it
// have no contact.
type ContactDeleted struct {
	Account string `msgpack:"ac"`
}

// EventType is the stored name.
func (ContactCreated) EventType() string { return "ContactCreated" }

// EventType is the stored name.
func (ContactUpdated) EventType() string { return "ContactUpdated" }

// ContactBared says that of a deleted contact only bare facts are left in the
// log.
type ContactBared struct {
	// Deletions is how often the contact was deleted up to then, from 1.
	Deletions int `msgpack:"n"`
	// Kept says that it is not so: the log is one that cannot be overwritten.
	Kept bool `msgpack:"ke,omitempty"`
}

// BareContact gives what is left of a fact when its contact is deleted: what
// happened, and the fingerprint that the contact's ID derives from. It is for
// facts before the deletion.
func BareContact(fact Event) Event {
	switch f := fact.(type) {
	case ContactCreated:
		f.Settings = ContactSettings{Fingerprint: f.Settings.Fingerprint}
		return f
	case ContactUpdated:
		f.Settings = ContactSettings{Fingerprint: f.Settings.Fingerprint}
		return f
	}
	return fact
}

// EventType is the stored name.
func (ContactBared) EventType() string { return "ContactBared" }

// EventType is the stored name.
func (ContactDeleted) EventType() string { return "ContactDeleted" }
