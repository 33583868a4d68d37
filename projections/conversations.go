package projections

import (
	"context"
	"database/sql"
	"encoding/json"

	"parley/events"
)

// Conversation is a session: what the API calls a conversation. Links to bots
// and contacts that are deleted read as "".
type Conversation struct {
	Seq         int64
	ID          string
	Name        string
	Description string
	// IntegrationID is "" for one that the API made.
	IntegrationID string
	BotID         string
	ContactID     string
	// Model and Backstory go before the bot's.
	Model, Backstory    string
	Privacy, Moderation bool
	Meta                json.RawMessage
	Created             events.Instant
	Updated             events.Instant
	// Stream is where it stands in the log.
	Stream events.Stream

	first   events.Revision // in the stream
	written events.Revision // of the last message that was put in, or 0
	edited  bool            // some of its messages were changed
}

const conversationColumns = "seq, id, name, description, integration, bot, contact, model, backstory, privacy, moderation, " +
	"meta, created, updated, stream, first, written, edited"

func scanConversation(r *sql.Rows) (c Conversation, err error) {
	var meta string
	err = r.Scan(&c.Seq, &c.ID, &c.Name, &c.Description, &c.IntegrationID, &c.BotID, &c.ContactID, &c.Model, &c.Backstory,
		&c.Privacy, &c.Moderation, &meta, &c.Created, &c.Updated, &c.Stream, &c.first, &c.written, &c.edited)
	c.Meta = json.RawMessage(meta)
	return c, err
}

// Conversation gives a conversation of an account. Errors: ErrNotFound.
func (m *Model) Conversation(ctx context.Context, account, id string) (Conversation, error) {
	q := query{columns: conversationColumns, table: "conversations", order: "seq"}
	q.and("id = ?", id)
	q.and("account = ?", account)
	return one(ctx, m.read, q, scanConversation)
}

// ConversationFilter selects conversations. Empty fields select all. Bots are
// named by ID or "@alias".
type ConversationFilter struct{ Bots, Contacts []string }

// Conversations lists an account's conversations.
func (m *Model) Conversations(ctx context.Context, account string, f ConversationFilter, p Page) ([]Conversation, error) {
	q := query{columns: conversationColumns, table: "conversations", order: "seq"}
	q.and("account = ?", account)
	q.linked("bot", "bots", account, f.Bots)
	q.in("contact", "", f.Contacts)
	if id, ok := p.Meta["whatsapp.integrationId"]; ok {
		q.and("integration = ?", id) // the same filter by an index
	}
	return list(ctx, m.read, q, p, scanConversation)
}

// startConversation makes the row of a session.
func (w *writer) startConversation(f fact, integration string, e events.SessionStarted) error {
	s, meta := e.Session, []byte("{}")
	if !s.Direct {
		about := map[string]any{"integrationId": integration}
		if s.InitiatedTo != "" {
			about["to"], about["initiated"] = s.InitiatedTo, true
		}
		var err error
		if meta, err = json.Marshal(map[string]any{"app": "whatsapp", "whatsapp": about}); err != nil {
			return err
		}
	}
	err := w.exec("INSERT INTO conversations (seq, id, account, integration, stream, first, bot, blueprint, contact, model, backstory, meta, created, updated) "+
		"VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), ?, ?, ?, ?, ?, ?, ?)",
		f.Position, s.ID, f.account, integration, string(f.Stream), f.Revision, s.BotID, s.BlueprintID, s.Contact, s.Model, s.Backstory, string(meta), f.at, f.at)
	if err == nil && e.Described != nil {
		err = w.describeConversation(f, s.ID, *e.Described)
	}
	return err
}

// describeConversation sets what people changed about a session.
func (w *writer) describeConversation(f fact, id string, c events.SessionChanges) error {
	meta, err := w.text("SELECT meta FROM conversations WHERE id = ?", id)
	if err != nil {
		return err
	}
	meta = string(events.WithKeys([]byte(meta), c.Meta))
	return w.exec("UPDATE conversations SET name = coalesce(?, name), description = coalesce(?, description), "+
		"bot = CASE WHEN ? IS NULL THEN bot ELSE (SELECT coalesce(max(id), '') FROM bots WHERE id = ?) END, "+
		"blueprint = CASE WHEN ? IS NULL THEN blueprint ELSE '' END, "+
		"contact = CASE WHEN ? IS NULL THEN contact ELSE (SELECT coalesce(max(id), '') FROM contacts WHERE id = ?) END, "+
		"model = coalesce(?, model), backstory = coalesce(?, backstory), "+
		"privacy = coalesce(?, privacy), moderation = coalesce(?, moderation), meta = ?, updated = ? WHERE id = ?",
		c.Name, c.Description, c.BotID, c.BotID, c.BotID, c.ContactID, c.ContactID, c.Model, c.Backstory, c.Privacy, c.Moderation, meta, f.at, id)
}

// keepBot notes the bot that answered for a session's blueprint: from then on
// it is the session's.
func (w *writer) keepBot(e events.TurnAnswered) error {
	seq, err := w.subject(e.Session)
	if err != nil || e.BotID == "" {
		return err
	}
	return w.exec("UPDATE conversations SET bot = (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), blueprint = '' "+
		"WHERE seq = ? AND blueprint <> ''", e.BotID, seq)
}
