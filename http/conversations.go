package http

import (
	"context"
	"encoding/json"

	"parley/domain/conversation"
	"parley/projections"
)

func (s *Server) conversationOperations() []operation {
	return []operation{
		{method: post, path: "/conversation/create", handle: s.createConversation},
		{method: get, path: "/conversation/list", handle: s.listConversations, forms: listForms},
		{method: get, path: "/conversation/:id/fetch", handle: s.fetchConversation},
		{method: get, path: "/conversation/:id/message/list", handle: s.listMessages, forms: listForms},
	}
}

// shownConversation is a conversation as the API shows it.
type shownConversation struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	ContactID   *string         `json:"contactId"`
	TaskID      *string         `json:"taskId"`
	SpaceID     *string         `json:"spaceId"`
	BotID       *string         `json:"botId"`
	Model       string          `json:"model,omitempty"`
	Backstory   string          `json:"backstory,omitempty"`
	Privacy     bool            `json:"privacy"`
	Moderation  bool            `json:"moderation"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showConversation(c projections.Conversation) shownConversation {
	return shownConversation{
		ID: c.ID, Name: c.Name, Description: c.Description, ContactID: orNull(c.ContactID), BotID: orNull(c.BotID),
		Model: c.Model, Backstory: c.Backstory, Privacy: c.Privacy, Moderation: c.Moderation, Meta: c.Meta,
		CreatedAt: c.Created.Milliseconds(), UpdatedAt: c.Updated.Milliseconds(),
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

func (s *Server) listConversations(c call) error {
	bots := values(c.Ctx, "botId")
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Conversations(ctx, c.account, bots, p)
			return items(all, err, func(x projections.Conversation) item { return item{x.Seq, showConversation(x)} })
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			x, err := s.model.Conversation(ctx, c.account, id)
			return x.Seq, err
		},
	})
}

func (s *Server) fetchConversation(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	return c.JSON(showConversation(x))
}

// conversation gives the conversation that the path names.
func (c call) conversation() (projections.Conversation, error) {
	c.current()
	x, err := c.server.model.Conversation(c.UserContext(), c.account, c.id())
	if err != nil {
		return x, notFound(err, conversation.NotFound())
	}
	return x, nil
}

// listMessages lists oldest first, unlike the other lists. Spec: "Lists".
func (s *Server) listMessages(c call) error {
	id := c.id()
	return c.list(rows{
		oldestFirst: true,
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Messages(ctx, c.account, id, p)
			return items(all, notFound(err, conversation.NotFound()), showMessage)
		},
		seqOf: func(ctx context.Context, message string) (int64, error) {
			return s.model.MessageSeq(ctx, c.account, id, message)
		},
	})
}

func showMessage(m projections.Message) item {
	return item{m.Seq, shownMessage{
		ID: m.ID, Name: m.Name, Description: m.Description, Type: m.Type, Text: m.Text, Meta: m.Meta(),
		CreatedAt: m.Created.Milliseconds(), UpdatedAt: m.Updated.Milliseconds(),
	}}
}
