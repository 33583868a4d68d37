package projections

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"parley/events"
)

// Usage counts what an account used: tokens of models, conversations that
// began, and messages that were received or said.
type Usage struct{ Tokens, Conversations, Messages int64 }

func (u Usage) plus(v Usage) Usage {
	return Usage{u.Tokens + v.Tokens, u.Conversations + v.Conversations, u.Messages + v.Messages}
}

// Day is a day since 1970, UTC.
type Day int64

const dayLength = 24 * 60 * 60 * 1_000_000 // microseconds

// DayOf is the day of an instant.
func DayOf(at events.Instant) Day { return Day(at / dayLength) }

// Begin is the first instant of the day.
func (d Day) Begin() events.Instant { return events.Instant(d * dayLength) }

// The kinds of usage. Spec: "Events and usage".
const (
	UsedMessage      = "message"
	UsedToken        = "token"
	UsedConversation = "conversation"
)

// usedKinds gives each kind its bit in the log's index.
var usedKinds = map[string]int{UsedMessage: 1, UsedToken: 2, UsedConversation: 4}

// used is one thing that a fact used.
type used struct {
	kind    string
	message string // ID of the message, "" if it is none
	count   int64
}

// usedBy tells what a fact used. What a function did is no message.
func usedBy(fact events.Event) []used {
	switch f := fact.(type) {
	case events.SessionStarted:
		return []used{{kind: UsedConversation, count: 1}}
	case events.MessageReceived:
		return usedMessages(events.TurnMessage{ID: f.Message, Text: f.Text})
	case events.EchoReceived:
		return usedMessages(events.TurnMessage{ID: f.Message, Text: f.Text})
	case events.MessageWritten:
		if f.Type == "user" || f.Type == "bot" {
			return usedMessages(events.TurnMessage{ID: f.Message, Text: f.Text})
		}
	case events.ProgressReported:
		return usedMessages(f.Said)
	case events.Initiated:
		return usedMessages(f.Said...)
	case events.TurnClosed:
		return usedMessages(f.Said...)
	case events.CompletionMade:
		return usedTokens(f.Tokens)
	case events.TurnAnswered:
		return append(usedTokens(f.Tokens), usedMessages(f.Messages...)...)
	}
	return nil
}

func usedTokens(n int) []used {
	if n <= 0 {
		return nil
	}
	return []used{{kind: UsedToken, count: int64(n)}}
}

func usedMessages(said ...events.TurnMessage) []used {
	var all []used
	for _, m := range said {
		if m.Call == nil && m.Text != "" {
			all = append(all, used{kind: UsedMessage, message: m.ID, count: 1})
		}
	}
	return all
}

// usageDay is a day of an account, which stands as its name's number.
type usageDay struct {
	account int64
	day     Day
}

// foldUsage counts what a fact used, and gives the kinds of it.
func (w *writer) foldUsage(f fact, account int64) (kinds int) {
	all := usedBy(f.event)
	if len(all) == 0 {
		return 0
	}
	var sum Usage
	for _, u := range all {
		kinds |= usedKinds[u.kind]
		switch u.kind {
		case UsedMessage:
			sum.Messages += u.count
		case UsedToken:
			sum.Tokens += u.count
		case UsedConversation:
			sum.Conversations += u.count
		}
	}
	at := usageDay{account, DayOf(f.at)}
	w.used[at] = w.used[at].plus(sum)
	return kinds
}

// addUsage writes what the batch used.
func (w *writer) addUsage() error {
	for at, u := range w.used {
		err := w.exec("INSERT INTO usage (account, day, tokens, conversations, messages) VALUES (?, ?, ?, ?, ?) "+
			"ON CONFLICT (account, day) DO UPDATE SET tokens = tokens + excluded.tokens, "+
			"conversations = conversations + excluded.conversations, messages = messages + excluded.messages",
			at.account, at.day, u.Tokens, u.Conversations, u.Messages)
		if err != nil {
			return err
		}
	}
	return nil
}

