package perform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"parley/actors"
	"parley/domain"
	"parley/domain/blueprint"
	"parley/domain/bot"
	"parley/events"
)

// mind is who answers: a bot, as the session knows it.
type mind struct {
	id        string
	revision  events.Revision
	model     string
	backstory string
}

// errNoBot may be wrapped with why there is none.
var errNoBot = errors.New("there is no bot")

// whyNoBot tells a person that nobody answers, and why if that is known.
func whyNoBot(err error) string {
	return "There is no bot to answer with" + strings.TrimPrefix(err.Error(), errNoBot.Error()) + "."
}

// mind gives who answers in a session: its bot, with what the session says
// itself before what the bot does. A session that the API made needs neither.
func (p *Conversation) mind(ctx context.Context, w actors.Work, s events.Session) (mind, error) {
	m, err := p.bot(ctx, w, s)
	if errors.Is(err, errNoBot) && (s.Direct || s.Model != "" || s.Backstory != "") {
		m, err = mind{}, nil
	}
	m.model, m.backstory = cmp.Or(s.Model, m.model, p.Model), cmp.Or(s.Backstory, m.backstory)
	if err == nil && m.model == "" {
		return m, noModel()
	}
	return m, err
}

// bot gives the session's bot. A session that has none, or one that is gone,
// is answered by its blueprint's only bot. The first answer pins the bot: from
// then on the session keeps it, with the settings that it had. One that is
// deleted answers nobody any more.
func (p *Conversation) bot(ctx context.Context, w actors.Work, s events.Session) (mind, error) {
	m, err := p.look(ctx, w, s.BotID)
	if errors.Is(err, errNoBot) && !s.Pinned && s.BlueprintID != "" {
		m, err = p.speaker(ctx, w, s.BlueprintID)
	}
	if err != nil || !s.Pinned || s.BotRevision == m.revision {
		return m, err
	}
	settings, err := p.botAt(ctx, s.BotID, s.BotRevision)
	return mind{id: s.BotID, revision: s.BotRevision, model: settings.Model, backstory: settings.Backstory}, err
}

// look gives a bot as it stands.
func (p *Conversation) look(ctx context.Context, w actors.Work, id string) (mind, error) {
	if id == "" {
		return mind{}, errNoBot
	}
	answer, err := w.Asker.Query(ctx, domain.Address{Kind: events.BotCategory, ID: id}, bot.Look{})
	if domain.IsRefusal(err, domain.NotFound) {
		return mind{}, errNoBot
	}
	if err != nil {
		return mind{}, err
	}
	view := answer.(bot.View)
	if view.Deleted {
		return mind{}, errNoBot
	}
	return mind{id: id, revision: view.Revision, model: view.Settings.Model, backstory: view.Settings.Backstory}, nil
}

// speaker gives the bot that answers for those who have a blueprint alone.
func (p *Conversation) speaker(ctx context.Context, w actors.Work, id string) (mind, error) {
	answer, err := w.Asker.Query(ctx, domain.Address{Kind: events.BlueprintCategory, ID: id}, blueprint.Look{})
	if domain.IsRefusal(err, domain.NotFound) {
		return mind{}, errNoBot
	}
	if err != nil {
		return mind{}, err
	}
	bots, first, err := p.BotsOf(ctx, answer.(blueprint.View).Account, id)
	if err != nil {
		return mind{}, err
	}
	only, err := blueprint.Speaker(bots, first)
	if err != nil {
		return mind{}, fmt.Errorf("%w: %s", errNoBot, err.Error())
	}
	return p.look(ctx, w, only)
}
