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
