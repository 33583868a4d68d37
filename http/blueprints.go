package http

import (
	"context"
	"encoding/json"
	"time"

	"parley/domain/blueprint"
	"parley/events"
	"parley/projections"
)

func (s *Server) blueprintOperations() []operation {
	return []operation{
		{method: post, path: "/blueprint/create", handle: s.createBlueprint},
		{method: get, path: "/blueprint/list", handle: s.listBlueprints, forms: listForms},
		{method: get, path: "/blueprint/:id/fetch", handle: s.blueprints().fetch},
		{method: post, path: "/blueprint/:id/update", handle: s.updateBlueprint},
		{method: post, path: "/blueprint/:id/delete", handle: s.deleteBlueprint},
		{method: get, path: "/blueprint/:id/resource/list", handle: s.listResources},
	}
}

func (s *Server) blueprints() resource[projections.Blueprint] {
	return resource[projections.Blueprint]{
		category: events.BlueprintCategory, missing: blueprint.NotFound, find: s.model.Blueprint,
		names: func(b projections.Blueprint) (id, alias string) { return b.ID, b.Settings.Alias },
		show:  showBlueprint,
	}
}

// shownBlueprint is a blueprint as the API shows it. Spec: "Linked resources".
type shownBlueprint struct {
	ID          string          `json:"id"`
	Alias       *string         `json:"alias"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Visibility  string          `json:"visibility"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showBlueprint(b projections.Blueprint) item {
	s := b.Settings
	return item{b.Seq, shownBlueprint{
		ID: b.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description,
		Visibility: s.Visibility, Meta: object(s.Meta),
		CreatedAt: b.Created.Milliseconds(), UpdatedAt: b.Updated.Milliseconds(),
	}}
}

func (c call) blueprintChanges() (blueprint.Changes, error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return blueprint.Changes{}, err
	}
	changes := blueprint.Changes{
		Alias: b.text("alias"), Name: b.text("name"), Description: b.text("description"),
		Visibility: b.text("visibility"), Meta: b.object("meta"),
	}
	return changes, b.done()
}

func (s *Server) createBlueprint(c call) error {
	changes, err := c.blueprintChanges()
	if err != nil {
		return err
	}
	return s.blueprints().create(c, events.NewKey(), changes.Alias, blueprint.Create{Changes: changes})
}

func (s *Server) listBlueprints(c call) error {
	return s.blueprints().list(c, func(ctx context.Context, p projections.Page) ([]projections.Blueprint, error) {
		return s.model.Blueprints(ctx, c.account, p)
	})
}

func (s *Server) updateBlueprint(c call) error {
	b, err := s.blueprints().named(c)
	if err != nil {
		return err
	}
	changes, err := c.blueprintChanges()
	if err != nil {
		return err
	}
	return s.blueprints().update(c, b, changes.Alias, blueprint.Update{Changes: changes})
}

// deleteBlueprint deletes a blueprint, and what is linked to it if the caller
// wants that. The second is done by the blueprint itself; the answer waits for
// it, but not for long.
func (s *Server) deleteBlueprint(c call) error {
	b, err := s.blueprints().named(c)
	if err != nil {
		return err
	}
	fields, err := readBody(c.Ctx, true)
	if err != nil {
		return err
	}
	with := fields.flag("deleteResources")
	if err := fields.done(); err != nil {
		return err
	}
	if err := s.blueprints().delete(c, b, blueprint.Delete{WithResources: with.Value}); err != nil {
		return err
	}
	if with.Value {
		c.awaitDissolved(b.ID)
	}
	return nil
}

// waitForResources is how long an answer waits for resources to be deleted.
const waitForResources = 5 * time.Second

// awaitDissolved waits until nothing is listed any more that goes with a
// blueprint. What takes longer is done all the same.
func (c call) awaitDissolved(id string) {
	ctx, cancel := context.WithTimeout(c.UserContext(), waitForResources)
	defer cancel()
	err := c.server.model.Until(ctx, func(ctx context.Context) (bool, error) {
		left, err := c.server.model.Doomed(ctx, id, 1)
		return len(left) == 0, err
	})
	if err != nil {
		c.server.logger.Warn("resources of a blueprint are not deleted yet", "blueprint", id, "err", err)
	}
}

// shownResources are the things that are linked to a blueprint, by their sort.
type shownResources struct {
	Bots         []botResource         `json:"bot"`
	Files        []fileResource        `json:"file"`
	Integrations []integrationResource `json:"whatsappIntegration"`
}

// botResource is a bot as a resource of its blueprint.
type botResource struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	DatasetID   *string         `json:"datasetId"`
	SkillsetID  *string         `json:"skillsetId"`
	Meta        json.RawMessage `json:"meta"`
}

// fileResource is a file as a resource of its blueprint.
type fileResource struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Meta        json.RawMessage `json:"meta"`
}

// integrationResource is an integration as a resource of its blueprint.
type integrationResource struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	BotID       *string         `json:"botId"`
	Meta        json.RawMessage `json:"meta"`
}

// listResources answers with everything that is linked to a blueprint.
func (s *Server) listResources(c call) error {
	b, err := s.blueprints().named(c)
	if err != nil {
		return err
	}
	of, m := []string{b.ID}, s.model
	bots, err := s.bots().every(c, func(ctx context.Context, p projections.Page) ([]projections.Bot, error) {
		return m.Bots(ctx, c.account, of, p)
	})
	if err != nil {
		return err
	}
	files, err := s.files().every(c, func(ctx context.Context, p projections.Page) ([]projections.File, error) {
		return m.Files(ctx, c.account, of, p)
	})
	if err != nil {
		return err
	}
	integrations, err := s.integrations().every(c, func(ctx context.Context, p projections.Page) ([]projections.Integration, error) {
		return m.Integrations(ctx, c.account, of, p)
	})
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"id": b.ID, "resources": showResources(bots, files, integrations)})
}

func showResources(bots []projections.Bot, files []projections.File, integrations []projections.Integration) shownResources {
	shown := shownResources{Bots: []botResource{}, Files: []fileResource{}, Integrations: []integrationResource{}}
	for _, x := range bots {
		s := x.Settings
		shown.Bots = append(shown.Bots, botResource{ID: x.ID, Name: s.Name, Description: s.Description, Meta: object(s.Meta)})
	}
	for _, x := range files {
		s := x.Settings
		shown.Files = append(shown.Files, fileResource{ID: x.ID, Name: s.Name, Description: s.Description, Meta: object(s.Meta)})
	}
	for _, x := range integrations {
		s := x.Settings
		shown.Integrations = append(shown.Integrations, integrationResource{
			ID: x.ID, Name: s.Name, Description: s.Description, BotID: orNull(s.BotID), Meta: object(s.Meta),
		})
	}
	return shown
}
