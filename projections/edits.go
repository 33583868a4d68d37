package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"parley/events"
)

// edited gives a message the changes that people made to it. It is false for a
// message that they removed. Most conversations have none, and cost nothing.
func (m *Model) edited(ctx context.Context, c Conversation, x *Message) (is bool, err error) {
	if !c.edited {
		return true, nil
	}
	var struck bool
	var typ, text, name, description sql.NullString
	var own []byte
	var updated events.Instant
	err = m.read.QueryRowContext(ctx, "SELECT struck, type, text, name, description, meta, updated FROM edits "+
		"WHERE conversation = ? AND message = ?", c.Seq, x.ID).Scan(&struck, &typ, &text, &name, &description, &own, &updated)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("read how a message was changed: %w", err)
	}
	for _, change := range []struct {
		of *string
		to sql.NullString
	}{{&x.Type, typ}, {&x.Text, text}, {&x.Name, name}, {&x.Description, description}} {
		if change.to.Valid {
			*change.of = change.to.String
		}
	}
	x.Own, x.Updated = events.WithKeys(x.Own, own), updated
	return !struck, nil
}

// rewriteMessage adds to what people changed about a message.
func (w *writer) rewriteMessage(f fact, e events.MessageRewritten) error {
	seq, err := w.subject(e.Session)
	if err != nil || seq == 0 {
		return err
	}
	meta, err := w.text("SELECT meta FROM edits WHERE conversation = ? AND message = ?", seq, e.Message)
	if err != nil {
		return err
	}
	c := e.Changes
	return errors.Join(
		w.exec("INSERT INTO edits (conversation, message, type, text, name, description, meta, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "+
			"ON CONFLICT (conversation, message) DO UPDATE SET type = coalesce(excluded.type, type), text = coalesce(excluded.text, text), "+
			"name = coalesce(excluded.name, name), description = coalesce(excluded.description, description), "+
			"meta = excluded.meta, updated = excluded.updated WHERE NOT struck",
			seq, e.Message, c.Type, c.Text, c.Name, c.Description, string(events.WithKeys([]byte(meta), c.Meta)), f.at),
		w.exec("UPDATE conversations SET edited = 1 WHERE seq = ?", seq))
}

// strikeMessage removes a message, and what was changed about it.
func (w *writer) strikeMessage(f fact, e events.MessageStruck) error {
	seq, err := w.subject(e.Session)
	if err != nil || seq == 0 {
		return err
	}
	return errors.Join(
		w.exec("INSERT OR REPLACE INTO edits (conversation, message, struck, updated) VALUES (?, ?, 1, ?)", seq, e.Message, f.at),
		w.exec("UPDATE conversations SET edited = 1 WHERE seq = ?", seq))
}
