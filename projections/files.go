package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/events"
)

// File is a file as it stands. The content's Hash is "" if nothing was uploaded.
// A link to a blueprint that is deleted reads as "".
type File struct {
	Seq      int64
	ID       string
	Account  string
	Settings events.FileSettings
	Content  events.Content
	Created  events.Instant
	Updated  events.Instant
}

const fileColumns = "seq, id, account, blueprint, meta, settings, content, created, updated"

func scanFile(r *sql.Rows) (f File, err error) {
	var meta, settings, content []byte
	var blueprint string
	if err := r.Scan(&f.Seq, &f.ID, &f.Account, &blueprint, &meta, &settings, &content, &f.Created, &f.Updated); err != nil {
		return f, err
	}
	fact, err := events.Decode(events.FileUpdated{}.EventType(), settings)
	if err != nil {
		return f, err
	}
	f.Settings = fact.(events.FileUpdated).Settings
	f.Settings.BlueprintID = blueprint
	f.Settings.Meta = meta // uploads change it, too
	if content == nil {
		return f, nil
	}
	fact, err = events.Decode(events.FileUploaded{}.EventType(), content)
	if err == nil {
		f.Content = fact.(events.FileUploaded).Content
	}
	return f, err
}

// File gives a file of an account by its ID or "@alias". Errors: ErrNotFound.
func (m *Model) File(ctx context.Context, account, id string) (File, error) {
	q := query{columns: fileColumns, table: "files", order: "seq"}
	q.named(account, id)
	return one(ctx, m.read, q, scanFile)
}

// PublicFile gives a file that everybody may have, by its ID. Errors:
// ErrNotFound, also for files that are not for everybody.
func (m *Model) PublicFile(ctx context.Context, id string) (File, error) {
	q := query{columns: fileColumns, table: "files", order: "seq"}
	q.and("id = ?", id)
	q.and("visibility = 'public'")
	return one(ctx, m.read, q, scanFile)
}

// Files lists an account's files, those of some blueprints if any are
// named by ID or "@alias".
func (m *Model) Files(ctx context.Context, account string, blueprints []string, p Page) ([]File, error) {
	q := query{columns: fileColumns, table: "files", order: "seq"}
	q.and("account = ?", account)
	q.linked("blueprint", "blueprints", account, blueprints)
	return list(ctx, m.read, q, p, scanFile)
}

func (w *writer) foldFile(f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.FileCreated:
		settings, err := events.Encode(events.FileUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec("INSERT INTO files (seq, id, account, alias, blueprint, visibility, meta, settings, hash, created, updated) "+
			"VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), ?, ?, ?, '', ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, e.Settings.BlueprintID, e.Settings.Visibility, object(e.Settings.Meta),
			settings, f.at, f.at)
	case events.FileUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec("UPDATE files SET alias = ?, blueprint = (SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), "+
			"visibility = ?, meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, e.Settings.BlueprintID, e.Settings.Visibility, object(e.Settings.Meta), settings, f.at, id)
	case events.FileUploaded:
		content, err := events.Encode(events.FileUploaded{Content: e.Content})
		if err != nil {
			return err
		}
		return w.exec("UPDATE files SET meta = ?, hash = ?, content = ?, updated = ? WHERE id = ?",
			object(e.Meta), e.Content.Hash, content, f.at, id)
	case events.FileDeleted:
		return errors.Join(w.exec("DELETE FROM files WHERE id = ?", id), w.spare(f.Stream))
	}
	return nil
}

// Refers reports that a file or an attachment, of whatever account, has a
// content, by the content's hash. It answers for all that is in the log now:
// what it says of yesterday could cost somebody their file.
func (m *Model) Refers(ctx context.Context, hash string) (bool, error) {
	if err := m.CatchUp(ctx); err != nil {
		return false, err
	}
	var n int
	err := m.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM files WHERE hash = ? AND hash <> '') "+
		"OR EXISTS (SELECT 1 FROM attachments WHERE hash = ?)", hash, hash).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("find who refers to a content: %w", err)
	}
	return n > 0, nil
}

// CountFiles tells how many files an account has.
func (m *Model) CountFiles(ctx context.Context, account string) (n int64, err error) {
	if err = m.read.QueryRowContext(ctx, "SELECT count(*) FROM files WHERE account = ?", account).Scan(&n); err != nil {
		return 0, fmt.Errorf("count files: %w", err)
	}
	return n, nil
}
