package contact

import (
	"parley/domain"
	"parley/events"
)

// State is what the facts of one contact come to.
type State struct {
	Account  string
	Settings events.ContactSettings
	// Exists is false before the contact was made, and after it was deleted.
	Exists bool
	// Deletions counts how often it was deleted, Bared those of them whose facts
	// are bare.
	Deletions, Bared int
}

// Create makes the contact. The changes name the fingerprint that its ID
// derives from. A contact that was deleted can be made again.
type Create struct {
	Changes Changes `msgpack:"ch"`
}

// Update changes the settings that are set in Changes, all or none of them.
type Update struct {
	Changes Changes `msgpack:"ch"`
}

// Delete ends the contact. Sessions that were linked with it have none.
type Delete struct{}

// Address is where the contact of an account with a fingerprint lives. The
// address's ID is the contact's.
func Address(account, fingerprint string) domain.Address {
	return domain.Address{
		Kind: events.ContactCategory, ID: events.DeriveKey(events.ContactCategory, account, fingerprint),
	}
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.ContactCategory, Messages: []any{Learn{}, Create{}, Update{}, Delete{}, ReportBared{}},
		Decide:  decide,
		Evolve:  evolve,
		Pending: pending,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	if s.Exists && c.Account != "" && c.Account != s.Account {
		return nil, NotFound()
	}
	switch body := c.Body.(type) {
	case Learn:
		return learn(s, c, body), nil
	case Create:
		return create(s, c, body)
	case ReportBared:
		return bared(s, body), nil
	}
	if !s.Exists {
		return nil, NotFound()
	}
	switch body := c.Body.(type) {
	case Update:
		return update(s, body)
	case Delete:
		return []events.Event{events.ContactDeleted{Account: s.Account}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "contacts do not know this command")
}

// NotFound is the refusal for a contact that is not there, or is somebody
// else's.
func NotFound() error { return domain.Refused(domain.NotFound, "", "Contact not found") }

func create(s State, c domain.Command, body Create) ([]events.Event, error) {
	if s.Exists {
		return nil, domain.Refused(domain.Conflict, "fingerprint", "A contact with this fingerprint exists already")
	}
	settings, err := body.Changes.apply(events.ContactSettings{Fingerprint: body.Changes.Fingerprint.Value})
	if err != nil {
		return nil, err
	}
	return []events.Event{events.ContactCreated{Account: c.Account, Settings: settings}}, nil
}

func update(s State, body Update) ([]events.Event, error) {
	settings, err := body.Changes.apply(s.Settings)
	if err != nil {
		return nil, err
	}
	return []events.Event{events.ContactUpdated{Settings: settings}}, nil
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.ContactCreated:
		s.Account, s.Settings, s.Exists = f.Account, f.Settings, true
	case events.ContactUpdated:
		s.Settings = f.Settings
	case events.ContactDeleted:
		return State{Deletions: s.Deletions + 1, Bared: s.Bared}
	case events.ContactBared:
		s.Bared = f.Deletions
	}
	return s
}
