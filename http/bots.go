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
		{method: get, path: "/bot/:id/fetch", handle: s.fetchBot},
		{method: post, path: "/bot/:id/update", handle: s.updateBot},
		{method: post, path: "/bot/:id/delete", handle: s.deleteBot},
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

func showBot(b projections.Bot) shownBot {
	s := b.Settings
	return shownBot{
		ID: b.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description, Backstory: s.Backstory,
		Model: s.Model, Privacy: s.Privacy, Moderation: s.Moderation, Visibility: s.Visibility,
		BlueprintID: orNull(s.BlueprintID), Meta: object(s.Meta),
		CreatedAt: b.Created.Milliseconds(), UpdatedAt: b.Updated.Milliseconds(),
	}
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
	return changes, linkedBlueprint(changes.BlueprintID)
}

func (s *Server) createBot(c call) error {
	changes, err := c.botChanges()
	if err != nil {
		return err
	}
	id := events.NewKey()
	err = c.withAlias(events.BotCategory, id, "", changes.Alias, c.bearsBotAlias, func() error {
		return c.write(botAddress(id), bot.Create{Changes: changes})
	})
	if err != nil {
		return err
	}
	return c.answerID(id)
}

func (s *Server) listBots(c call) error {
	blueprints := values(c.Ctx, "blueprintId")
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Bots(ctx, c.account, blueprints, p)
			return items(all, err, func(b projections.Bot) item { return item{b.Seq, showBot(b)} })
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			b, err := s.model.Bot(ctx, c.account, id)
			return b.Seq, err
		},
	})
}

// bot gives the bot that the path names.
func (c call) bot() (projections.Bot, error) {
	c.current()
	b, err := c.server.model.Bot(c.UserContext(), c.account, c.id())
	if err != nil {
		return b, notFound(err, bot.NotFound())
	}
	return b, nil
}

// notFound turns the read model's answer into the refusal that says what was
// not found.
func notFound(err, refusal error) error {
	if problemOf(err) == errNotFound {
		return refusal
	}
	return err
}

func (s *Server) fetchBot(c call) error {
	b, err := c.bot()
	if err != nil {
		return err
	}
	return c.JSON(showBot(b))
}

func (s *Server) updateBot(c call) error {
	b, err := c.bot()
	if err != nil {
		return err
	}
	changes, err := c.botChanges()
	if err != nil {
		return err
	}
	err = c.withAlias(events.BotCategory, b.ID, b.Settings.Alias, changes.Alias, c.bearsBotAlias, func() error {
		return c.write(botAddress(b.ID), bot.Update{Changes: changes})
	})
	if err != nil {
		return err
	}
	return c.answerID(b.ID)
}

func (s *Server) deleteBot(c call) error {
	b, err := c.bot()
	if err != nil {
		return err
	}
	if err := c.empty(); err != nil {
		return err
	}
	if err := c.write(botAddress(b.ID), bot.Delete{}); err != nil {
		return err
	}
	c.release(events.BotCategory, b.ID, b.Settings.Alias)
	return c.answerID(b.ID)
}

// empty reads a body that has nothing to say: {} or none at all.
func (c call) empty() error {
	b, err := readBody(c.Ctx, true)
	if err != nil {
		return err
	}
	return b.done()
}
