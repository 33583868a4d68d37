package http

import (
	"context"
	"strings"

	"parley/domain/conversation"
	"parley/events"
)

// createConversation makes a conversation that is with nobody on WhatsApp.
// Spec: "Conversations, messages, contacts".
func (s *Server) createConversation(c call) error {
	c.current()
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	changes, messages := readChanges(b), readMessages(b)
	if err := b.done(); err != nil {
		return err
	}
	if err := c.link(&changes); err != nil {
		return err
	}
	id := events.NewKey()
	first, rest := batch(messages, openBytes)
	if err := c.write(conversation.Direct(id), conversation.Open{Session: id, Changes: changes, Messages: first}); err != nil {
		return err
	}
	for len(rest) > 0 {
		first, rest = batch(rest, batchBytes)
		if len(first) == 0 {
			first, rest = rest[:1], rest[1:]
		}
		if err := c.write(conversation.Direct(id), conversation.Write{Session: id, Messages: first}); err != nil {
			c.undo(id)
			return err
		}
	}
	return c.JSON(createdConversation{ID: id, Messages: createdMessages(messages)})
}

// undo erases a conversation that could not be made whole, if that is possible.
func (c call) undo(id string) {
	ctx := context.WithoutCancel(c.UserContext())
	if _, err := c.server.actors.Ask(ctx, conversation.Direct(id), c.command(conversation.Erase{Session: id})); err != nil {
		c.server.logger.Warn("half a conversation is left", "conversation", id, "err", err)
	}
}

// createdConversation is the answer to a create.
type createdConversation struct {
	ID       string           `json:"id"`
	Messages []createdMessage `json:"messages"`
}

type createdMessage struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Text string `json:"text"`
}

func createdMessages(messages []conversation.Written) []createdMessage {
	created := make([]createdMessage, len(messages))
	for i, m := range messages {
		created[i] = createdMessage{ID: m.ID, Type: m.Type, Text: m.Text}
	}
	return created
}

// openBytes bounds the messages that are stored together with the conversation
// they begin, and with all that may be said about it; besideText is what a
// message takes besides what was written.
const (
	openBytes  = 192 << 10
	besideText = 512
)

// batch cuts off as many messages as fit into so many bytes. One message alone
// always fits into an append.
func batch(messages []conversation.Written, limit int) (first, rest []conversation.Written) {
	size := 0
	for i, m := range messages {
		size += len(m.Text) + len(m.Name) + len(m.Description) + len(m.Meta) + besideText
		if size > limit {
			return messages[:i], messages[i:]
		}
	}
	return messages, nil
}

// readChanges takes the fields that describe a conversation.
func readChanges(b *body) conversation.Changes {
	changes := conversation.Changes{
		Name: b.text("name"), Description: b.text("description"), BotID: b.text("botId"), ContactID: b.text("contactId"),
		Model: b.text("model"), Backstory: b.text("backstory"), Privacy: b.flag("privacy"), Moderation: b.flag("moderation"),
		Meta: b.object("meta"),
	}
	for _, other := range []string{"datasetId", "skillsetId", "taskId", "spaceId"} {
		if id := b.text(other); id.Value != "" && b.err == nil {
			b.err = invalid(strings.TrimSuffix(other, "Id") + " not found")
		}
	}
	return changes
}

// readMessages takes the messages that a conversation begins with.
func readMessages(b *body) (messages []conversation.Written) {
	b.objects("messages", func(element *body) { messages = append(messages, readMessage(element)) })
	return messages
}

// readMessage takes a message that somebody writes, and gives it a new ID.
func readMessage(b *body) conversation.Written {
	typ, text := b.text("type"), b.text("text")
	m := conversation.Written{
		ID: events.NewKey(), Type: typ.Value, Text: text.Value,
		Name: b.text("name").Value, Description: b.text("description").Value, Meta: b.object("meta"),
	}
	ignoreEntities(b)
	switch {
	case !typ.Set:
		b.wrong("type", "given")
	case !text.Set && m.Type != "activity":
		b.wrong("text", "given")
	}
	if err := m.Check(); err != nil && b.err == nil {
		b.err = err
	}
	return m
}

// link turns the links of a conversation into IDs. What does not exist and what
// is somebody else's are refused alike.
func (c call) link(changes *conversation.Changes) (err error) {
	if changes.BotID, err = c.linkedBot(changes.BotID); err != nil {
		return err
	}
	changes.ContactID, err = c.server.contacts().linked(c, changes.ContactID)
	return err
}

// ignoreEntities takes the entities of a message. Nothing is hidden from
// anybody, so there is nothing to know of them.
func ignoreEntities(b *body) {
	b.objects("entities", func(element *body) { clear(element.fields) })
}
