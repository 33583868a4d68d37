package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"parley/events"
)

// fact is a decoded event with what every row needs of it.
type fact struct {
	events.Recorded
	event   events.Event
	account string
	at      events.Instant
}

// apply writes what one event comes to. Events of unknown types and of streams
// that are not ours count only for the position.
func (w *writer) apply(ctx context.Context, r events.Recorded) error {
	meta, err := events.DecodeMetadata(r.Metadata)
	if err != nil {
		return nil // not one of ours
	}
	event, err := events.Decode(r.Type, r.Data)
	if err != nil {
		return err
	}
	f := fact{Recorded: r, event: event, account: meta.Account, at: meta.At}
	w.batch.owed[r.Stream] = meta.Owes
	switch r.Stream.Category() {
	case events.AccountCategory:
		return w.foldToken(ctx, f)
	case events.BotCategory:
		return w.foldBot(ctx, f)
	case events.IntegrationCategory:
		return w.foldIntegration(ctx, f)
	case events.CallbackCategory:
		return w.foldLog(ctx, f, logRow{integration: r.Stream.ID()})
	case events.ConversationCategory:
		return w.foldConversation(ctx, f)
	}
	return nil
}

func (w *writer) foldToken(ctx context.Context, f fact) error {
	switch e := f.event.(type) {
	case events.TokenIssued:
		return w.exec(ctx, "INSERT INTO tokens (hash, id, account, name, created) VALUES (?, ?, ?, ?, ?)",
			e.Hash, e.Token, f.Stream.ID(), e.Name, f.at)
	case events.TokenRevoked:
		return w.exec(ctx, "DELETE FROM tokens WHERE id = ?", e.Token)
	}
	return nil
}

func (w *writer) foldBot(ctx context.Context, f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.BotCreated:
		settings, err := events.Encode(events.BotUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec(ctx, "INSERT INTO bots (seq, id, account, alias, blueprint, meta, settings, created, updated) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, e.Settings.BlueprintID, object(e.Settings.Meta), settings, f.at, f.at)
	case events.BotUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec(ctx, "UPDATE bots SET alias = ?, blueprint = ?, meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, e.Settings.BlueprintID, object(e.Settings.Meta), settings, f.at, id)
	case events.BotDeleted:
		return errors.Join(
			w.exec(ctx, "DELETE FROM bots WHERE id = ?", id),
			w.exec(ctx, "UPDATE integrations SET bot = '' WHERE bot = ?", id),
			w.exec(ctx, "UPDATE conversations SET bot = '' WHERE bot = ?", id))
	}
	return nil
}

func (w *writer) foldIntegration(ctx context.Context, f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.IntegrationCreated:
		settings, err := events.Encode(events.IntegrationUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec(ctx, "INSERT INTO integrations (seq, id, account, alias, bot, blueprint, meta, settings, created, updated) "+
			"VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), ?, ?, ?, ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, e.Settings.BotID, e.Settings.BlueprintID,
			object(e.Settings.Meta), settings, f.at, f.at)
	case events.IntegrationUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec(ctx, "UPDATE integrations SET alias = ?, bot = (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), "+
			"blueprint = ?, meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, e.Settings.BotID, e.Settings.BlueprintID, object(e.Settings.Meta), settings, f.at, id)
	case events.IntegrationDeleted:
		w.deleted[id] = true
		return errors.Join(
			w.exec(ctx, "DELETE FROM integrations WHERE id = ?", id),
			w.exec(ctx, "INSERT INTO deleted_integrations (id) VALUES (?) ON CONFLICT DO NOTHING", id))
	}
	return nil
}

// foldConversation keeps the sessions, which the API calls conversations, and
// their messages.
func (w *writer) foldConversation(ctx context.Context, f fact) error {
	integration, _ := events.SplitConversationID(f.Stream.ID())
	row := logRow{integration: integration}
	var err error
	switch e := f.event.(type) {
	case events.SessionStarted:
		row.conversation, row.bot = e.Session.ID, e.Session.BotID
		err = w.startConversation(ctx, f, integration, e.Session)
	case events.SessionReset:
		row.conversation = e.Session
	case events.MessageReceived:
		row.conversation = e.Session
		if e.Text != "" {
			err = w.addMessage(ctx, f, e.Session, 0, userMessage(e))
		}
	case events.TurnDelayed:
		row.conversation = e.Session
	case events.TurnAnswered:
		row.conversation, row.bot = e.Session, e.BotID
		for i, m := range e.Messages {
			err = errors.Join(err, w.addMessage(ctx, f, e.Session, i, botMessage(e, m)))
		}
	case events.TurnClosed:
		row.conversation = e.Session
	case events.SendRefused:
		row.conversation = e.Session
	case events.SendUnclear:
		row.conversation = e.Session
	case events.PartSent:
		row.conversation = e.Session
	case events.PartAbandoned:
		row.conversation = e.Session
	case events.StatusReceived:
		row.conversation = e.Session
	}
	if err != nil {
		return err
	}
	return w.foldLog(ctx, f, row)
}

func (w *writer) startConversation(ctx context.Context, f fact, integration string, s events.Session) error {
	meta, err := json.Marshal(map[string]any{
		"app": "whatsapp", "whatsapp": map[string]string{"integrationId": integration},
	})
	if err != nil {
		return err
	}
	w.know(s.ID, int64(f.Position))
	return w.exec(ctx, "INSERT INTO conversations (seq, id, account, integration, stream, bot, meta, created, updated) "+
		"VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), ?, ?, ?)",
		f.Position, s.ID, f.account, integration, f.Stream, s.BotID, string(meta), f.at, f.at)
}

// addMessage stores the n-th message of an event.
func (w *writer) addMessage(ctx context.Context, f fact, conversation string, n int, m messageRow) error {
	if conversation == "" {
		return nil
	}
	seq, err := w.conversation(ctx, conversation)
	if err != nil || seq == 0 {
		return err
	}
	w.batch.touched[seq] = f.at
	return w.exec(ctx, "INSERT INTO messages (conversation, seq, id, type, text, meta, created, updated) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		seq, int64(f.Position)<<10|int64(n), m.id, m.kind, m.text, m.meta, f.at, f.at)
}

// conversation gives the seq of a conversation, 0 if it is not there (any more).
func (w *writer) conversation(ctx context.Context, id string) (int64, error) {
	if seq, ok := w.conv[id]; ok {
		return seq, nil
	}
	s, err := w.statement(ctx, "SELECT seq FROM conversations WHERE id = ?")
	if err != nil {
		return 0, err
	}
	var seq int64
	err = s.QueryRowContext(ctx, id).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		w.know(id, seq)
	}
	return seq, err
}

func (w *writer) know(conversation string, seq int64) {
	if len(w.conv) >= maxKnownConversations {
		clear(w.conv)
	}
	w.conv[conversation] = seq
}

// object is a JSON object's text; none is {}.
func object(meta []byte) string {
	if len(meta) == 0 {
		return "{}"
	}
	return string(meta)
}
