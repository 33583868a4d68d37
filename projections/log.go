package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"parley/events"
)

// LogEntry is one line of an account's event log.
type LogEntry struct {
	Seq  int64
	ID   string
	Type string
	// Meta is a JSON object that tells what happened.
	Meta json.RawMessage
	At   events.Instant
	// What it is about; "" when not.
	IntegrationID  string
	ConversationID string
	BotID          string
}

// logRow is what the log's index holds of an event. What happened stays in the
// log itself and is read from there.
type logRow struct{ integration, conversation, bot string }

// foldLog adds an event to the index, if it is one that people are shown.
// Nothing is added for an integration that is deleted.
func (w *writer) foldLog(ctx context.Context, f fact, row logRow) error {
	kind := logType(f.event)
	if kind == "" || w.deleted[row.integration] {
		return nil
	}
	return w.exec(ctx, "INSERT INTO log (seq, account, type, integration, conversation, bot) VALUES (?, ?, ?, ?, ?, ?)",
		f.Position, f.account, kind, row.integration, row.conversation, row.bot)
}

// LogFilter selects entries of the event log. Empty fields select all.
type LogFilter struct {
	Types, Integrations, Conversations, Bots []string
}

// Log lists an account's event log. What happened is read from the log itself;
// of an event that was erased there only the bare line is left.
func (m *Model) Log(ctx context.Context, account string, f LogFilter, p Page) ([]LogEntry, error) {
	wanted, take := p.Meta, p.Take
	p.Meta = nil // it is not in the index
	if len(wanted) > 0 {
		p.Take = scanTake
	}
	var found []LogEntry
	for {
		entries, err := m.logPage(ctx, account, f, p)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if matches(e.Meta, wanted) {
				found = append(found, e)
			}
			if len(found) == take {
				return found, nil
			}
		}
		if len(entries) < p.Take {
			return found, nil
		}
		p.After = entries[len(entries)-1].Seq
	}
}

// scanTake is how many entries are read at a time when each must be looked at.
const scanTake = 500

func (m *Model) logPage(ctx context.Context, account string, f LogFilter, p Page) ([]LogEntry, error) {
	q := query{columns: "seq, type, integration, conversation, bot", table: "log", order: "seq"}
	q.and("account = ?", account)
	q.in("type", f.Types)
	q.in("integration", f.Integrations)
	q.in("conversation", f.Conversations)
	q.in("bot", f.Bots)
	entries, err := list(ctx, m.read, q, p, func(r *sql.Rows) (e LogEntry, err error) {
		return e, r.Scan(&e.Seq, &e.Type, &e.IntegrationID, &e.ConversationID, &e.BotID)
	})
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if err := m.describe(ctx, &entries[i]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// describe reads what happened.
func (m *Model) describe(ctx context.Context, e *LogEntry) error {
	e.ID, e.Meta = "e"+strconv.FormatInt(e.Seq, 36), json.RawMessage("{}")
	recorded, err := m.store.ReadAll(ctx, events.Position(e.Seq), events.Forwards, 1)
	if err != nil {
		return fmt.Errorf("read event %d: %w", e.Seq, err)
	}
	if len(recorded) == 0 || recorded[0].Position != events.Position(e.Seq) {
		return nil
	}
	meta, err := events.DecodeMetadata(recorded[0].Metadata)
	if err != nil {
		return err
	}
	event, err := events.Decode(recorded[0].Type, recorded[0].Data)
	if err != nil {
		return err
	}
	e.At, e.Meta = meta.At, jsonObject(logMeta(event))
	return nil
}

// matches reports that a JSON object has the wanted values at dotted paths.
func matches(object json.RawMessage, wanted map[string]string) bool {
	for path, value := range wanted {
		raw := object
		for key := range strings.SplitSeq(path, ".") {
			var fields map[string]json.RawMessage
			if json.Unmarshal(raw, &fields) != nil {
				return false
			}
			raw = fields[key]
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		if raw == nil || text != value {
			return false
		}
	}
	return true
}
