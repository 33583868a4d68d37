package parley

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

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
	"parley/engine"
	"parley/events"
	"parley/events/esdbserver"
	"parley/events/vault"
	"parley/http"
	"parley/http/admin"
	"parley/http/ticket"
	"parley/media"
	"parley/media/guard"
	"parley/projections"
	"parley/whatsapp"
)

// Parts replace parts of a node: tests and try-outs bring their own world.
// What is nil is made from the settings.
type Parts struct {
	// Store is the log. The node closes it.
	Store events.Store
	// Engine answers for every bot.
	Engine engine.Engine
	// Transcriber writes voice messages down; it counts only with an Engine.
	Transcriber engine.Transcriber
	// Files keeps what people send.
	Files media.Store
	// Graph carries the calls to Meta.
	Graph nethttp.RoundTripper
	// Web carries what is fetched for clients from addresses that they name.
	Web nethttp.RoundTripper
	// Pages are further pages by path prefix.
	Pages map[string]nethttp.Handler
	// Rules are the numbers of conversations; the zero value means the
	// default ones with the settings' time to settle.
	Rules *conversation.Rules
	// Limits bound the actors; nil means the default ones.
	Limits *actors.Limits
	// Detour sends every request to an actor the way it would take to another
	// node.
	Detour bool
}

// Node is a whole Parley: one process of it. Every part is named here.
type Node struct {
	config   Config
	logger   *slog.Logger
	metrics  *prometheus.Registry
	store    events.Store
	vault    *vault.Vault
	tickets  *ticket.Signer
	files    media.Store
	model    *projections.Model
	engine   engine.Engine
	answerer *perform.Answerer
	taps     *perform.Taps
	graph    *whatsapp.Client
	host     *actors.Host
	cluster  *cluster.Node
	http     *http.Server
	plain    *nethttp.Server // beside TLS
	admin    *admin.Server
	logDoor  *esdbserver.Server
	dataLock io.Closer // where the log is elsewhere
	registry io.Closer // of the nodes, where there are others
	waker    *waker
	slack    time.Duration // how far reads may be behind the log
	lost     atomic.Bool   // the others took this node for gone
	listener net.Listener

	failed chan error // the first part that cannot go on
	quit   context.CancelFunc
	parts  sync.WaitGroup
}

// Start brings a node up: log, read models, actors, then the door. When it
// returns, requests are served on the listener (or, without one, through
// Handler) and owed work goes on. Errors say which part could not start.
func Start(ctx context.Context, c Config, p Parts, logger *slog.Logger, listener net.Listener) (*Node, error) {
	n, background := newNode(c, logger, listener)
	err := n.bring(ctx, []step{
		{"log", func(ctx context.Context) error { return n.openStore(ctx, background, p) }},
		{"vault", func(context.Context) error { return n.openVault() }},
		{"media store", func(context.Context) error { return n.openFiles(p) }},
		{"read model", func(ctx context.Context) error { return n.openModel(ctx, background) }},
		{"actors", func(ctx context.Context) error { return n.startActors(ctx, background, p) }},
		{"accounts", n.seedAccount},
		{"waker", func(context.Context) error { n.startWaker(background); return nil }},
		{"log's door", func(context.Context) error { return n.serveLog(background) }},
		{"sweeper", func(context.Context) error { n.startSweeper(background); return nil }},
		{"door", func(context.Context) error { return n.serve(background, p) }},
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// newNode makes a node of nothing yet, and the context of what it does in the
// background.
func newNode(c Config, logger *slog.Logger, listener net.Listener) (*Node, context.Context) {
	n := &Node{config: c, logger: logger, listener: listener, failed: make(chan error, 8), metrics: prometheus.NewRegistry()}
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	background, quit := context.WithCancel(context.Background())
	n.quit = quit
	return n, background
}

// step starts one part of a node.
type step struct {
	what  string
	start func(ctx context.Context) error
}

// bring brings the parts up, in order. If one cannot start, the others are
// stopped.
func (n *Node) bring(ctx context.Context, steps []step) error {
	for _, step := range steps {
		if err := step.start(ctx); err != nil {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			return errors.Join(fmt.Errorf("start the %s: %w", step.what, err), n.Stop(stop))
		}
	}
	return nil
}

func (n *Node) openVault() error {
	key, err := n.config.masterKey(vault.KeySize)
	if err != nil {
		return err
	}
	if n.vault, err = vault.New(n.store, key); err != nil {
		return err
	}
	if key, err = ticketKey(key); err != nil {
		return err
	}
	n.tickets, err = ticket.New(key)
	return err
}

func (n *Node) openFiles(p Parts) (err error) {
	if n.files = p.Files; n.files == nil {
		n.files, err = media.Open(n.config.Media)
	}
	return err
}

// way carries calls to Meta, and never reaches into the private network: files
// are fetched from addresses that others name.
func (n *Node) way(p Parts) (nethttp.RoundTripper, error) {
	if p.Graph != nil {
		return p.Graph, nil
	}
	return guard.Transport(n.config.GraphURL)
}

func (n *Node) openModel(ctx, background context.Context) (err error) {
	if err := n.lockModel(); err != nil {
		return err
	}
	n.model, err = projections.Open(ctx, projections.Config{
		Path: filepath.Join(n.config.Data, "read", "model.db"), Store: n.store, Slack: n.slack, Logger: n.logger, Registerer: n.metrics,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	n.parts.Go(func() {
		if err := n.model.Run(background); err != nil {
			n.fail(err)
			stop(err)
		}
	})
	if err := n.model.CatchUp(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}

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
	c.Changed = func() { pacer.Moved(); n.waker.hurry() }
	if n.cluster, err = cluster.Start(ctx, c); err != nil {
		return err
	}
	pacer.Join(n.cluster)
	n.parts.Go(func() { n.watchPlace(background) })
	return nil
}

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
		actors.NewKind(n.host, contact.New(), nil),
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
			Taps: n.taps, Metrics: metrics,
		}),
	}, nil
}

// startWaker sends after the work that is still owed from before the start.
func (n *Node) startWaker(background context.Context) {
	n.parts.Go(func() { n.waker.run(background, n.cluster) })
}

// patienceMore is how much longer than one try of a turn a call waits: a model
// that takes too long is to be told as such.
const patienceMore = 5 * time.Second

func (n *Node) serve(background context.Context, p Parts) error {
	listener, err := n.secure(background)
	if err != nil {
		return err
	}
	web, err := n.web(p)
	if err != nil {
		return err
	}
	n.http = http.New(http.Config{
		Actors: door{n.cluster}, Model: n.model, Vault: n.vault, Tokens: hashed(n.config.Tokens), Rate: n.config.Rate,
		Models:   &models{engine: n.engine, fallback: n.config.Model, logger: n.logger},
		Answerer: n.answerer, Taps: n.taps, Patience: n.config.TurnTime + patienceMore, Inspector: n.graph, PublicURL: n.config.PublicURL, Logger: n.logger, Metrics: n.metrics, Ready: n.ready, Pages: p.Pages,
		Files: n.files, UploadLimit: cmp.Or(n.config.UploadLimit, media.DefaultBytes), Tickets: n.tickets, Web: web, Origin: n.config.Origin,
	})
	if listener == nil {
		return nil
	}
	n.parts.Go(func() {
		if err := n.http.Serve(listener); err != nil {
			n.fail(err)
		}
	})
	n.serveAdmin()
	return nil
}

// serveAdmin opens the door for who sits at the machine. Without it everything
// else goes on: a path may be too long for a socket.
func (n *Node) serveAdmin() {
	socket, err := admin.Listen(n.config.Data)
	if err != nil {
		n.logger.Warn("parley token works only while the server is stopped", "err", err)
		return
	}
	n.admin = admin.NewServer(tokens{n.cluster, n.model})
	n.parts.Go(func() {
		if err := n.admin.Serve(socket); err != nil {
			n.fail(err)
		}
	})
}

// ready tells whether the log can be reached and the read model is up to date.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return n.model.CatchUp(ctx)
}

