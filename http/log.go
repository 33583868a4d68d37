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
		{method: get, path: "/event/log/export", handle: s.listEvents, forms: exportForms},
		{method: post, path: "/event/log/subscribe", handle: s.subscribeEvents, forms: liveForms},
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

func showEvent(e projections.LogEntry) item {
	return item{e.Seq, shownEvent{
		ID: e.ID, Type: e.Type, ConversationID: e.ConversationID, IntegrationID: e.IntegrationID,
		BotID: orNull(e.BotID), ContactID: orNull(e.ContactID), Meta: e.Meta, CreatedAt: e.At.Milliseconds(), UpdatedAt: e.At.Milliseconds(),
	}}
}

// links reads the filters by what a row is about: every parameter that ends in
// "Id". known are those that rows have; with any other none is asked for.
func (c call) links(known ...string) (wanted map[string][]string, none bool) {
	wanted = map[string][]string{}
	for _, name := range known {
		wanted[name] = values(c.Ctx, name)
	}
	c.Context().QueryArgs().VisitAll(func(k, v []byte) {
		name := string(k)
		if _, ok := wanted[name]; !ok && strings.HasSuffix(name, "Id") && !strings.HasPrefix(name, "meta.") && len(v) > 0 {
			none = true
		}
	})
	return wanted, none
}

func (s *Server) listEvents(c call) error {
	about, none := c.links("whatsappIntegrationId", "conversationId", "botId", "contactId")
	filter := projections.LogFilter{
		Types: values(c.Ctx, "type"), Integrations: about["whatsappIntegrationId"],
		Conversations: about["conversationId"], Bots: about["botId"], Contacts: about["contactId"],
	}
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			if none {
				return nil, nil
			}
			all, err := s.model.Log(ctx, c.account, filter, p)
			return items(all, err, showEvent)
		},
		seqOf: func(_ context.Context, id string) (int64, error) {
			return strconv.ParseInt(strings.TrimPrefix(id, "e"), 36, 64)
		},
	})
}
