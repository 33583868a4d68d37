package projections

import (
	"context"
	"database/sql"
	"errors"

	"parley/events"
)

// Contact is a contact as it stands.
type Contact struct {
	Seq      int64
	ID       string
	Settings events.ContactSettings
	Created  events.Instant
	Updated  events.Instant
}

const contactColumns = "seq, id, settings, created, updated"

func scanContact(r *sql.Rows) (c Contact, err error) {
	var settings []byte
	if err := r.Scan(&c.Seq, &c.ID, &settings, &c.Created, &c.Updated); err != nil {
		return c, err
	}
	fact, err := events.Decode(events.ContactUpdated{}.EventType(), settings)
	if err == nil {
		c.Settings = fact.(events.ContactUpdated).Settings
	}
	return c, err
}

// Contact gives a contact of an account. Errors: ErrNotFound.
func (m *Model) Contact(ctx context.Context, account, id string) (Contact, error) {
	q := query{columns: contactColumns, table: "contacts", order: "seq"}
	q.and("account = ?", account)
	q.and("id = ?", id)
	return one(ctx, m.read, q, scanContact)
}

// Contacts lists an account's contacts.
func (m *Model) Contacts(ctx context.Context, account string, p Page) ([]Contact, error) {
	q := query{columns: contactColumns, table: "contacts", order: "seq"}
	q.and("account = ?", account)
	return list(ctx, m.read, q, p, scanContact)
}

// ContactConversations lists the conversations of an account that are with a
// contact.
func (m *Model) ContactConversations(ctx context.Context, account, contact string, p Page) ([]Conversation, error) {
	q := query{columns: conversationColumns, table: "conversations", order: "seq"}
	q.and("account = ?", account)
	q.and("contact = ? AND contact <> ''", contact)
	return list(ctx, m.read, q, p, scanConversation)
}

// foldContact keeps one row a contact. A second contact of an account with the
// same fingerprint has no place here: it is passed over, and what happens to it
// later changes nothing.
func (w *writer) foldContact(f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.ContactCreated:
		settings, err := events.Encode(events.ContactUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec("INSERT INTO contacts (seq, id, account, fingerprint, meta, settings, created, updated) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			f.Position, id, e.Account, e.Settings.Fingerprint, object(e.Settings.Meta), settings, f.at, f.at)
	case events.ContactUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec("UPDATE contacts SET meta = ?, settings = ?, updated = ? WHERE id = ?",
			object(e.Settings.Meta), settings, f.at, id)
	case events.ContactDeleted:
		w.leftover = true
		return errors.Join(
			w.exec("DELETE FROM contacts WHERE id = ?", id),
			w.exec("UPDATE conversations SET contact = '' WHERE contact = ? AND contact <> ''", id))
	}
	return nil
}

// linkContact ties a conversation to a contact, if it was not deleted since.
func (w *writer) linkContact(e events.ContactLinked) error {
	return w.exec("UPDATE conversations SET contact = (SELECT coalesce(max(id), '') FROM contacts WHERE id = ?) WHERE id = ?",
		e.Contact, e.Session)
}
