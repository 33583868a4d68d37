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
		{method: get, path: "/file/:id/fetch", handle: s.fetchFile},
		{method: post, path: "/file/:id/update", handle: s.updateFile},
		{method: post, path: "/file/:id/delete", handle: s.deleteFile},
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

func showFile(f projections.File) shownFile {
	s := f.Settings
	return shownFile{
		ID: f.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description,
		BlueprintID: orNull(s.BlueprintID), Visibility: s.Visibility, Meta: object(s.Meta),
		CreatedAt: f.Created.Milliseconds(), UpdatedAt: f.Updated.Milliseconds(),
	}
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
	return changes, linkedBlueprint(changes.BlueprintID)
}

func (s *Server) createFile(c call) error {
	changes, err := c.fileChanges()
	if err != nil {
		return err
	}
	id := events.NewKey()
	err = c.withAlias(events.FileCategory, id, "", changes.Alias, c.bearsFileAlias, func() error {
		return c.write(fileAddress(id), file.Create{Changes: changes})
	})
	if err != nil {
		return err
	}
	return c.answerID(id)
}

func (s *Server) listFiles(c call) error {
	blueprints := values(c.Ctx, "blueprintId")
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Files(ctx, c.account, blueprints, p)
			return items(all, err, func(f projections.File) item { return item{f.Seq, showFile(f)} })
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			f, err := s.model.File(ctx, c.account, id)
			return f.Seq, err
		},
	})
}

// file gives the file that the path names.
func (c call) file() (projections.File, error) {
	c.current()
	f, err := c.server.model.File(c.UserContext(), c.account, c.id())
	if err != nil {
		return f, notFound(err, file.NotFound())
	}
	return f, nil
}

func (s *Server) fetchFile(c call) error {
	f, err := c.file()
	if err != nil {
		return err
	}
	return c.JSON(showFile(f))
}

func (s *Server) updateFile(c call) error {
	f, err := c.file()
	if err != nil {
		return err
	}
	changes, err := c.fileChanges()
	if err != nil {
		return err
	}
	err = c.withAlias(events.FileCategory, f.ID, f.Settings.Alias, changes.Alias, c.bearsFileAlias, func() error {
		return c.write(fileAddress(f.ID), file.Update{Changes: changes})
	})
	if err != nil {
		return err
	}
	return c.answerID(f.ID)
}

func (s *Server) deleteFile(c call) error {
	f, err := c.file()
	if err != nil {
		return err
	}
	if err := c.empty(); err != nil {
		return err
	}
	if err := c.write(fileAddress(f.ID), file.Delete{}); err != nil {
		return err
	}
	c.release(events.FileCategory, f.ID, f.Settings.Alias)
	return c.answerID(f.ID)
}
