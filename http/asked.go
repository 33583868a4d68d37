package http

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/projections"
)

// Taps let one listen to turns that are under way. They only make words come
// early: what a turn came to is in the log.
type Taps interface {
	// Listen lets one hear what is said in a turn of an actor. The channel is
	// closed when the turn is over or cannot be heard any more, and nil if it
	// cannot be heard at all. stop ends the listening.
	Listen(ctx context.Context, to domain.Address, turn string) (pieces <-chan string, stop func())
}

// sendMessage stores what the user says, and lets nobody answer.
// Spec: "Conversations, messages, contacts", send.
func (s *Server) sendMessage(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	text := b.spoken(true)
	b.extensions()
	if err := b.done(); err != nil {
		return err
	}
	m := conversation.Written{ID: events.NewKey(), Type: "user", Text: text}
	if err := c.write(addressOf(x), conversation.Write{Session: x.ID, Messages: []conversation.Written{m}}); err != nil {
		return err
	}
	return c.answer(func(context.Context, func(string)) (said, error) { return said{}, nil }, func(said) any { return created(m) })
}

// receiveMessage lets the bot answer what stands in the conversation.
func (s *Server) receiveMessage(c call) error {
	return c.converse(func(b *body) string { return "" }, func(turn string, s said) any {
		return struct {
			ID    string `json:"id"`
			Text  string `json:"text"`
			Usage usage  `json:"usage"`
		}{s.id(turn), s.text(), s.usage()}
	})
}

// completeMessage lets the bot answer what the user says, if they say
// something, and what stands in the conversation.
func (s *Server) completeMessage(c call) error {
	read := func(b *body) string {
		b.limits("limits")
		return b.spoken(false)
	}
	return c.converse(read, func(turn string, s said) any {
		return struct {
			ID    string `json:"id"`
			Text  string `json:"text"`
			Usage usage  `json:"usage"`
			End   ending `json:"end"`
		}{s.id(turn), s.text(), s.usage(), s.ending()}
	})
}

// spoken takes what the user says.
func (b *body) spoken(required bool) string {
	text := b.text("text")
	b.take("entities") // nothing is hidden from anybody
	if (required || text.Set) && strings.TrimSpace(text.Value) == "" {
		b.wrong("text", "a text that is not empty")
	}
	if err := domain.CheckText("text", text.Value, conversation.MaxAsked); err != nil && b.err == nil {
		b.err = err
	}
	return text.Value
}

// converse asks for a turn of a conversation and shows what it came to.
func (c call) converse(read func(*body) (text string), show func(turn string, s said) any) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	ask := conversation.Ask{Session: x.ID, Turn: events.NewKey(), Text: read(b), Backstory: b.extensions(), Timezone: timezone(c.Ctx), As: sessionOf(x)}
	if err := b.done(); err != nil {
		return err
	}
	if ask.Text != "" {
		ask.Message = events.NewKey()
	}
	command := c.command(ask)
	command.Correlation = ask.Turn
	return c.answer(c.server.asking(addressOf(x), command, ask.Turn), func(s said) any { return show(ask.Turn, s) })
}

// sessionOf is a conversation as its actor would know it.
func sessionOf(x projections.Conversation) events.Session {
	return events.Session{
		ID: x.ID, StartedAt: x.Created, LastAt: x.Created, BotID: x.BotID, Contact: x.ContactID, Model: x.Model, Backstory: x.Backstory,
	}
}

// asking puts a command that asks for a turn, and waits for the turn's end.
// Whoever gives up waiting does not end the turn.
func (s *Server) asking(to domain.Address, command domain.Command, turn string) asking {
	return func(ctx context.Context, token func(string)) (said, error) {
		pieces, stop := s.taps.Listen(ctx, to, turn)
		defer stop()
		if _, err := s.actors.Ask(ctx, to, command); err != nil {
			return said{}, err
		}
		ctx, cancel := context.WithTimeoutCause(ctx, s.patience, errLate)
		defer cancel()
		return s.await(ctx, to, turn, pieces, token)
	}
}

// lookEvery is how often a turn is looked after that one waits for, whether it
// is heard or not.
const lookEvery = time.Second

// await passes on what is heard of a turn, and gives what it came to.
func (s *Server) await(ctx context.Context, to domain.Address, turn string, pieces <-chan string, token func(string)) (said, error) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case piece, more := <-pieces:
			if more {
				token(piece)
				continue
			}
			pieces = nil // it is over
		case <-look.C:
		case <-ctx.Done():
			return said{}, context.Cause(ctx)
		}
		coming, err := s.actors.Query(ctx, to, conversation.TurnState{Turn: turn})
		if err != nil || coming.(bool) {
			continue // it is asked again, as long as there is time
		}
		outcome, at, err := s.model.Outcome(ctx, to.Stream(), turn)
		if err == nil || !errors.Is(err, projections.ErrNotFound) {
			catchUp(pieces, token)
			s.shows(ctx, at)
			return cameTo(outcome, at, err)
		}
	}
}

// catchUp passes on what was heard and not passed on yet.
func catchUp(pieces <-chan string, token func(string)) {
	for {
		select {
		case piece, more := <-pieces:
			if !more {
				return
			}
			token(piece)
		default:
			return
		}
	}
}

// cameTo is what a turn came to.
func cameTo(outcome events.Event, at events.Position, err error) (said, error) {
	switch f := outcome.(type) {
	case events.TurnAnswered:
		return said{messages: f.Messages, tokens: f.Tokens, end: f.End, position: at}, nil
	case events.TurnClosed:
		return said{}, &conversation.Unanswered{Reason: f.Reason, Detail: f.Detail}
	}
	return said{}, err
}
