package http

import (
	"context"
	"encoding/json"

	"parley/domain"
	"parley/projections"
)

func (s *Server) conversationOperations() []operation {
	return []operation{
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
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showConversation(c projections.Conversation) shownConversation {
	return shownConversation{
		ID: c.ID, ContactID: orNull(c.ContactID), BotID: orNull(c.BotID), Meta: c.Meta,
		CreatedAt: c.Created.Milliseconds(), UpdatedAt: c.Updated.Milliseconds(),
	}
}

// shownMessage is a message as the API shows it.
type shownMessage struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Meta      json.RawMessage `json:"meta"`
	CreatedAt int64           `json:"createdAt"`
	UpdatedAt int64           `json:"updatedAt"`
}

func errConversationNotFound() error {
	return domain.Refused(domain.NotFound, "", "Conversation not found")
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
	c.current()
	x, err := s.model.Conversation(c.UserContext(), c.account, c.id())
	if err != nil {
		return notFound(err, errConversationNotFound())
	}
	return c.JSON(showConversation(x))
}

// listMessages lists oldest first, unlike the other lists. Spec: "Lists".
func (s *Server) listMessages(c call) error {
	id := c.id()
	return c.list(rows{
		oldestFirst: true,
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Messages(ctx, c.account, id, p)
			return items(all, notFound(err, errConversationNotFound()), showMessage)
		},
		seqOf: func(ctx context.Context, message string) (int64, error) {
			return s.model.MessageSeq(ctx, c.account, id, message)
		},
	})
}

func showMessage(m projections.Message) item {
	return item{m.Seq, shownMessage{
		ID: m.ID, Type: m.Type, Text: m.Text, Meta: m.Meta(),
		CreatedAt: m.Created.Milliseconds(), UpdatedAt: m.Created.Milliseconds(),
	}}
}