// Handler is the door without a network.
func (n *Node) Handler() nethttp.Handler { return n.http.Handler() }

func (n *Node) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

// Failed tells when a part cannot go on. The node must then be stopped, and
// the process ended with an error, so that it is started anew. ErrLost says
// that others work in its place.
func (n *Node) Failed() <-chan error { return n.failed }

// The time that stopping may take: as a whole, and for the work under way. A
// node with others gives their balancer time to notice, and takes less for the
// rest: what is not finished is theirs.
const (
	stopTime       = 9 * time.Second
	graceTime      = 4 * time.Second
	departTime     = 1500 * time.Millisecond
	graceInCluster = 2500 * time.Millisecond
)

// grace is none when the others have this node's work already.
func (n *Node) grace() time.Duration {
	switch {
	case n.lost.Load():
		return 0
	case n.config.Cluster.on():
		return graceInCluster
	}
	return graceTime
}

// Stop closes the door, gives the work under way a moment to end, and closes
// every part, in the opposite order of Start. What is not finished is owed,
// and goes on with the next start.
func (n *Node) Stop(ctx context.Context) error {
	var errs []error
	if n.admin != nil {
		errs = append(errs, n.admin.Shutdown(ctx))
	}
	if n.plain != nil {
		errs = append(errs, n.plain.Close())
	}
	if n.http != nil && n.listener != nil && n.config.Cluster.on() && !n.lost.Load() {
		n.http.Depart(ctx, departTime)
	}
	if n.http != nil && n.listener != nil {
		errs = append(errs, n.http.Shutdown(ctx))
	}
	n.quit()
	if n.cluster != nil {
		errs = append(errs, n.cluster.Stop(ctx, n.grace()))
	}
	errs = append(errs, closeIf(n.registry))
	if n.logDoor != nil {
		n.logDoor.Stop(ctx)
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	n.parts.Wait()
	if n.http != nil && n.listener == nil { // streams end also where there is no network
		errs = append(errs, n.http.Shutdown(ctx))
	}
	if n.files != nil {
		errs = append(errs, n.files.Close())
	}
	if n.model != nil {
		errs = append(errs, n.model.Close())
	}
	if n.dataLock != nil {
		errs = append(errs, n.dataLock.Close())
	}
	return errors.Join(errs...)
}
