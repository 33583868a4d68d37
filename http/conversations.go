package http

import (
	"encoding/json"

	"parley/domain"
	"parley/projections"
)

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
	c.current()
	p, err := page(c.Ctx, true, func(id string) (int64, error) {
		x, err := s.model.Conversation(c.UserContext(), c.account, id)
		return x.Seq, err
	})
	if err != nil {
		return err
	}
	conversations, err := s.model.Conversations(c.UserContext(), c.account, values(c.Ctx, "botId"), p)
	if err != nil {
		return err
	}
	items := make([]item, len(conversations))
	for i, x := range conversations {
		items[i] = item{seq: x.Seq, shown: showConversation(x)}
	}
	return writeList(c.Ctx, items)
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
	c.current()
	p, err := page(c.Ctx, false, func(id string) (int64, error) {
		return s.model.MessageSeq(c.UserContext(), c.account, c.id(), id)
	})
	if err != nil {
		return err
	}
	messages, err := s.model.Messages(c.UserContext(), c.account, c.id(), p)
	if err != nil {
		return notFound(err, errConversationNotFound())
	}
	items := make([]item, len(messages))
	for i, m := range messages {
		items[i] = item{seq: m.Seq, shown: shownMessage{
			ID: m.ID, Type: m.Type, Text: m.Text, Meta: m.Meta(),
			CreatedAt: m.Created.Milliseconds(), UpdatedAt: m.Created.Milliseconds(),
		}}
	}
	return writeList(c.Ctx, items)
}
