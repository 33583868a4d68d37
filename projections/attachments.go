package projections

import (
	"context"
	"database/sql"
	"encoding/json"

	"parley/events"
)

// Attachment is a file of a conversation, whoever sent it.
type Attachment struct {
	events.Attachment
	Seq     int64
	Meta    json.RawMessage
	Created events.Instant
}

// Content is what the attachment holds.
func (a Attachment) Content() events.Content {
	return events.Content{Hash: a.Hash, Name: a.Name, Type: a.Type, Size: a.Size}
}

const attachmentColumns = "seq, id, hash, name, type, size, meta, created"

func scanAttachment(r *sql.Rows) (a Attachment, err error) {
	var meta string
	err = r.Scan(&a.Seq, &a.ID, &a.Hash, &a.Name, &a.Type, &a.Size, &meta, &a.Created)
	a.Meta = json.RawMessage(meta)
	return a, err
}

// Attachments lists the attachments of a conversation of an account. Errors:
// ErrNotFound, if there is no such conversation.
func (m *Model) Attachments(ctx context.Context, account, conversation string, p Page) ([]Attachment, error) {
	if _, err := m.Conversation(ctx, account, conversation); err != nil {
		return nil, err
	}
	q := query{columns: attachmentColumns, table: "attachments", order: "seq"}
	q.and("conversation = ?", conversation)
	q.and("account = ?", account)
	return list(ctx, m.read, q, p, scanAttachment)
}

// Attachment gives an attachment of a conversation of an account by its ID, or
// the newest with a name. Errors: ErrNotFound.
func (m *Model) Attachment(ctx context.Context, account, conversation, id string) (Attachment, error) {
	q := query{columns: attachmentColumns, table: "attachments", order: "id = ? DESC, seq"}
	q.and("conversation = ?", conversation)
	q.and("account = ?", account)
	q.and("(id = ? OR name = ?)", id, id)
	q.args = append(q.args, id) // of the order
	all, err := list(ctx, m.read, q, Page{Take: 1, Descending: true}, scanAttachment)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Attachment{}, err
	}
	return all[0], nil
}

// attach keeps an attachment, if its conversation is still there.
func (w *writer) attach(f fact, session string, a events.Attachment) error {
	return w.exec("INSERT INTO attachments (seq, id, account, conversation, hash, name, type, size, created) "+
		"SELECT ?, ?, ?, id, ?, ?, ?, ?, ? FROM conversations WHERE id = ? ON CONFLICT DO NOTHING",
		f.Position, a.ID, f.account, a.Hash, a.Name, a.Type, a.Size, f.at, session)
}
