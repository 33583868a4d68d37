package projections

import (
	"bytes"
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

// metadataCache remembers the last metadata: the events of one append have the
// same.
type metadataCache struct {
	raw     []byte
	decoded events.Metadata
	err     error
}

func (c *metadataCache) decode(raw []byte) (events.Metadata, error) {
	if c.raw == nil || !bytes.Equal(c.raw, raw) {
		c.raw = raw
		c.decoded, c.err = events.DecodeMetadata(raw)
	}
	return c.decoded, c.err
}

// isSilent reports that a fact of a type leaves no trace here but in what its
// stream owes. It need not even be decoded.
func isSilent(eventType string) bool {
	switch eventType {
	case "TurnAsked", "TurnStarted", "SendAttempted", "PartResumed", "DeliveriesResumed", "SessionContinued", "SecretSealed", "AliasClaimed", "AliasReleased":
		return true
	}
	return false
}

// apply writes what one event comes to. Events of unknown types and of streams
// that are not ours count only for the position; the types are kept, so that a
// version that knows them begins anew.
func (w *writer) apply(r events.Recorded) error {
	meta, err := w.metadata.decode(r.Metadata)
	if err != nil {
		return nil // not one of ours
	}
	w.due[r.Stream] = meta.Owes
	if isSilent(r.Type) {
		return nil
	}
	f := fact{Recorded: r, account: meta.Account, at: meta.At}
	if r.Type == notification {
		f.event = events.NotificationReceived{} // what it holds is read from the log
	} else if f.event, err = events.Decode(r.Type, r.Data); err != nil {
		return err
	}
	if _, unknown := f.event.(events.Unknown); unknown {
		return w.exec("INSERT OR IGNORE INTO passed_over (type) VALUES (?)", r.Type)
	}
	switch r.Stream.Category() {
	case events.AccountCategory:
		return w.foldToken(f)
	case events.BlueprintCategory:
		return w.foldBlueprint(f)
	case events.BotCategory:
		return errors.Join(w.foldBot(f), w.foldLog(f, logRow{bot: r.Stream.ID()}))
	case events.CompletionCategory:
		return w.foldCompletion(f)
	case events.ContactCategory:
		return errors.Join(w.foldContact(f), w.foldLog(f, logRow{contact: r.Stream.ID()}))
	case events.FileCategory:
		return w.foldFile(f)
	case events.IntegrationCategory:
		return w.foldIntegration(f)
	case events.CallbackCategory:
		return w.foldLog(f, logRow{integration: r.Stream.ID()})
	case events.ConversationCategory:
		return w.foldConversation(f)
	}
	return nil
}

var notification = events.NotificationReceived{}.EventType()

func (w *writer) foldToken(f fact) error {
	switch e := f.event.(type) {
	case events.TokenIssued:
		return w.exec("INSERT INTO tokens (hash, id, account, name, created) VALUES (?, ?, ?, ?, ?)",
			e.Hash, e.Token, f.Stream.ID(), e.Name, f.at)
	case events.TokenRevoked:
		return w.exec("DELETE FROM tokens WHERE id = ?", e.Token)
	}
	return nil
}

// foldCompletion counts what an answer cost that is stored nowhere.
func (w *writer) foldCompletion(f fact) error {
	made, ok := f.event.(events.CompletionMade)
	if !ok {
		return nil
	}
	return w.foldLog(f, logRow{bot: made.BotID})
}

func (w *writer) foldBot(f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.BotCreated:
		settings, err := events.Encode(events.BotUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec("INSERT INTO bots (seq, id, account, alias, blueprint, meta, settings, created, updated) "+
			"VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), ?, ?, ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, e.Settings.BlueprintID, object(e.Settings.Meta), settings, f.at, f.at)
	case events.BotUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec("UPDATE bots SET alias = ?, blueprint = (SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), "+
			"meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, e.Settings.BlueprintID, object(e.Settings.Meta), settings, f.at, id)
	case events.BotDeleted:
		return errors.Join(
			w.exec("DELETE FROM bots WHERE id = ?", id),
			w.spare(f.Stream),
			w.exec("UPDATE integrations SET bot = '' WHERE bot = ?", id),
			w.exec("UPDATE conversations SET bot = '' WHERE bot = ?", id))
	}
	return nil
}

func (w *writer) foldIntegration(f fact) error {
	id := f.Stream.ID()
	switch e := f.event.(type) {
	case events.IntegrationCreated:
		settings, err := events.Encode(events.IntegrationUpdated{Settings: e.Settings})
		if err != nil {
			return err
		}
		return w.exec("INSERT INTO integrations (seq, id, account, alias, bot, blueprint, phone, meta, settings, created, updated) "+
			"VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), "+
			"(SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), ?, ?, ?, ?, ?)",
			f.Position, id, e.Account, e.Settings.Alias, e.Settings.BotID, e.Settings.BlueprintID, e.Settings.PhoneNumberID,
			object(e.Settings.Meta), settings, f.at, f.at)
	case events.IntegrationUpdated:
		settings, err := events.Encode(e)
		if err != nil {
			return err
		}
		return w.exec("UPDATE integrations SET alias = ?, bot = (SELECT coalesce(max(id), '') FROM bots WHERE id = ?), "+
			"blueprint = (SELECT coalesce(max(id), '') FROM blueprints WHERE id = ?), phone = ?, meta = ?, settings = ?, updated = ? WHERE id = ?",
			e.Settings.Alias, e.Settings.BotID, e.Settings.BlueprintID, e.Settings.PhoneNumberID, object(e.Settings.Meta), settings, f.at, id)
	case events.IntegrationDeleted:
		w.deleted[id], w.deletedNow = true, append(w.deletedNow, id)
		return errors.Join(
			w.exec("DELETE FROM integrations WHERE id = ?", id),
			w.spare(f.Stream),
			w.exec("INSERT INTO deleted_integrations (id) VALUES (?) ON CONFLICT DO NOTHING", id))
	}
	return nil
}

// foldConversation keeps the sessions, which the API calls conversations. Their
// messages are read from the log itself.
func (w *writer) foldConversation(f fact) error {
	integration, _ := events.SplitConversationID(f.Stream.ID())
	row := logRow{integration: integration, conversation: events.SessionOf(f.event)}
	var err error
	switch e := f.event.(type) {
	case events.SessionStarted:
		row.bot = e.Session.BotID
		err = w.startConversation(f, integration, e)
	case events.SessionDescribed:
		err = w.describeConversation(f, e.Session, e.Changes)
	case events.MessageWritten:
		err = w.exec("UPDATE conversations SET written = ? WHERE id = ?", f.Revision, e.Session)
	case events.AttachmentStored:
		err = w.attach(f, e.Session, e.Attachment)
	case events.AttachmentUploaded:
		err = errors.Join(
			w.attach(f, e.Session, e.Attachment),
			w.exec("UPDATE conversations SET written = ? WHERE id = ?", f.Revision, e.Session))
	case events.SessionErased:
		err = w.eraseConversation(f, e.Session)
	case events.MessageRewritten:
		err = w.rewriteMessage(f, e)
	case events.MessageStruck:
		err = w.strikeMessage(f, e)
	case events.ContactLinked:
		err = w.linkContact(e)
	case events.TurnAnswered:
		row.bot = e.BotID
		err = w.keepBot(e)
		if err == nil && e.Asked {
			err = w.exec("UPDATE conversations SET written = ? WHERE id = ?", f.Revision, e.Session)
		}
	}
	if err != nil {
		return err
	}
	return w.foldLog(f, row)
}

// object is a JSON object's text; none is {}.
func object(meta []byte) string {
	if len(meta) == 0 {
		return "{}"
	}
	return string(meta)
}
