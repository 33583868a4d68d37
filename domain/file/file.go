// Package file holds the rules of files: what an account uploads to keep, to
// hand out or to show to the world.
//
// A file may hold a content, which are bytes in the media store. Many files may
// share one, so a file never removes what it held: it lets go of it, and owes
// to have it discarded if nobody else refers to it.
package file

import (
	"cmp"

	"parley/domain"
	"parley/events"
)

// State is what the facts of one file come to.
type State struct {
	Account  string
	Settings events.FileSettings
	// Content is what was uploaded last; its Hash is "" if nothing was.
	Content events.Content
	// UploadedAt is when.
	UploadedAt events.Instant
	Exists     bool
	Deleted    bool
	// Used are the tickets that could be shown once more.
	Used []Use
	// Loose are contents that the file let go of.
	Loose []Loose
}

// Create makes the file. It holds nothing.
type Create struct {
	Changes Changes `msgpack:"ch"`
}

// Update changes the settings that are set in Changes, all or none of them.
type Update struct {
	Changes Changes `msgpack:"ch"`
}

// Delete ends the file for good.
type Delete struct{}

// Changes is a partial update of the settings. What is not set stays.
type Changes struct {
	Alias       domain.Opt[string] `msgpack:"al"`
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	BlueprintID domain.Opt[string] `msgpack:"bl"`
	Visibility  domain.Opt[string] `msgpack:"vi"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind:     events.FileCategory,
		Messages: []any{Create{}, Update{}, Delete{}, Upload{}, ReportDiscarded{}},
		Decide:   decide,
		Evolve:   evolve,
		Pending:  pending,
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Create:
		return create(s, c.Account, body)
	case ReportDiscarded:
		return s.discarded(body), nil // also of a file that is deleted
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
		return []events.Event{events.FileUpdated{Settings: settings}}, nil
	case Upload:
		return s.upload(c.At, body)
	case Delete:
		return []events.Event{events.FileDeleted{Account: s.Account, At: c.At}}, nil
	}
	return nil, domain.Refused(domain.Invalid, "", "files do not know this command")
}

func create(s State, account string, body Create) ([]events.Event, error) {
	if s.Exists {
		return nil, domain.Refused(domain.Conflict, "", "the file exists already")
	}
	settings, err := body.Changes.apply(events.FileSettings{Visibility: domain.Private})
	if err != nil {
		return nil, err
	}
	return []events.Event{events.FileCreated{Account: account, Settings: settings}}, nil
}

// NotFound is the refusal for a file that is not there, or is somebody else's.
func NotFound() error { return domain.Refused(domain.NotFound, "", "File not found") }

func (c Changes) apply(s events.FileSettings) (events.FileSettings, error) {
	s.Alias = c.Alias.Or(s.Alias)
	s.Name = c.Name.Or(s.Name)
	s.Description = c.Description.Or(s.Description)
	s.BlueprintID = c.BlueprintID.Or(s.BlueprintID)
	s.Visibility = c.Visibility.Or(s.Visibility)
	meta, err := domain.MergeMeta(s.Meta, c.Meta)
	if err != nil {
		return s, err
	}
	s.Meta = meta
	return s, cmp.Or(
		domain.CheckVisibility(s.Visibility),
		domain.CheckText("name", s.Name, domain.MaxName),
		domain.CheckText("description", s.Description, domain.MaxDescription),
		domain.CheckAlias(s.Alias),
	)
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.FileCreated:
		s.Account, s.Settings, s.Exists = f.Account, f.Settings, true
	case events.FileUpdated:
		s.Settings = f.Settings
	case events.FileUploaded:
		s = s.uploaded(f)
	case events.FileDeleted:
		s = s.letGo(f.At)
		s.Deleted, s.Content = true, events.Content{}
	case events.ContentDiscarded:
		s = s.tidied(f.Hash)
	}
	return s
}
