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
		{method: get, path: "/conversation/export", handle: s.exportConversations, forms: exportForms},
		{method: get, path: "/conversation/:id/fetch", handle: s.fetchConversation},
		{method: post, path: "/conversation/:id/update", handle: s.updateConversation},
		{method: post, path: "/conversation/:id/delete", handle: s.deleteConversation},
		{method: post, path: "/conversation/:id/contact/upsert", handle: s.upsertContact},
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
	return c.list(c.conversations(func(_ context.Context, x projections.Conversation) (any, error) {
		return showConversation(x), nil
	}))
}

// conversations are the account's conversations that the caller asks for. There
// are no tasks, so none belongs to one.
func (c call) conversations(show func(ctx context.Context, x projections.Conversation) (any, error)) rows {
	model, account := c.server.model, c.account
	filter := projections.ConversationFilter{Bots: values(c.Ctx, "botId"), Contacts: values(c.Ctx, "contactId")}
	none := len(values(c.Ctx, "taskId")) > 0
	return rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			if none {
				return nil, nil
			}
			all, err := model.Conversations(ctx, account, filter, p)
			shown := make([]item, len(all))
			for i, x := range all {
				if err == nil {
					shown[i].seq = x.Seq
					shown[i].shown, err = show(ctx, x)
				}
			}
			return shown, err
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			x, err := model.Conversation(ctx, account, id)
			return x.Seq, err
		},
	}
}

func (s *Server) fetchConversation(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	return c.JSON(showConversation(x))
}

// conversation gives the conversation that the path names.
func (c call) conversation() (projections.Conversation, error) { return c.conversationBy(c.id()) }

func (c call) conversationBy(id string) (projections.Conversation, error) {
	x, err := sought(c, func() (projections.Conversation, error) {
		return c.server.model.Conversation(c.UserContext(), c.account, id)
	})
	return x, notFound(err, conversation.NotFound())
}

// updateConversation changes what is known about a conversation, of WhatsApp or
// not. Who answers and whom it is with hold from the next turn on.
func (s *Server) updateConversation(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	changes := readChanges(b)
	if err := b.done(); err != nil {
		return err
	}
	if err := changes.CheckFor(conversation.About{
		Name: x.Name, Description: x.Description, Model: x.Model, Backstory: x.Backstory, Meta: x.Meta,
	}); err != nil {
		return err
	}
	if err := c.link(&changes); err != nil {
		return err
	}
	if err := c.write(addressOf(x), conversation.Describe{Session: x.ID, Changes: changes}); err != nil {
		return err
	}
	return c.answerID(x.ID)
}

// deleteConversation erases a conversation with everything in it.
func (s *Server) deleteConversation(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	if err := c.empty(); err != nil {
		return err
	}
	if err := c.write(addressOf(x), conversation.Erase{Session: x.ID}); err != nil {
		return err
	}
	return c.answerID(x.ID)
}
