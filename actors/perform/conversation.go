package perform

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/engine"
	"parley/events"
	"parley/whatsapp"
)

// Conversation performs what conversations owe: answers and their delivery.
type Conversation struct {
	Store  events.Store
	Engine engine.Engine
	Graph  *whatsapp.Client
	Vault  Vault
	Logger *slog.Logger
	// Model is the model of bots that name none; "" if there is none.
	Model string
	// BotsOf counts the bots of an account that a blueprint has, as far as the
	// log goes now, and gives one of them.
	BotsOf func(ctx context.Context, account, blueprint string) (bots int, first string, err error)
	// TurnTime bounds one try to answer.
	TurnTime time.Duration
	// SendTime bounds one call to Meta, from when its attempt is put to the
	// stream. It is far below the rules' time to settle: a call that is still
	// under way then would be made twice.
	SendTime time.Duration
	// Apology is what people are told when the engine fails for good; "" is
	// nothing.
	Apology string
	// Files keeps what people send; Transcriber writes down what they speak,
	// and may be nil.
	Files       Files
	Transcriber engine.Transcriber
	// Contents removes what was sent in sessions that are erased.
	Contents Contents
	// Pacer keeps phone numbers within what Meta takes.
	Pacer *Pacer
	// Tails are what turns need not read of their streams.
	Tails *Tails
	// Taps let people hear the turns that they asked for.
	Taps    *Taps
	Metrics *Metrics
}

// Vault opens and erases credentials.
type Vault interface {
	Open(ctx context.Context, integration, ref string) (events.Secret, error)
	Erase(ctx context.Context, integration string) error
}

// Perform implements actors.Performer.
func (p *Conversation) Perform(ctx context.Context, w actors.Work) error {
	switch task := w.Task.Body.(type) {
	case conversation.RunTurn:
		if task.Turn.Ask != nil {
			return p.asked(ctx, w, task)
		}
		return p.turn(ctx, w, task)
	case conversation.Begin:
		return w.Report(ctx, "", task)
	case conversation.Deliver:
		return p.deliver(ctx, w, task)
	case conversation.GiveUp:
		return w.Report(ctx, events.TurnOf(task.Part), task)
	case conversation.Fetch:
		return p.fetch(ctx, w, task.File)
	case conversation.Collect:
		return p.collect(ctx, w, task)
	case conversation.Bare:
		return p.bare(ctx, w, task)
	case conversation.Clear:
		return p.clear(ctx, w, task)
	}
	return fmt.Errorf("no performer for %T", w.Task.Body)
}

// Follow implements actors.Follower.
func (p *Conversation) Follow(stream events.Stream, first events.Revision, facts []events.Event, size int) {
	p.Tails.Follow(stream, first, facts, size)
}

// log is the logger for work of a conversation. It names the integration, but
// not the sender, who may be a phone number.
func (p *Conversation) log(w actors.Work) *slog.Logger {
	id, _ := events.SplitConversationID(w.Address.ID)
	return p.Logger.With("integration", id)
}

// line is the way to the person a conversation is with.
type line struct {
	credentials whatsapp.Credentials
	address     whatsapp.Address
}

// line finds the integration and its credentials as they are now: a change of
// them, and a deletion, counts at once. Errors: a refusal says what is missing;
// with domain.NotFound the integration is gone.
func (p *Conversation) line(ctx context.Context, w actors.Work) (line, error) {
	id, sender := events.SplitConversationID(w.Address.ID)
	answer, err := w.Asker.Query(ctx, domain.Address{Kind: events.IntegrationCategory, ID: id}, integration.Look{})
	if err != nil {
		return line{}, err
	}
	settings := answer.(integration.View).Settings
	if err := integration.Ready(settings); err != nil {
		return line{}, err
	}
	token, err := p.Vault.Open(ctx, id, settings.AccessToken)
	if err != nil {
		return line{}, fmt.Errorf("open the access token: %w", err)
	}
	address, err := whatsapp.ParseAddress(sender)
	if err != nil {
		return line{}, domain.Refused(domain.Invalid, "", fmt.Sprintf("nobody can be reached at this sender: %v", err))
	}
	return line{
		credentials: whatsapp.Credentials{PhoneNumberID: settings.PhoneNumberID, Token: whatsapp.NewToken(token.Reveal())},
		address:     address,
	}, nil
}
