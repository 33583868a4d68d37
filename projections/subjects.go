package projections

import (
	"context"
	"fmt"

	"parley/events"
)

// The log's entries say what they are about, also when that is gone: for the
// conversations and their contacts there are rows of their own, which stay.
// Spec: "Events and usage".

// foldSubject notes a conversation, and who it is with.
func (w *writer) foldSubject(f fact) error {
	switch e := f.event.(type) {
	case events.SessionStarted:
		contact := e.Session.Contact
		if e.Described != nil && e.Described.ContactID != nil {
			contact = *e.Described.ContactID
		}
		return w.exec("INSERT INTO subjects (seq, id, contact) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", f.Position, e.Session.ID, contact)
	case events.SessionDescribed:
		if e.Changes.ContactID != nil {
			return w.linkSubject(e.Session, *e.Changes.ContactID)
		}
	case events.ContactLinked:
		return w.linkSubject(e.Session, e.Contact)
	}
	return nil
}

// linkSubject notes who a conversation is with from now on. That it is with
// nobody any more changes nothing of what was.
func (w *writer) linkSubject(conversation, contact string) error {
	if contact == "" {
		return nil
	}
	return w.exec("UPDATE subjects SET contact = ? WHERE id = ?", contact, conversation)
}

// subject gives the seq of a conversation, 0 if there never was one.
func (w *writer) subject(id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	if seq, ok := w.subjects[id]; ok {
		return seq, nil
	}
	seq, err := w.number("SELECT seq FROM subjects WHERE id = ?", id)
	if err == nil && seq != 0 {
		w.subjects.put(id, seq)
	}
	return seq, err
}

// nameOf reads a column of the log in which a number stands for a name.
func nameOf(column string) string {
	return "(SELECT name FROM names WHERE names.id = log." + column + ")"
}

// subjectColumns read what an entry is about: integration, bot, conversation
// and contact.
const subjectColumns = "(SELECT name FROM names WHERE names.id = log.integration), " +
	"(SELECT name FROM names WHERE names.id = log.bot), " +
	"coalesce((SELECT id FROM subjects WHERE subjects.seq = log.conversation), ''), " +
	"coalesce(nullif((SELECT name FROM names WHERE names.id = log.contact), ''), " +
	"(SELECT contact FROM subjects WHERE subjects.seq = log.conversation), '')"

// subjects asks for entries about certain things; none asks for nothing in
// particular.
func (q *query) subjects(conversations, bots, contacts []string) {
	q.in("conversation", "SELECT seq FROM subjects WHERE id", conversations)
	q.in("bot", "SELECT id FROM names WHERE name", bots)
	if len(contacts) == 0 {
		return
	}
	var own, linked query
	own.in("contact", "SELECT id FROM names WHERE name", contacts)
	linked.in("conversation", "SELECT seq FROM subjects WHERE contact", contacts)
	q.and("("+own.where[0]+" OR "+linked.where[0]+")", append(own.args, linked.args...)...)
}

// LogEnd gives the place in an account's event log, as of now, after which its
// newest n entries lie.
func (m *Model) LogEnd(ctx context.Context, account string, n int) (after int64, err error) {
	after = seqOf(m.Position())
	rows, err := m.read.QueryContext(ctx, "SELECT seq, brought FROM log "+
		"WHERE account = (SELECT id FROM names WHERE name = ?) AND seq <= ? ORDER BY seq DESC LIMIT ?", account, after, n)
	if err != nil {
		return 0, fmt.Errorf("find the end of the event log: %w", err)
	}
	defer rows.Close() // read to the end below
	for left := n; left > 0 && rows.Next(); {
		var brought bool
		if err := rows.Scan(&after, &brought); err != nil {
			return 0, fmt.Errorf("find the end of the event log: %w", err)
		}
		after--
		if left--; brought && left > 0 {
			after--
			left--
		}
	}
	return after, rows.Err()
}
