package parley

import (
	"context"
	"time"

	"parley/actors"
	"parley/actors/perform"
	"parley/cluster"
	"parley/domain/account"
	"parley/domain/alias"
	"parley/domain/blueprint"
	"parley/domain/bot"
	"parley/domain/callback"
	"parley/domain/completion"
	"parley/domain/contact"
	"parley/domain/conversation"
	"parley/domain/file"
	"parley/domain/integration"
	"parley/events"
	"parley/whatsapp"
)

// startActors joins the other nodes, if there are any.
func (n *Node) startActors(ctx, background context.Context, p Parts) error {
	limits := actors.DefaultLimits()
	limits.Tasks = n.config.Tasks
	if p.Limits != nil {
		limits = *p.Limits
	}
	n.host = actors.NewHost(n.store, limits, n.logger, n.metrics)
	pacer := perform.NewPacer(n.config.NumberRate)
	kinds, err := n.kinds(p, pacer)
	if err != nil {
		return err
	}
	c, err := n.joining(background)
	if err != nil {
		return err
	}
	n.waker = newWaker(n.model, n.logger)
	c.Detour, c.Host, c.Logger, c.Kinds = p.Detour, n.host, n.logger, kinds
	c.Taps = n.taps
	if n.config.Cluster.on() {
		c.Fit = n.reaches
	}
	c.Changed = func() { pacer.Moved(); n.waker.hurry() }
	if n.cluster, err = cluster.Start(ctx, c); err != nil {
		return err
	}
	pacer.Join(n.cluster)
	n.parts.Go(func() { n.watchPlace(background) })
	return nil
}

// tailBytes is about what may be kept of histories for turns that go on.
const tailBytes = 64 << 20

// kinds gives the actors that this node can run, with what they do in the
// world.
func (n *Node) kinds(p Parts, pacer *perform.Pacer) (kinds []actors.Kind, err error) {
	rules := conversation.DefaultRules()
	rules.Settle, rules.Gather, rules.Pause = n.config.Settle, n.config.Gather, n.config.Pause
	if p.Rules != nil {
		rules = *p.Rules
	}
	transcriber := p.Transcriber
	if n.engine = p.Engine; n.engine == nil {
		if n.engine, transcriber, err = newEngine(n.config); err != nil {
			return nil, err
		}
		if w := unanswerable(n.config); w != "" {
			n.logger.Warn(w, "model", n.config.Model)
		}
	}
	way, err := n.way(p)
	if err != nil {
		return nil, err
	}
	n.graph = whatsapp.NewClient(n.config.GraphURL, n.config.GraphVersion, way)
	metrics := perform.NewMetrics(n.metrics)
	n.taps = perform.NewTaps()
	n.answerer = perform.NewAnswerer(n.engine, n.config.Model, n.config.TurnTime, n.config.Tasks, metrics, n.logger)
	return []actors.Kind{
		actors.NewKind(n.host, account.New(), nil),
		actors.NewKind(n.host, alias.New(), nil),
		actors.NewKind(n.host, blueprint.New(), &perform.Blueprint{Doomed: n.doomed}),
		actors.NewKind(n.host, bot.New(), nil),
		actors.NewKind(n.host, callback.New(), nil),
		actors.NewKind(n.host, completion.New(), nil),
		actors.NewKind(n.host, contact.New(), &perform.Contact{Store: n.store}),
		actors.NewKind(n.host, file.New(), &perform.File{Contents: n.contents()}),
		pacer.Beside(actors.NewKind(n.host, integration.New(), &perform.Integration{
			Store: n.store, Vault: n.vault, Pacer: pacer,
			Owing: func(ctx context.Context, id string) ([]events.Stream, error) {
				return n.model.OwingOf(ctx, id, wakeAtOnce)
			},
		})),
		actors.NewKind(n.host, conversation.New(rules), &perform.Conversation{
			Store: n.store, Engine: n.engine, Graph: n.graph, Vault: n.vault, Logger: n.logger,
			Files: n.files, Contents: n.contents(), Transcriber: transcriber, Pacer: pacer, Apology: n.config.Apology,
			BotsOf: n.botsOf, Model: n.config.Model, TurnTime: n.config.TurnTime, SendTime: min(15*time.Second, rules.Settle/2),
			Tails: perform.NewTails(tailBytes), Taps: n.taps, Metrics: metrics,
		}),
	}, nil
}
