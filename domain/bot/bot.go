// Package bot holds the rules of bots: who answers, with which instruction and
// model.
package bot

import (
	"bytes"
	"cmp"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one bot come to.
type State struct {
	Account  string
	Settings events.BotSettings
	Exists   bool
	Deleted  bool
	// Facts counts them: the stream's revision is one less.
	Facts int
}

// Create makes the bot.
type Create struct {
	Changes Changes `msgpack:"ch"`
}

// Update changes the settings that are set in Changes, all or none of them.
type Update struct {
	Changes Changes `msgpack:"ch"`
}

// Delete ends the bot for good. Links to it read as none from then on.
type Delete struct{}

// Look asks for the bot as it stands. The answer is a View.
type Look struct{}

// View is a bot as others may see it. A deleted bot is shown with its last
// settings, because running sessions keep them.
type View struct {
	Account  string             `msgpack:"ac"`
	Settings events.BotSettings `msgpack:"se"`
	Deleted  bool               `msgpack:"de"`
	// Revision is where the bot's stream stands: who keeps it can come back to
	// these settings.
	Revision events.Revision `msgpack:"rv"`
}

// Changes is a partial update of the settings. What is not set stays.
type Changes struct {
	Alias       domain.Opt[string] `msgpack:"al"`
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	BlueprintID domain.Opt[string] `msgpack:"bl"`
	Backstory   domain.Opt[string] `msgpack:"bs"`
	Model       domain.Opt[string] `msgpack:"mo"`
	Privacy     domain.Opt[bool]   `msgpack:"pv"`
	Moderation  domain.Opt[bool]   `msgpack:"mr"`
	Visibility  domain.Opt[string] `msgpack:"vi"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// CopyOf gives the changes that make a new bot like one with these settings. An
// alias belongs to one alone, and a copy to no blueprint.
// Spec: "Linked resources: bot and blueprint", clone.
func CopyOf(s events.BotSettings) Changes {
	return Changes{
		Name: domain.Some(s.Name), Description: domain.Some(s.Description),
		Backstory: domain.Some(s.Backstory), Model: domain.Some(s.Model),
		Privacy: domain.Some(s.Privacy), Moderation: domain.Some(s.Moderation),
		Visibility: domain.Some(s.Visibility), Meta: s.Meta,
	}
}

// The bounds of a bot's texts, in characters.
const (
	MaxModel     = 255
	MaxBackstory = 200_000
)

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.BotCategory, Messages: []any{Create{}, Update{}, Delete{}, Look{}, View{}},
		Decide: decide,
		Evolve: evolve,
		Route:  func(id string, _ State) events.Route { return events.Route{Bot: id} },
		Answer: answer,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	if body, ok := c.Body.(Create); ok {
		if s.Exists {
			return nil, domain.Refused(domain.Conflict, "", "the bot exists already")
		}
		settings, err := body.Changes.apply(events.BotSettings{Visibility: domain.Private})
		if err != nil {
			return nil, err
		}
		return []events.Event{events.BotCreated{Account: c.Account, Settings: settings}}, nil
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
		return []events.Event{events.BotUpdated{Settings: settings}}, nil
	case Delete:
		return []events.Event{events.BotDeleted{Account: s.Account}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "bots do not know this command")
}

// NotFound is the refusal for a bot that is not there, or is somebody else's.
func NotFound() error { return domain.Refused(domain.NotFound, "", "Bot not found") }

func (c Changes) apply(s events.BotSettings) (events.BotSettings, error) {
	s.Alias = c.Alias.Or(s.Alias)
	s.Name = c.Name.Or(s.Name)
	s.Description = c.Description.Or(s.Description)
	s.BlueprintID = c.BlueprintID.Or(s.BlueprintID)
	s.Backstory = c.Backstory.Or(s.Backstory)
	s.Model = c.Model.Or(s.Model)
	s.Privacy = c.Privacy.Or(s.Privacy)
	s.Moderation = c.Moderation.Or(s.Moderation)
	s.Visibility = c.Visibility.Or(s.Visibility)
	meta, err := domain.MergeMeta(s.Meta, c.Meta)
	if err != nil {
		return s, err
	}
	s.Meta = meta
	return s, check(s)
}

func check(s events.BotSettings) error {
	return cmp.Or(
		domain.CheckVisibility(s.Visibility),
		domain.CheckText("name", s.Name, domain.MaxName),
		domain.CheckText("description", s.Description, domain.MaxDescription),
		domain.CheckText("backstory", s.Backstory, MaxBackstory),
		domain.CheckText("model", s.Model, MaxModel),
		domain.CheckAlias(s.Alias),
	)
}

func evolve(s State, fact events.Event) State {
	s.Facts++
	switch f := fact.(type) {
	case events.BotCreated:
		s.Account, s.Settings, s.Exists = f.Account, f.Settings, true
	case events.BotUpdated:
		s.Settings = f.Settings
	case events.BotDeleted:
		s.Deleted = true
	}
	return s
}

func answer(s State, question any) (any, error) {
	if _, ok := question.(Look); !ok {
		return nil, domain.Refused(domain.Invalid, "", "bots do not know this question")
	}
	if !s.Exists {
		return nil, NotFound()
	}
	view := View{Account: s.Account, Settings: s.Settings, Deleted: s.Deleted, Revision: events.Revision(s.Facts - 1)}
	view.Settings.Meta = bytes.Clone(s.Settings.Meta)
	return view, nil
}
