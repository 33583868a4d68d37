package http

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"parley/projections"
)

func (s *Server) eventOperations() []operation {
	return []operation{
		{method: get, path: "/event/log/list", handle: s.listEvents, forms: listForms},
	}
}

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
	filter := projections.LogFilter{
		Types: values(c.Ctx, "type"), Integrations: values(c.Ctx, "whatsappIntegrationId"),
		Conversations: values(c.Ctx, "conversationId"), Bots: values(c.Ctx, "botId"),
	}
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Log(ctx, c.account, filter, p)
			return items(all, err, func(e projections.LogEntry) item { return item{e.Seq, showEvent(e)} })
		},
		seqOf: func(_ context.Context, id string) (int64, error) {
			return strconv.ParseInt(strings.TrimPrefix(id, "e"), 36, 64)
		},
	})
}
