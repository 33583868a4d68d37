package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"parley/events"
)

// Message is one message of a conversation.
type Message struct {
	Seq  int64
	ID   string
	Type string // the API's word: user, bot, activity …
	Text string
	// Name, Description and Own, a JSON object, are what people say about it.
	Name, Description string
	Own               []byte
	// WAMID, Kind (Meta's type), ReplyTo (a wamid) and Written (by Meta's
	// clock) are of messages that came through WhatsApp.
	WAMID, Kind, ReplyTo string
	Written              events.Instant
	// Call is set for a function that the bot called.
	Call    *events.Call
	Created events.Instant
	Updated events.Instant
}

// Meta is a JSON object that tells the rest about the message, with what people
// say about it set in it.
func (m Message) Meta() json.RawMessage {
	return events.WithKeys(m.brought(), m.Own)
}

// brought tells where the message came from.
func (m Message) brought() json.RawMessage {
	meta := map[string]any{}
	if m.WAMID != "" {
		meta["whatsapp"] = jsonObject(map[string]any{
			"messageId": m.WAMID, "type": m.Kind, "replyTo": m.ReplyTo, "timestamp": m.Written.Milliseconds(),
		})
	}
	if m.Call != nil {
		meta["activity"] = map[string]any{"type": "response", "function": map[string]any{
			"name": m.Call.Function, "arguments": payload(m.Call.Arguments), "result": payload(m.Call.Result),
		}}
	}
	return jsonObject(meta)
}

// A message's seq is the revision of its fact with room for the messages of one
// fact, counted from 1: a seq is never 0.
const seqBits = 10

func messageSeq(r events.Revision, n int) int64 { return int64(r)<<seqBits | int64(n+1) }

// messagesOf gives the messages of a conversation that a fact holds.
func messagesOf(conversation string, r events.Recorded) (messages []Message, fact events.Event, err error) {
	if fact, err = events.Decode(r.Type, r.Data); err != nil {
		return nil, nil, err
	}
	switch f := fact.(type) {
	case events.MessageReceived:
		if f.Session == conversation && f.Text != "" {
			messages = append(messages, Message{
				ID: f.Message, Type: "user", Text: f.Text,
				WAMID: f.WAMID, Kind: f.Kind, ReplyTo: f.ReplyTo, Written: f.At,
			})
		}
	case events.EchoReceived:
		if f.Session == conversation && f.Text != "" {
			messages = append(messages, Message{ID: f.Message, Type: "bot", Text: f.Text, WAMID: f.WAMID, Kind: f.Kind, Written: f.At})
		}
	case events.AttachmentStored:
		if f.Session == conversation {
			messages = append(messages, Message{ID: f.Attachment.ID, Type: "activity", Call: f.Attachment.Call()})
		}
	case events.AttachmentUploaded:
		if f.Session == conversation {
			messages = append(messages, Message{ID: f.Attachment.ID, Type: "activity", Call: f.Attachment.Call()})
		}
	case events.MessageWritten:
		if f.Session == conversation {
			messages = append(messages, Message{
				ID: f.Message, Type: f.Type, Text: f.Text, Name: f.Name, Description: f.Description, Own: f.Meta,
			})
		}
	case events.ProgressReported:
		messages = said(conversation, f.Session, f.Said)
	case events.TurnAnswered:
		messages = said(conversation, f.Session, f.Messages...)
	case events.TurnClosed:
		messages = said(conversation, f.Session, f.Said...)
	case events.Initiated:
		messages = said(conversation, f.Session, f.Said...)
	}
	if len(messages) == 0 {
		return nil, fact, nil
	}
	meta, err := events.DecodeMetadata(r.Metadata)
	for i := range messages {
		messages[i].Seq, messages[i].Created, messages[i].Updated = messageSeq(r.Revision, i), meta.At, meta.At
	}
	return messages, fact, err
}

// said gives what the bot said and did, if it was in this conversation.
func said(conversation, session string, said ...events.TurnMessage) []Message {
	if session != conversation {
		return nil
	}
	messages := make([]Message, len(said))
	for i, m := range said {
		messages[i] = Message{ID: m.ID, Type: "bot", Text: m.Text, Call: m.Call}
		if m.Call != nil {
			messages[i].Type = "activity"
		}
	}
	return messages
}

