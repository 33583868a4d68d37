package http

import (
	"context"
	"encoding/json"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/projections"
)

func (s *Server) messageOperations() []operation {
	return []operation{
		{method: post, path: "/conversation/:id/message/create", handle: s.createMessage},
		{method: get, path: "/conversation/:id/message/list", handle: s.listMessages, forms: listForms},
		{method: get, path: "/conversation/:id/message/:message/fetch", handle: s.fetchMessage},
		{method: post, path: "/conversation/:id/message/:message/update", handle: s.updateMessage},
		{method: post, path: "/conversation/:id/message/:message/delete", handle: s.deleteMessage},
	}
}

// shownMessage is a message as the API shows it.
type shownMessage struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Type        string          `json:"type"`
	Text        string          `json:"text"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

// listMessages lists oldest first, unlike the other lists. Spec: "Lists".
func (s *Server) listMessages(c call) error {
	id := c.id()
	return c.list(rows{
		oldestFirst: true,
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Messages(ctx, c.account, id, p)
			return items(all, notFound(err, conversation.NotFound()), messageItem)
		},
		seqOf: func(ctx context.Context, message string) (int64, error) {
			return s.model.MessageSeq(ctx, c.account, id, message)
		},
	})
}

func messageItem(m projections.Message) item { return item{m.Seq, showMessage(m)} }

func showMessage(m projections.Message) shownMessage {
	return shownMessage{
		ID: m.ID, Name: m.Name, Description: m.Description, Type: m.Type, Text: m.Text, Meta: m.Meta(),
		CreatedAt: m.Created.Milliseconds(), UpdatedAt: m.Updated.Milliseconds(),
	}
}

// addressOf is where a conversation lives.
func addressOf(x projections.Conversation) domain.Address {
	return domain.Address{Kind: events.ConversationCategory, ID: x.Stream.ID()}
}

// createMessage puts a message into a conversation. It is sent to nobody.
func (s *Server) createMessage(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	m := readMessage(b)
	if err := b.done(); err != nil {
		return err
	}
	if err := c.write(addressOf(x), conversation.Write{Session: x.ID, Messages: []conversation.Written{m}}); err != nil {
		return err
	}
	return c.JSON(created(m))
}

// createdOne is the answer to what puts a message into a conversation. Nothing
// is hidden, so there are never entities.
type createdOne struct {
	ID       string `json:"id"`
	Entities []any  `json:"entities"`
}

func created(m conversation.Written) createdOne { return createdOne{ID: m.ID, Entities: []any{}} }

// message gives the conversation and the message that the path names.
func (c call) message() (x projections.Conversation, m projections.Message, err error) {
	if x, err = c.conversation(); err != nil {
		return x, m, err
	}
	// It is looked for in the log itself, which is never behind.
	m, err = c.server.model.Message(c.UserContext(), c.account, x.ID, c.Params("message"))
	return x, m, notFound(err, conversation.MessageNotFound())
}

func (s *Server) fetchMessage(c call) error {
	_, m, err := c.message()
	if err != nil {
		return err
	}
	return c.JSON(showMessage(m))
}

func (s *Server) updateMessage(c call) error {
	x, m, err := c.message()
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	changes := conversation.MessageChanges{
		Type: b.text("type"), Text: b.text("text"), Name: b.text("name"), Description: b.text("description"), Meta: b.object("meta"),
	}
	ignoreEntities(b)
	if err := b.done(); err != nil {
		return err
	}
	_, err = changes.To(conversation.Written{
		ID: m.ID, Type: m.Type, Text: m.Text, Name: m.Name, Description: m.Description, Meta: m.Meta(),
	})
	if err != nil {
		return err
	}
	body := conversation.Rewrite{Session: x.ID, Message: m.ID, Changes: changes}
	if err := c.write(addressOf(x), body); err != nil {
		return err
	}
	return c.answerID(m.ID)
}

func (s *Server) deleteMessage(c call) error {
	x, m, err := c.message()
	if err != nil {
		return err
	}
	if err := c.empty(); err != nil {
		return err
	}
	if err := c.write(addressOf(x), conversation.Strike{Session: x.ID, Message: m.ID}); err != nil {
		return err
	}
	return c.answerID(m.ID)
}
