// Package blueprint holds the rules of blueprints: what groups bots,
// integrations and files, and lets the integrations among them answer.
//
// A blueprint does not know its members: they link to it. Who they are is asked
// of the read model.
package blueprint

import (
	"bytes"
	"cmp"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one blueprint come to.
type State struct {
	Account  string
	Settings events.BlueprintSettings
	Exists   bool
	Deleted  bool
	// Dissolving means that what was linked to a deleted blueprint is still to
	// be deleted.
	Dissolving bool
}

// Create makes the blueprint.
type Create struct {
	Changes Changes `msgpack:"ch"`
}

// Update changes the settings that are set in Changes, all or none of them.
type Update struct {
	Changes Changes `msgpack:"ch"`
}

// Delete ends the blueprint for good. Links to it read as none from then on.
// WithResources deletes what is linked to it, too.
type Delete struct {
	WithResources bool `msgpack:"wr"`
}

// Dissolve is the task of deleting what was linked to a blueprint when it was
// deleted, on behalf of its owner.
type Dissolve struct{ Account string }

// ReportDissolved says that nothing is left to delete.
type ReportDissolved struct{}

// DissolveLane is the lane of the one task that a blueprint may owe.
const DissolveLane = "dissolve"

// Look asks for the blueprint as it stands. The answer is a View.
type Look struct{}

// View is a blueprint as others may see it.
type View struct {
	Account  string                   `msgpack:"ac"`
	Settings events.BlueprintSettings `msgpack:"se"`
}

// Changes is a partial update of the settings. What is not set stays.
type Changes struct {
	Alias       domain.Opt[string] `msgpack:"al"`
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	Visibility  domain.Opt[string] `msgpack:"vi"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind:     events.BlueprintCategory,
		Messages: []any{Create{}, Update{}, Delete{}, ReportDissolved{}, Look{}, View{}},
		Decide:   decide,
		Evolve:   evolve,
		Pending:  pending,
		Answer:   answer,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Create:
		return create(s, c, body)
	case ReportDissolved:
		if !s.Dissolving {
			return nil, nil
		}
		return []events.Event{events.BlueprintDissolved{}}, nil
	}
	if !s.Exists || s.Deleted || c.Account != "" && c.Account != s.Account {
		return nil, NotFound()
	}
	switch body := c.Body.(type) {
	case Update:
		settings, err := body.Changes.apply(s.Settings)
		if err != nil {
			return nil, err
		}
		return []events.Event{events.BlueprintUpdated{Settings: settings}}, nil
	case Delete:
		return []events.Event{events.BlueprintDeleted{Account: s.Account, WithResources: body.WithResources}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "blueprints do not know this command")
}

// NotFound is the refusal for a blueprint that is not there, or is somebody
// else's.
func NotFound() error { return domain.Refused(domain.NotFound, "", "Blueprint not found") }

func create(s State, c domain.Command, body Create) ([]events.Event, error) {
	if s.Exists {
		return nil, domain.Refused(domain.Conflict, "", "the blueprint exists already")
	}
	settings, err := body.Changes.apply(events.BlueprintSettings{Visibility: domain.Private})
	if err != nil {
		return nil, err
	}
	return []events.Event{events.BlueprintCreated{Account: c.Account, Settings: settings}}, nil
}

func (c Changes) apply(s events.BlueprintSettings) (events.BlueprintSettings, error) {
	s.Alias = c.Alias.Or(s.Alias)
	s.Name = c.Name.Or(s.Name)
	s.Description = c.Description.Or(s.Description)
	s.Visibility = c.Visibility.Or(s.Visibility)
	meta, err := domain.MergeMeta(s.Meta, c.Meta)
	if err != nil {
		return s, err
	}
	s.Meta = meta
	return s, cmp.Or(
		domain.CheckAlias(s.Alias),
		domain.CheckText("name", s.Name, domain.MaxName),
		domain.CheckText("description", s.Description, domain.MaxDescription),
		domain.CheckVisibility(s.Visibility),
	)
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.BlueprintCreated:
		s = State{Account: f.Account, Settings: f.Settings, Exists: true}
	case events.BlueprintUpdated:
		s.Settings = f.Settings
	case events.BlueprintDeleted:
		s = State{Account: f.Account, Exists: true, Deleted: true, Dissolving: f.WithResources}
	case events.BlueprintDissolved:
		s.Dissolving = false
	}
	return s
}

func pending(s State) []domain.Task {
	if !s.Dissolving {
		return nil
	}
	return []domain.Task{{Lane: DissolveLane, Body: Dissolve{Account: s.Account}}}
}

func answer(s State, question any) (any, error) {
	if _, ok := question.(Look); !ok {
		return nil, domain.Refused(domain.Invalid, "", "blueprints do not know this question")
	}
	if !s.Exists || s.Deleted {
		return nil, NotFound()
	}
	view := View{Account: s.Account, Settings: s.Settings}
	view.Settings.Meta = bytes.Clone(s.Settings.Meta)
	return view, nil
}
