package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/events"
)

// Blueprint is a blueprint as it stands.
type Blueprint struct {
	Seq      int64
	ID       string
	Settings events.BlueprintSettings
	Created  events.Instant
	Updated  events.Instant
}

const blueprintColumns = "seq, id, settings, created, updated"

func scanBlueprint(r *sql.Rows) (b Blueprint, err error) {
	var settings []byte
	if err := r.Scan(&b.Seq, &b.ID, &settings, &b.Created, &b.Updated); err != nil {
		return b, err
	}
	fact, err := events.Decode(events.BlueprintUpdated{}.EventType(), settings)
	if err == nil {
		b.Settings = fact.(events.BlueprintUpdated).Settings
	}
	return b, err
}

// Blueprint gives a blueprint of an account by its ID or "@alias". Errors:
// ErrNotFound.
func (m *Model) Blueprint(ctx context.Context, account, id string) (Blueprint, error) {
	q := query{columns: blueprintColumns, table: "blueprints", order: "seq"}
	q.named(account, id)
	return one(ctx, m.read, q, scanBlueprint)
}

// Blueprints lists an account's blueprints.
func (m *Model) Blueprints(ctx context.Context, account string, p Page) ([]Blueprint, error) {
	q := query{columns: blueprintColumns, table: "blueprints", order: "seq"}
	q.and("account = ?", account)
	return list(ctx, m.read, q, p, scanBlueprint)
}

// CountBots tells how many bots of an account a blueprint has, by its ID, and
// gives the ID of one of them; "" if there are none.
func (m *Model) CountBots(ctx context.Context, account, blueprint string) (bots int, first string, err error) {
	err = m.read.QueryRowContext(ctx, "SELECT count(*), coalesce(min(id), '') FROM bots WHERE blueprint = ? AND account = ?",
		blueprint, account).Scan(&bots, &first)
	if err != nil {
		return 0, "", fmt.Errorf("count the bots of a blueprint: %w", err)
	}
	return bots, first, nil
}

// Doomed is something that goes with its blueprint.
type Doomed struct {
	Stream events.Stream
	Alias  string
}

// Doomed lists up to limit of the things that were linked to a blueprint when
// it was deleted with them, and that are not deleted yet: integrations first,
// so that none is asked whose bot is gone already.
func (m *Model) Doomed(ctx context.Context, blueprint string, limit int) ([]Doomed, error) {
	q := query{columns: "stream, alias", table: "doomed", order: "stream"}
	q.and("blueprint = ?", blueprint)
	return list(ctx, m.read, q, Page{Take: limit, Descending: true}, func(r *sql.Rows) (d Doomed, err error) {
		return d, r.Scan(&d.Stream, &d.Alias)
	})
}

// members are the tables of what can be linked to a blueprint, each with the
// category of its streams.
var members = []struct{ table, category string }{
	{"bots", events.BotCategory},
	{"files", events.FileCategory},
	{"integrations", events.IntegrationCategory},
}

func (w *writer) foldBlueprint(f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.BlueprintCreated:
		settings, err := events.Encode(events.BlueprintUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec("INSERT INTO blueprints (seq, id, account, alias, meta, settings, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, object(e.Settings.Meta), settings, f.at, f.at)
	case events.BlueprintUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec("UPDATE blueprints SET alias = ?, meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, object(e.Settings.Meta), settings, f.at, id)
	case events.BlueprintDeleted:
		return w.deleteBlueprint(id, e)
	}
	return nil
}

// deleteBlueprint cuts the links to a blueprint. Those that go with it are
// remembered until they are gone.
func (w *writer) deleteBlueprint(id string, e events.BlueprintDeleted) error {
	err := w.exec("DELETE FROM blueprints WHERE id = ?", id)
	for _, m := range members {
		if e.WithResources {
			err = errors.Join(err, w.exec("INSERT INTO doomed (stream, blueprint, alias) "+
				"SELECT ? || '-' || id, blueprint, alias FROM "+m.table+" WHERE blueprint = ? AND account = ? ON CONFLICT DO NOTHING",
				m.category, id, e.Account))
		}
		err = errors.Join(err, w.exec("UPDATE "+m.table+" SET blueprint = '' WHERE blueprint = ?", id))
	}
	return err
}

// spare forgets that something goes with its blueprint: it is gone.
func (w *writer) spare(s events.Stream) error {
	return w.exec("DELETE FROM doomed WHERE stream = ?", string(s))
}