// Messages lists the messages of a conversation of an account, by the page's
// order. They are read from the log. Errors: ErrNotFound.
func (m *Model) Messages(ctx context.Context, account, conversation string, p Page) ([]Message, error) {
	c, err := m.Conversation(ctx, account, conversation)
	if err != nil {
		return nil, err
	}
	last, err := m.lastOf(ctx, c)
	if err != nil {
		return nil, err
	}
	from, dir := max(c.first, events.Revision(p.After>>seqBits)), events.Forwards
	if p.Descending {
		from, dir = last, events.Backwards
		if p.After != 0 {
			from = min(last, events.Revision(p.After>>seqBits))
		}
	}
	var found []Message
	err = m.walk(ctx, c, from, last, dir, func(x Message) (bool, error) {
		beyond := p.After == 0 || p.Descending && x.Seq < p.After || !p.Descending && x.Seq > p.After
		if !beyond {
			return true, nil
		}
		is, err := m.edited(ctx, c, &x)
		if is {
			found = append(found, x)
		}
		return len(found) < p.Take, err
	})
	return found, err
}

// Message gives a message of a conversation of an account. Errors: ErrNotFound.
func (m *Model) Message(ctx context.Context, account, conversation, id string) (Message, error) {
	c, x, err := m.message(ctx, account, conversation, id)
	if err != nil {
		return x, err
	}
	if is, err := m.edited(ctx, c, &x); err != nil || is {
		return x, err
	}
	return Message{}, ErrNotFound
}

// MessageSeq gives the place of a message in its conversation, also of one that
// is not shown any more. Errors: ErrNotFound.
func (m *Model) MessageSeq(ctx context.Context, account, conversation, id string) (int64, error) {
	_, x, err := m.message(ctx, account, conversation, id)
	return x.Seq, err
}

// message finds a message as it was written. IDs say nothing about the place:
// the conversation is read until it turns up.
func (m *Model) message(ctx context.Context, account, conversation, id string) (c Conversation, found Message, err error) {
	if c, err = m.Conversation(ctx, account, conversation); err != nil {
		return c, found, err
	}
	last, err := m.lastOf(ctx, c)
	if err != nil {
		return c, found, err
	}
	err = m.walk(ctx, c, c.first, last, events.Forwards, func(x Message) (bool, error) {
		if x.ID == id {
			found = x
		}
		return found.ID == "", nil
	})
	if err == nil && found.ID == "" {
		err = ErrNotFound
	}
	return c, found, err
}

// walk gives the messages of a conversation one by one, from a revision on and
// not beyond the last, until visit wants no more.
func (m *Model) walk(
	ctx context.Context, c Conversation, from, last events.Revision, dir events.Direction, visit func(Message) (more bool, err error),
) error {
	return m.scan(ctx, c.Stream, from, dir, func(r events.Recorded) (bool, error) {
		if r.Revision < c.first || r.Revision > last {
			return false, nil
		}
		messages, _, err := messagesOf(c.ID, r)
		if err != nil {
			return false, err
		}
		if dir == events.Backwards {
			slices.Reverse(messages)
		}
		for _, x := range messages {
			if more, err := visit(x); err != nil || !more {
				return false, err
			}
		}
		return true, nil
	})
}

// lastOf gives the last revision that may hold a message of a conversation.
// Answers to it may come after the next one of the stream has begun, but not
// after the first turn of that one: turns come one after the other. What people
// put in or asked for may come at any time.
func (m *Model) lastOf(ctx context.Context, c Conversation) (events.Revision, error) {
	var next events.Revision
	err := m.read.QueryRowContext(ctx, "SELECT coalesce(min(first), -1) FROM conversations WHERE stream = ? AND first > ?",
		string(c.Stream), c.first).Scan(&next)
	if err != nil {
		return 0, fmt.Errorf("find the end of a conversation: %w", err)
	}
	if next < 0 {
		return events.StreamEnd, nil
	}
	last := events.StreamEnd
	err = m.scan(ctx, c.Stream, next, events.Forwards, func(r events.Recorded) (bool, error) {
		if r.Type != turnStarted {
			return true, nil
		}
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			return false, err
		}
		if started := fact.(events.TurnStarted); started.Session != c.ID && !started.Asked {
			last = max(r.Revision, c.written)
			return false, nil
		}
		return true, nil
	})
	return last, err
}

var turnStarted = events.TurnStarted{}.EventType()

// scanPage is how many events of a stream are read at a time.
const scanPage = 128

// scan reads a stream until visit wants no more or it ends.
func (m *Model) scan(ctx context.Context, s events.Stream, from events.Revision, dir events.Direction, visit func(events.Recorded) (more bool, err error)) error {
	for from >= events.StreamStart {
		page, err := m.store.Read(ctx, s, from, dir, scanPage)
		if err != nil {
			return fmt.Errorf("read %s: %w", s, err)
		}
		for _, r := range page {
			more, err := visit(r)
			if err != nil || !more {
				return err
			}
			if from = r.Revision + 1; dir == events.Backwards {
				from = r.Revision - 1
			}
		}
		if len(page) < scanPage {
			return nil
		}
	}
	return nil
}