// Usage gives what an account used on each day from one on, without the days of
// no use.
func (m *Model) Usage(ctx context.Context, account string, from Day) (map[Day]Usage, error) {
	rows, err := m.read.QueryContext(ctx, "SELECT day, tokens, conversations, messages FROM usage "+
		"WHERE account = (SELECT id FROM names WHERE name = ?) AND day >= ?", account, from)
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close() // read to the end below
	days := map[Day]Usage{}
	for rows.Next() {
		var day Day
		var u Usage
		if err := rows.Scan(&day, &u.Tokens, &u.Conversations, &u.Messages); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		days[day] = u
	}
	return days, rows.Err()
}

// UsageRecord is one thing that an account used.
type UsageRecord struct {
	Seq   int64
	ID    string
	Kind  string // UsedMessage, UsedToken or UsedConversation
	Count int64
	At    events.Instant
	// What it is about; "" when not.
	ConversationID, MessageID, ContactID, BotID string
}

// UsageFilter selects usage records. Empty fields select all.
type UsageFilter struct {
	Kinds, Conversations, Messages, Contacts, Bots []string
}

// usageBits leave room for the records of one fact. A record's seq is the
// fact's position with that room, from 1.
const usageBits = 10

// UsageRecords lists what an account used, one by one. What it was is read from
// the log; of what was erased there nothing is left but the sums.
func (m *Model) UsageRecords(ctx context.Context, account string, f UsageFilter, p Page) ([]UsageRecord, error) {
	if len(p.Meta) > 0 {
		return nil, nil // records have none
	}
	rows := Page{Take: p.Take, Descending: p.Descending}
	if len(f.Messages) > 0 {
		rows.Take = scanTake
		p.Take = min(p.Take, len(f.Messages)) // there is one of a message
	}
	if p.After != 0 { // the row of the cursor may hold a record beyond it
		rows.After = seqOf(events.Position(p.After>>usageBits)) + step(p.Descending)
	}
	var found []UsageRecord
	for {
		page, err := m.usageRows(ctx, account, f, rows)
		if err != nil {
			return nil, err
		}
		for _, row := range page {
			records, err := m.usageOf(ctx, row, p)
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				if !f.wants(r) {
					continue
				}
				if found = append(found, r); len(found) == p.Take {
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

func (f UsageFilter) wants(r UsageRecord) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, r.Kind)) && (len(f.Messages) == 0 || slices.Contains(f.Messages, r.MessageID))
}

func (m *Model) usageRows(ctx context.Context, account string, f UsageFilter, p Page) ([]LogEntry, error) {
	kinds := 0
	for _, k := range f.Kinds {
		kinds |= usedKinds[k]
	}
	if len(f.Kinds) == 0 {
		kinds = -1
	}
	q := query{columns: "seq, " + subjectColumns, table: "log", order: "seq"}
	q.and("account = (SELECT id FROM names WHERE name = ?)", account)
	q.and("used & ? <> 0", kinds)
	q.subjects(f.Conversations, f.Bots, f.Contacts)
	return list(ctx, m.read, q, p, func(r *sql.Rows) (row LogEntry, err error) {
		return row, r.Scan(&row.Seq, &row.IntegrationID, &row.BotID, &row.ConversationID, &row.ContactID)
	})
}

// usageOf gives the records of a row that lie on the page, in its order.
func (m *Model) usageOf(ctx context.Context, row LogEntry, p Page) ([]UsageRecord, error) {
	position := positionOf(row.Seq)
	fact, at, err := m.recorded(ctx, position)
	if err != nil {
		return nil, err
	}
	var records []UsageRecord
	for i, u := range usedBy(fact) {
		seq := int64(position)<<usageBits | int64(i+1)
		records = append(records, UsageRecord{
			Seq: seq, ID: "u" + strconv.FormatInt(seq, 36), Kind: u.kind, Count: u.count, At: at,
			ConversationID: row.ConversationID, MessageID: u.message, ContactID: row.ContactID, BotID: row.BotID,
		})
	}
	if p.Descending {
		slices.Reverse(records)
	}
	return slices.DeleteFunc(records, func(r UsageRecord) bool {
		return p.After != 0 && (p.Descending && r.Seq >= p.After || !p.Descending && r.Seq <= p.After)
	}), nil
}
