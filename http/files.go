package http

import (
	"context"
	"encoding/json"

	"parley/domain/file"
	"parley/events"
	"parley/projections"
)

func (s *Server) fileOperations() []operation {
	return []operation{
		{method: post, path: "/file/create", handle: s.createFile},
		{method: get, path: "/file/list", handle: s.listFiles, forms: listForms},
		{method: get, path: "/file/:id/fetch", handle: s.files().fetch},
		{method: post, path: "/file/:id/update", handle: s.updateFile},
		{method: post, path: "/file/:id/delete", handle: s.files().deleting(file.Delete{})},
		{method: post, path: "/file/:id/upload", handle: s.uploadFile, streams: true},
	}
}

func (s *Server) files() resource[projections.File] {
	return resource[projections.File]{
		category: events.FileCategory, missing: file.NotFound, find: s.model.File,
		names: func(f projections.File) (id, alias string) { return f.ID, f.Settings.Alias },
		show:  showFile,
	}
}

// shownFile is a file as the API shows it. Spec: "Files and attachments".
type shownFile struct {
	ID          string          `json:"id"`
	Alias       *string         `json:"alias"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	BlueprintID *string         `json:"blueprintId"`
	Visibility  string          `json:"visibility"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showFile(f projections.File) item {
	s := f.Settings
	return item{f.Seq, shownFile{
		ID: f.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description,
		BlueprintID: orNull(s.BlueprintID), Visibility: s.Visibility, Meta: object(s.Meta),
		CreatedAt: f.Created.Milliseconds(), UpdatedAt: f.Updated.Milliseconds(),
	}}
}

func (c call) fileChanges() (file.Changes, error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return file.Changes{}, err
	}
	changes := file.Changes{
		Alias: b.text("alias"), Name: b.text("name"), Description: b.text("description"),
		BlueprintID: b.text("blueprintId"), Visibility: b.text("visibility"), Meta: b.object("meta"),
	}
	if err := b.done(); err != nil {
		return changes, err
	}
	changes.BlueprintID, err = c.linkedBlueprint(changes.BlueprintID)
	return changes, err
}

func (s *Server) createFile(c call) error {
	changes, err := c.fileChanges()
	if err != nil {
		return err
	}
	return s.files().create(c, events.NewKey(), changes.Alias, file.Create{Changes: changes})
}

func (s *Server) listFiles(c call) error {
	blueprints := values(c.Ctx, "blueprintId")
	return s.files().list(c, func(ctx context.Context, p projections.Page) ([]projections.File, error) {
		return s.model.Files(ctx, c.account, blueprints, p)
	})
}

func (s *Server) updateFile(c call) error {
	f, err := s.files().named(c)
	if err != nil {
		return err
	}
	changes, err := c.fileChanges()
	if err != nil {
		return err
	}
	return s.files().update(c, f, changes.Alias, file.Update{Changes: changes})
}
