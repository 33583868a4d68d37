package http

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"parley/events"
	"parley/projections"
)

func (s *Server) usageOperations() []operation {
	return []operation{
		{method: get, path: "/usage/fetch", handle: s.fetchUsage},
		{method: get, path: "/usage/list", handle: s.listUsage, forms: listForms},
		{method: get, path: "/usage/series/fetch", handle: s.fetchUsageSeries},
	}
}

// seriesDays is how far a series goes back. Spec: "Limits".
const seriesDays = 90

// shownUsage is all that an account ever used: there are no billing periods.
// Spec: "Events and usage".
type shownUsage struct {
	Tokens        int64    `json:"tokens"`
	Conversations int64    `json:"conversations"`
	Messages      int64    `json:"messages"`
	Database      database `json:"database"`
}

// database counts what an account has. What Parley has not stays 0.
type database struct {
	Datasets  int64 `json:"datasets"`
	Records   int64 `json:"records"`
	Skillsets int64 `json:"skillsets"`
	Abilities int64 `json:"abilities"`
	Files     int64 `json:"files"`
	Users     int64 `json:"users"`
}

func (s *Server) fetchUsage(c call) error {
	c.current()
	days, err := s.model.Usage(c.UserContext(), c.account, 0)
	if err != nil {
		return err
	}
	var shown shownUsage
	for _, day := range days {
		shown.Tokens += day.Tokens
		shown.Conversations += day.Conversations
		shown.Messages += day.Messages
	}
	if shown.Database.Files, err = s.model.CountFiles(c.UserContext(), c.account); err != nil {
		return err
	}
	return c.JSON(shown)
}

// point is what was used on a day, which is named by its first millisecond.
type point struct {
	Date  int64 `json:"date"`
	Total int64 `json:"total"`
}

// fetchUsageSeries answers with the last days, today's last, also those without
// use.
func (s *Server) fetchUsageSeries(c call) error {
	c.current()
	today := projections.DayOf(events.At(time.Now()))
	first := today - seriesDays + 1
	days, err := s.model.Usage(c.UserContext(), c.account, first)
	if err != nil {
		return err
	}
	var tokens, conversations, messages []point
	for day := first; day <= today; day++ {
		date, u := day.Begin().Milliseconds(), days[day]
		tokens = append(tokens, point{date, u.Tokens})
		conversations = append(conversations, point{date, u.Conversations})
		messages = append(messages, point{date, u.Messages})
	}
	return c.JSON(map[string][]point{"tokens": tokens, "conversations": conversations, "messages": messages})
}

// shownUsageRecord is one thing that was used as the API shows it.
type shownUsageRecord struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Description    string          `json:"description"`
	Type           string          `json:"type"`
	Count          int64           `json:"count"`
	ConversationID string          `json:"conversationId,omitempty"`
	MessageID      string          `json:"messageId,omitempty"`
	ContactID      string          `json:"contactId,omitempty"`
	BotID          string          `json:"botId,omitempty"`
	Meta           json.RawMessage `json:"meta"`
	CreatedAt      int64           `json:"createdAt"`
	UpdatedAt      int64           `json:"updatedAt"`
}

func showUsageRecord(r projections.UsageRecord) item {
	return item{r.Seq, shownUsageRecord{
		ID: r.ID, Type: r.Kind, Count: r.Count, ConversationID: r.ConversationID, MessageID: r.MessageID,
		ContactID: r.ContactID, BotID: r.BotID, Meta: object(nil), CreatedAt: r.At.Milliseconds(), UpdatedAt: r.At.Milliseconds(),
	}}
}

func (s *Server) listUsage(c call) error {
	about, none := c.links("conversationId", "messageId", "contactId", "botId")
	filter := projections.UsageFilter{
		Kinds: values(c.Ctx, "type"), Conversations: about["conversationId"], Messages: about["messageId"],
		Contacts: about["contactId"], Bots: about["botId"],
	}
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			if none {
				return nil, nil
			}
			all, err := s.model.UsageRecords(ctx, c.account, filter, p)
			return items(all, err, showUsageRecord)
		},
		seqOf: func(_ context.Context, id string) (int64, error) {
			return strconv.ParseInt(strings.TrimPrefix(id, "u"), 36, 64)
		},
	})
}
