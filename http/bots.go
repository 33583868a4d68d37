package http

import (
	"context"
	"encoding/json"
	"strings"

	"parley/domain/bot"
	"parley/events"
	"parley/projections"
)

func (s *Server) botOperations() []operation {
	return []operation{
		{method: post, path: "/bot/create", handle: s.createBot},
		{method: get, path: "/bot/list", handle: s.listBots, forms: listForms},
		{method: get, path: "/bot/:id/fetch", handle: s.bots().fetch},
		{method: post, path: "/bot/:id/update", handle: s.updateBot},
		{method: post, path: "/bot/:id/clone", handle: s.cloneBot},
		{method: post, path: "/bot/:id/delete", handle: s.bots().deleting(bot.Delete{})},
	}
}

func (s *Server) bots() resource[projections.Bot] {
	return resource[projections.Bot]{
		category: events.BotCategory, missing: bot.NotFound, find: s.model.Bot,
		names: func(b projections.Bot) (id, alias string) { return b.ID, b.Settings.Alias },
		show:  showBot,
	}
}

// shownBot is a bot as the API shows it. Spec: "Linked resources".
type shownBot struct {
	ID          string          `json:"id"`
	Alias       *string         `json:"alias"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Backstory   string          `json:"backstory"`
	Model       string          `json:"model"`
	DatasetID   *string         `json:"datasetId"`
	SkillsetID  *string         `json:"skillsetId"`
	Privacy     bool            `json:"privacy"`
	Moderation  bool            `json:"moderation"`
	Visibility  string          `json:"visibility"`
	BlueprintID *string         `json:"blueprintId"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showBot(b projections.Bot) item {
	s := b.Settings
	return item{b.Seq, shownBot{
		ID: b.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description, Backstory: s.Backstory,
		Model: s.Model, Privacy: s.Privacy, Moderation: s.Moderation, Visibility: s.Visibility,
		BlueprintID: orNull(s.BlueprintID), Meta: object(s.Meta),
		CreatedAt: b.Created.Milliseconds(), UpdatedAt: b.Updated.Milliseconds(),
	}}
}

// orNull is null for "".
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// object is {} for no JSON object.
func object(meta []byte) json.RawMessage {
	if len(meta) == 0 {
		return json.RawMessage("{}")
	}
	return meta
}

func (c call) botChanges() (bot.Changes, error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return bot.Changes{}, err
	}
	changes := bot.Changes{
		Alias: b.text("alias"), Name: b.text("name"), Description: b.text("description"),
		BlueprintID: b.text("blueprintId"), Backstory: b.text("backstory"), Model: b.text("model"),
		Privacy: b.flag("privacy"), Moderation: b.flag("moderation"), Visibility: b.text("visibility"),
		Meta: b.object("meta"),
	}
	for _, other := range []string{"datasetId", "skillsetId"} {
		if id := b.text(other); id.Value != "" {
			return changes, invalid(strings.TrimSuffix(other, "Id") + " not found")
		}
	}
	if err := b.done(); err != nil {
		return changes, err
	}
	changes.BlueprintID, err = c.linkedBlueprint(changes.BlueprintID)
	return changes, err
}

func (s *Server) createBot(c call) error {
	changes, err := c.botChanges()
	if err != nil {
		return err
	}
	return s.bots().create(c, events.NewKey(), changes.Alias, bot.Create{Changes: changes})
}

func (s *Server) listBots(c call) error {
	blueprints := values(c.Ctx, "blueprintId")
	return s.bots().list(c, func(ctx context.Context, p projections.Page) ([]projections.Bot, error) {
		return s.model.Bots(ctx, c.account, blueprints, p)
	})
}

func (s *Server) updateBot(c call) error {
	b, err := s.bots().named(c)
	if err != nil {
		return err
	}
	changes, err := c.botChanges()
	if err != nil {
		return err
	}
	return s.bots().update(c, b, changes.Alias, bot.Update{Changes: changes})
}

// cloneBot makes a bot like another one.
func (s *Server) cloneBot(c call) error {
	b, err := s.bots().named(c)
	if err != nil {
		return err
	}
	if err := c.empty(); err != nil {
		return err
	}
	changes := bot.CopyOf(b.Settings)
	return s.bots().create(c, events.NewKey(), changes.Alias, bot.Create{Changes: changes})
}

// empty reads a body that has nothing to say: {} or none at all.
func (c call) empty() error {
	b, err := readBody(c.Ctx, true)
	if err != nil {
		return err
	}
	return b.done()
}
