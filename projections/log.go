package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
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
	ContactID      string
	BotID          string
}

// logRow is what the log's index holds of an event. What happened stays in the
// log itself and is read from there.
type logRow struct{ integration, conversation, bot, contact string }

// A fact may hold the notification that brought it. Then it gives two entries,
// the notification's first, and still one row. An entry's seq is twice the
// event's position, and one more for the fact itself.
func seqOf(position events.Position) int64 { return int64(position)<<1 | 1 }

func positionOf(seq int64) events.Position { return events.Position(seq >> 1) }

// notificationIn gives the notification within a fact, or nil.
func notificationIn(e events.Event) *events.NotificationReceived {
	switch e := e.(type) {
	case events.MessageReceived:
		return e.Notification
	case events.StatusReceived:
		return e.Notification
	case events.EchoReceived:
		return e.Notification
	}
	return nil
}

// foldLog adds an event to the index, if it is one that people are shown.
// Nothing is added for an integration that is deleted.
func (w *writer) foldLog(f fact, row logRow) error {
	if err := w.foldSubject(f); err != nil {
		return err
	}
	kind := logType(f.event)
	if f.Stream.Category() == events.ConversationCategory && row.integration == "" { // made by the API
		kind = strings.Replace(kind, "integration.whatsapp.", "conversation.", 1)
	}
	if kind == "" || w.deleted[row.integration] {
		return nil
	}
	conversation, err := w.subject(row.conversation)
	if err != nil {
		return err
	}
	stream := ""
	if f.Stream.Category() == events.ConversationCategory {
		stream = string(f.Stream)
	}
	var numbers [6]int64
	for i, name := range [6]string{f.account, kind, row.integration, row.bot, row.contact, stream} {
		if numbers[i], err = w.name(name); err != nil {
			return err
		}
	}
	brought := notificationIn(f.event) != nil
	used := w.foldUsage(f, numbers[0])
	return w.exec("INSERT INTO log (account, seq, type, integration, conversation, bot, contact, stream, brought, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		numbers[0], seqOf(f.Position), numbers[1], numbers[2], conversation, numbers[3], numbers[4], numbers[5], brought, used)
}

// LogFilter selects entries of the event log. Empty fields select all.
type LogFilter struct {
	Types, Integrations, Conversations, Bots, Contacts []string
}

// Log lists an account's event log. What happened is read from the log itself;
// of an event that was erased there only the bare line is left.
func (m *Model) Log(ctx context.Context, account string, f LogFilter, p Page) ([]LogEntry, error) {
	rows := p
	rows.Meta = nil // it is not in the index
	if len(p.Meta) > 0 {
		rows.Take = scanTake
	}
	if rows.After != 0 { // the row of the cursor may hold an entry beyond it
		rows.After += step(p.Descending)
	}
	var found []LogEntry
	for {
		page, err := m.logRows(ctx, account, f, rows)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			for _, e := range row.entries(p) {
				if !f.wants(e.Type) {
					continue
				}
				if err := m.describe(ctx, &e, row.bare); err != nil {
					return nil, err
				}
				if matches(e.Meta, p.Meta) {
					found = append(found, e)
				}
				if len(found) == p.Take {
					return found, nil
				}
			}
			rows.After = row.Seq
		}
		if len(page) < rows.Take {
			return found, nil
		}
	}
}

// step is one back on the way of a list.
func step(descending bool) int64 {
	if descending {
		return 1
	}
	return -1
}

// scanTake is how many rows are read at a time when each must be looked at.
const scanTake = 500

// wants reports that entries of a type are asked for.
func (f LogFilter) wants(kind string) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, kind)
}

// storedRow is a row of the index: one entry, or two.
type storedRow struct {
	LogEntry
	brought bool
	// bare says that it may only say that something happened.
	bare bool
}

// entries gives the row's entries that lie on the page, in its order.
func (r storedRow) entries(p Page) []LogEntry {
	entries := []LogEntry{r.LogEntry}
	if r.brought {
		n := LogEntry{
			Seq: r.Seq - 1, Type: logType(events.NotificationReceived{}),
			IntegrationID: r.IntegrationID, ConversationID: r.ConversationID, ContactID: r.ContactID,
		}
		entries = []LogEntry{n, r.LogEntry}
	}
	if p.Descending {
		slices.Reverse(entries)
	}
	return slices.DeleteFunc(entries, func(e LogEntry) bool {
		return p.After != 0 && (p.Descending && e.Seq >= p.After || !p.Descending && e.Seq <= p.After)
	})
}

func (m *Model) logRows(ctx context.Context, account string, f LogFilter, p Page) ([]storedRow, error) {
	q := query{columns: "seq, (" + bare + "), " + nameOf("type") + ", " + subjectColumns + ", brought", table: "log", order: "seq"}
	q.and("account = (SELECT id FROM names WHERE name = ?)", account)
	q.in("integration", "SELECT id FROM names WHERE name", f.Integrations)
	q.subjects(f.Conversations, f.Bots, f.Contacts)
	q.in("type", "SELECT id FROM names WHERE name", f.Types)
	if f.wants(logType(events.NotificationReceived{})) && len(f.Types) > 0 {
		q.where[len(q.where)-1] = "(brought OR " + q.where[len(q.where)-1] + ")"
	}
	return list(ctx, m.read, q, p, func(r *sql.Rows) (row storedRow, err error) {
		return row, r.Scan(&row.Seq, &row.bare, &row.Type, &row.IntegrationID, &row.BotID, &row.ConversationID, &row.ContactID, &row.brought)
	})
}

// describe reads what happened, or only when.
func (m *Model) describe(ctx context.Context, e *LogEntry, bare bool) error {
	e.ID, e.Meta = "e"+strconv.FormatInt(e.Seq, 36), json.RawMessage("{}")
	event, at, err := m.recorded(ctx, positionOf(e.Seq))
	if event == nil || err != nil {
		return err
	}
	if n := notificationIn(event); n != nil && e.Seq&1 == 0 {
		event = *n
	}
	if e.At = at; !bare {
		e.Meta = jsonObject(logMeta(event))
	}
	return nil
}

// recorded reads one event of the log and when it happened; the event is nil
// if it was erased.
func (m *Model) recorded(ctx context.Context, at events.Position) (events.Event, events.Instant, error) {
	recorded, err := m.store.ReadAll(ctx, at, events.Forwards, 1)
	if err != nil {
		return nil, 0, fmt.Errorf("read event %d: %w", at, err)
	}
	if len(recorded) == 0 || recorded[0].Position != at {
		return nil, 0, nil
	}
	meta, err := events.DecodeMetadata(recorded[0].Metadata)
	if err != nil {
		return nil, 0, err
	}
	event, err := events.Decode(recorded[0].Type, recorded[0].Data)
	return event, meta.At, err
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
