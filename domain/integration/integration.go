package integration

import (
	"bytes"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one integration come to.
type State struct {
	Account  string
	Settings events.IntegrationSettings
	Exists   bool
	Deleted  bool
	// Renewed means that conversations wait to be told of other credentials.
	Renewed bool
	// Purged means that nothing of a deleted integration is left to erase.
	Purged bool
}

// Create makes the integration.
type Create struct {
	// VerifyToken is random; it never changes.
	VerifyToken string  `msgpack:"vt"`
	Changes     Changes `msgpack:"ch"`
}

// Update changes the settings that are set in Changes, all or none of them.
type Update struct {
	Changes Changes `msgpack:"ch"`
}

// Delete ends the integration for good.
type Delete struct{}

// ReportPurged says that the purge was carried out.
type ReportPurged struct{}

// Purge is the task of erasing the credentials and settings of a deleted
// integration from the log.
type Purge struct{}

// Resume is the task of telling the conversations that wait for an operator
// that the credentials are others now, and ReportResumed that it is done.
type Resume struct{}

// ReportResumed says that the waiting conversations were told.
type ReportResumed struct{}

// Look asks for the integration as it stands. The answer is a View.
type Look struct{}

// View is an integration as others may see it.
type View struct {
	Account  string                     `msgpack:"ac"`
	Settings events.IntegrationSettings `msgpack:"se"`
}

// The lanes: an integration has one purge and one resumption under way.
const (
	PurgeLane  = "purge"
	ResumeLane = "resume"
)

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.IntegrationCategory,
		Messages: []any{
			Create{}, Update{}, Delete{}, ReportPurged{}, ReportResumed{}, Look{}, View{},
		},
		Decide: decide,
		Evolve: evolve,
		Route: func(id string, s State) events.Route {
			return events.Route{Integration: id, Bot: s.Settings.BotID}
		},
		Pending: pending,
		Answer:  answer,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Create:
		return create(s, c, body)
	case ReportPurged:
		if !s.Deleted || s.Purged {
			return nil, nil
		}
		return []events.Event{events.IntegrationPurged{}}, nil
	}
	if !s.Exists || s.Deleted || c.Account != "" && c.Account != s.Account {
		return nil, NotFound()
	}
	switch body := c.Body.(type) {
	case ReportResumed:
		if !s.Renewed {
			return nil, nil
		}
		return []events.Event{events.DeliveriesResumed{}}, nil
	case Update:
		return update(s, body)
	case Delete:
		return []events.Event{events.IntegrationDeleted{Account: s.Account}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "integrations do not know this command")
}

// NotFound is the refusal for an integration that is not there, or is
// somebody else's: the two must look the same.
func NotFound() error {
	return domain.Refused(domain.NotFound, "", "WhatsApp integration not found")
}

func create(s State, c domain.Command, body Create) ([]events.Event, error) {
	if s.Exists {
		return nil, domain.Refused(domain.Conflict, "", "the integration exists already")
	}
	everyone := "*"
	settings, err := body.Changes.apply(events.IntegrationSettings{AllowFrom: &everyone})
	if err != nil {
		return nil, err
	}
	settings.VerifyToken = body.VerifyToken
	return []events.Event{events.IntegrationCreated{Account: c.Account, Settings: settings}}, nil
}

func update(s State, body Update) ([]events.Event, error) {
	settings, err := body.Changes.apply(s.Settings)
	if err != nil {
		return nil, err
	}
	return []events.Event{events.IntegrationUpdated{Settings: settings}}, nil
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.IntegrationCreated:
		s = State{Account: f.Account, Settings: f.Settings, Exists: true}
	case events.IntegrationUpdated:
		was, is := s.Settings, f.Settings
		s.Renewed = s.Renewed || was.AccessToken != is.AccessToken || was.PhoneNumberID != is.PhoneNumberID
		s.Settings = is
	case events.DeliveriesResumed:
		s.Renewed = false
	case events.IntegrationDeleted:
		s = State{Account: f.Account, Exists: true, Deleted: true}
	case events.IntegrationPurged:
		s.Purged = true
	}
	return s
}

func pending(s State) []domain.Task {
	if s.Deleted && !s.Purged {
		return []domain.Task{{Lane: PurgeLane, Body: Purge{}}}
	}
	if s.Renewed {
		return []domain.Task{{Lane: ResumeLane, Body: Resume{}}}
	}
	return nil
}

func answer(s State, question any) (any, error) {
	if _, ok := question.(Look); !ok {
		return nil, domain.Refused(domain.Invalid, "", "integrations do not know this question")
	}
	if !s.Exists || s.Deleted {
		return nil, NotFound()
	}
	view := View{Account: s.Account, Settings: s.Settings}
	view.Settings.Meta = bytes.Clone(s.Settings.Meta)
	return view, nil
}
