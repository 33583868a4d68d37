package http

import (
	"encoding/json"
	"strconv"
	"strings"

	"parley/projections"
)

// shownEvent is a line of the event log as the API shows it. Links of a kind
// that Parley has not stay null.
type shownEvent struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Description    string          `json:"description"`
	Type           string          `json:"type"`
	ConversationID string          `json:"conversationId,omitempty"`
	IntegrationID  string          `json:"whatsappIntegrationId,omitempty"`
	BotID          *string         `json:"botId"`
	BlueprintID    *string         `json:"blueprintId"`
	ContactID      *string         `json:"contactId"`
	TaskID         *string         `json:"taskId"`
	DatasetID      *string         `json:"datasetId"`
	SkillsetID     *string         `json:"skillsetId"`
	Meta           json.RawMessage `json:"meta"`
	CreatedAt      int64           `json:"createdAt"`
	UpdatedAt      int64           `json:"updatedAt"`
}

func showEvent(e projections.LogEntry) shownEvent {
	return shownEvent{
		ID: e.ID, Type: e.Type, ConversationID: e.ConversationID, IntegrationID: e.IntegrationID,
		BotID: orNull(e.BotID), ContactID: orNull(e.ContactID), Meta: e.Meta, CreatedAt: e.At.Milliseconds(), UpdatedAt: e.At.Milliseconds(),
	}
}

func (s *Server) listEvents(c call) error {
	c.current()
	p, err := page(c.Ctx, true, func(id string) (int64, error) {
		return strconv.ParseInt(strings.TrimPrefix(id, "e"), 36, 64)
	})
	if err != nil {
		return err
	}
	filter := projections.LogFilter{
		Types: values(c.Ctx, "type"), Integrations: values(c.Ctx, "whatsappIntegrationId"),
		Conversations: values(c.Ctx, "conversationId"), Bots: values(c.Ctx, "botId"),
	}
	entries, err := s.model.Log(c.UserContext(), c.account, filter, p)
	if err != nil {
		return err
	}
	items := make([]item, len(entries))
	for i, e := range entries {
		items[i] = item{seq: e.Seq, shown: showEvent(e)}
	}
	return writeList(c.Ctx, items)
}
