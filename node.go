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
	"parley/domain/conversation"
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
		{"vault", n.openVault},
		{"media store", func(ctx context.Context) error { return n.openFiles(ctx, p) }},
		{"read model", func(ctx context.Context) error { return n.openModel(ctx, background) }},
		{"credentials", n.checkKey},
		{"actors", func(ctx context.Context) error { return n.startActors(ctx, background, p) }},
		{"accounts", n.seedAccount},
		{"waker", func(context.Context) error { n.startWaker(background); n.count(); return nil }},
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

func (n *Node) openVault(ctx context.Context) error {
	key, err := n.masterKey(ctx)
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
		Answerer: n.answerer, Taps: n.cluster, Patience: n.config.TurnTime + patienceMore, Inspector: n.graph, PublicURL: n.config.PublicURL, Logger: n.logger, Metrics: n.metrics, Ready: n.ready, Sidelined: n.cluster.Sidelined, Pages: p.Pages,
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
