package http

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/domain"
	"parley/domain/bot"
	"parley/domain/completion"
	"parley/domain/conversation"
	"parley/events"
)

// Answerer lets an engine answer what is stored nowhere. token is told the
// words while they are written. Errors: a refusal, *conversation.Unanswered, or
// the context's.
type Answerer interface {
	Answer(ctx context.Context, q conversation.Question, token func(string)) (conversation.Answer, error)
}

func (s *Server) answerOperations() []operation {
	return []operation{
		{method: post, path: "/conversation/complete", handle: s.complete, forms: answerForms},
		{method: post, path: "/conversation/:id/send", handle: s.sendMessage, forms: answerForms},
		{method: post, path: "/conversation/:id/receive", handle: s.receiveMessage, forms: answerForms},
		{method: post, path: "/conversation/:id/complete", handle: s.completeMessage, forms: answerForms},
	}
}

// complete answers messages that are stored nowhere; what the answer cost is.
func (s *Server) complete(c call) error {
	q, botID, err := c.question()
	if err != nil {
		return err
	}
	id, record := events.NewKey(), c.command(nil)
	return c.answer(func(ctx context.Context, token func(string)) (said, error) {
		a, err := s.answerer.Answer(ctx, q, token)
		if err == nil || a.Tokens > 0 {
			record.Body = completion.Record{BotID: botID, Model: a.Model, Tokens: a.Tokens, Thought: a.Thought, Failed: err != nil}
			s.record(ctx, completion.Address(id), record)
		}
		return saidBy(a), err
	}, func(s said) any {
		return struct {
			Text  string `json:"text"`
			Usage usage  `json:"usage"`
			End   ending `json:"end"`
		}{s.text(), s.usage(), s.ending()}
	})
}

// recordTime bounds the recording of what an answer cost.
const recordTime = 5 * time.Second

// record puts a command whose failure is nothing to the client.
func (s *Server) record(ctx context.Context, to domain.Address, command domain.Command) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	command.At = events.At(time.Now())
	if _, err := s.actors.Ask(ctx, to, command); err != nil {
		s.logger.Warn("what an answer cost is not recorded", "request", command.Correlation, "err", err)
	}
}

// question reads what is to be answered, and by which bot.
func (c call) question() (q conversation.Question, botID string, err error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return q, "", err
	}
	id, model, backstory := b.text("botId"), b.text("model"), b.text("backstory")
	b.flag("privacy")
	b.flag("moderation")
	messages := readMessages(b)
	extra := b.extensions()
	b.absent("datasetId", "skillsetId", "contactId", "attachments")
	b.limits("limits")
	if err := b.done(); err != nil {
		return q, "", err
	}
	if len(messages) == 0 {
		return q, "", invalid(`"messages" must hold a message at least`)
	}
	if err := errors.Join(domain.CheckText("model", model.Value, bot.MaxModel), domain.CheckText("backstory", backstory.Value, bot.MaxBackstory)); err != nil {
		return q, "", err
	}
	q.History, q.Model, q.Backstory, q.Timezone = conversation.Told(messages), model.Value, backstory.Value, timezone(c.Ctx)
	if id.Value != "" {
		found, err := c.server.bots().of(c, id.Value, invalid("Bot not found"))
		if err != nil {
			return q, "", err
		}
		botID = found.ID
		q.Model = cmp.Or(q.Model, found.Settings.Model)
		q.Backstory = cmp.Or(q.Backstory, found.Settings.Backstory)
	}
	q.Backstory = strings.TrimSpace(q.Backstory + "\n\n" + extra)
	return q, botID, nil
}

// maxZone bounds the name of a time zone.
const maxZone = 64

// timezone is the caller's, as they name it. Engines know which there are.
// Spec: "Transport", timezone.
func timezone(c *fiber.Ctx) string {
	zone := c.Get("X-Timezone")
	if len(zone) > maxZone {
		return ""
	}
	return zone
}

// extensions takes what a call adds to a bot, and the functions that it offers
// it: more words for its backstory. There is nothing else to add.
func (b *body) extensions() (backstory string) {
	b.absent("functions")
	raw := b.object("extensions")
	if raw == nil {
		return ""
	}
	inner := &body{}
	if err := json.Unmarshal(raw, &inner.fields); err != nil {
		b.wrong("extensions", "an object")
		return ""
	}
	backstory = inner.text("backstory").Value
	inner.absent("datasets", "skillsets", "features")
	if err := inner.done(); err != nil && b.err == nil {
		b.err = err
	}
	return backstory
}

// absent takes fields that stand for something we do not have. They may say
// nothing.
func (b *body) absent(names ...string) {
	for _, name := range names {
		raw, ok := b.take(name)
		switch strings.Join(strings.Fields(string(raw)), "") {
		case "null", `""`, "[]", "{}":
		default:
			if ok && b.err == nil {
				b.err = invalid(fmt.Sprintf("%q is not supported by this server", name))
			}
		}
	}
}

// limits takes the bounds of what a bot does in a turn. A bot that is offered
// no functions stays within all of them.
func (b *body) limits(name string) {
	raw := b.object(name)
	if raw == nil {
		return
	}
	var bounds struct{ Iterations, Continuations, Calls *int }
	if err := json.Unmarshal(raw, &bounds); err != nil {
		b.wrong(name, "an object of whole numbers")
		return
	}
	for _, n := range []*int{bounds.Iterations, bounds.Continuations, bounds.Calls} {
		if n != nil && *n < 1 {
			b.wrong(name, "of 1 or more each")
		}
	}
}
