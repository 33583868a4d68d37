package conversation

import (
	"cmp"
	"fmt"

	"parley/domain"
	"parley/domain/bot"
	"parley/events"
)

// Changes is a partial change of what is known about a session. What is not set
// stays. Who names a bot and no model or backstory ends those of the session.
type Changes struct {
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	BotID       domain.Opt[string] `msgpack:"bo"`
	ContactID   domain.Opt[string] `msgpack:"co"`
	Model       domain.Opt[string] `msgpack:"mo"`
	Backstory   domain.Opt[string] `msgpack:"bs"`
	Privacy     domain.Opt[bool]   `msgpack:"pv"`
	Moderation  domain.Opt[bool]   `msgpack:"mr"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// fact gives the changes as facts hold them, or the first refusal.
func (c Changes) fact() (events.SessionChanges, error) {
	if c.BotID.Value != "" {
		c.Model, c.Backstory = domain.Some(c.Model.Value), domain.Some(c.Backstory.Value)
	}
	f := events.SessionChanges{
		Name: pointer(c.Name), Description: pointer(c.Description), BotID: pointer(c.BotID), ContactID: pointer(c.ContactID),
		Model: pointer(c.Model), Backstory: pointer(c.Backstory), Privacy: pointer(c.Privacy), Moderation: pointer(c.Moderation),
	}
	var err error
	if f.Meta, err = domain.MergeMeta(nil, c.Meta); err != nil {
		return f, err
	}
	return f, cmp.Or(
		domain.CheckText("name", c.Name.Value, domain.MaxName),
		domain.CheckText("description", c.Description.Value, domain.MaxDescription),
		domain.CheckText("model", c.Model.Value, bot.MaxModel),
		domain.CheckText("backstory", c.Backstory.Value, bot.MaxBackstory),
		c.CheckFor(About{}),
	)
}

// About is what is known about a session, as it was before a change.
type About struct {
	Name, Description, Model, Backstory string
	Meta                                []byte
}

// CheckFor refuses changes after which more would be said about a session than
// can be told in one line.
func (c Changes) CheckFor(was About) error {
	meta, err := domain.MergeMeta(was.Meta, c.Meta)
	if err != nil {
		return err
	}
	size := escaped(string(meta))
	for _, text := range []string{
		c.Name.Or(was.Name), c.Description.Or(was.Description), c.Model.Or(was.Model), c.Backstory.Or(was.Backstory),
	} {
		size += escaped(text)
	}
	if size > MaxAbout {
		return domain.Refused(domain.Invalid, "", fmt.Sprintf(
			"name, description, model, backstory and meta have more than %d bytes of JSON together", MaxAbout))
	}
	return nil
}

// pointer is nil for what is not set.
func pointer[T any](o domain.Opt[T]) *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}
