package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"parley/actors"
	"parley/domain"
	"parley/events"
)

// Config is what a node is made of.
type Config struct {
	// Registry knows the other nodes.
	Registry Registry
	// Host and Kinds are the actors this node can run.
	Host   *actors.Host
	Kinds  []actors.Kind
	Logger *slog.Logger
	// Budget bounds one Ask, whatever deadline its caller has; 0 is 5 s.
	Budget time.Duration
	// Beat is the time between heartbeats, and between pings; 0 is 500 ms.
	Beat time.Duration

	// Listener is where other nodes reach this one, under Address,
	// "host:port"; nil for a node without others. The node closes it.
	Listener net.Listener
	Address  string
	// TLS is how nodes prove themselves to each other; nil is not at all.
	TLS *tls.Config
	// Detour sends requests to this node's own actors the way that they would
	// take to another node's: tests find with it what would not survive it.
	Detour bool
	// Fit tells at every beat, if it is not nil, whether this node can do what
	// its actors need. It has four beats for that. A node that cannot leaves
	// its actors to those that can, as long as there are any.
	Fit func(context.Context) error
	// Taps are this node's; nil if nothing can be heard.
	Taps Taps
	// Changed is called, if it is not nil, whenever actors may have moved
	// here; it must not block.
	Changed func()
}

// Node is one member of the cluster. It is an actors.Asker.
type Node struct {
	config Config
	self   Member
	system *actor.ActorSystem
	kinds  map[string]actors.Kind
	view   *view
	wire   *wire
	server *grpc.Server

	active sync.Map // domain.Address → *activation
	// listening counts the turns that are heard from other nodes.
	listening atomic.Int64
	stopped   atomic.Bool
	stop      sync.Once
	quit      context.CancelFunc
	parts     sync.WaitGroup
	lost      chan error
}

// activation is the one actor of an address on this node.
type activation struct {
	once sync.Once
	pid  *actor.PID
}

// Start joins the cluster and makes this node's actors reachable.
func Start(ctx context.Context, c Config) (*Node, error) {
	if c.Budget == 0 {
		c.Budget = 5 * time.Second
	}
	if c.Beat == 0 {
		c.Beat = 500 * time.Millisecond
	}
	n := &Node{
		config: c, self: Member{ID: events.NewKey(), Address: c.Address}, kinds: map[string]actors.Kind{}, lost: make(chan error, 1),
	}
	n.view = &view{self: n.self, health: sure, logger: c.Logger, dial: n.dial, changed: n.changed, links: map[string]*link{}}
	n.view.ring.Store(&ring{}) // others may ask before this node knows anybody
	var err error
	if n.wire, err = newWire(c.Kinds); err != nil {
		return nil, err
	}
	for _, k := range c.Kinds {
		n.kinds[k.Name] = k
	}
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return quiet(c.Logger)
	}))
	// Process IDs begin anew with every process. Without a random start, the
	// answer to an old process's question could reach a new one's.
	n.system.ProcessRegistry.SequenceID = rand.Uint64N(1 << 60)
	actors.ReturnDeadLetters(n.system)
	c.Host.Bind(n, n.system)
	if c.Listener != nil { // before anybody learns of this node
		n.serve(c.Listener)
	}
	if err := n.beat(ctx); err != nil {
		if n.server != nil {
			n.server.Stop()
		}
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	beating, quit := context.WithCancel(context.Background())
	n.quit = quit
	if c.Listener == nil { // nobody else can be there
		return n, nil
	}
	n.parts.Go(func() { n.every(beating, n.keepBeating) })
	n.parts.Go(func() { n.every(beating, func(ctx context.Context) { n.view.ping(ctx, c.Beat) }) })
	if c.Fit != nil {
		n.parts.Go(func() { n.every(beating, n.feel) })
	}
	return n, nil
}

func (n *Node) beat(ctx context.Context) error {
	members, err := n.config.Registry.Heartbeat(ctx, n.self)
	if err != nil {
		return err
	}
	n.view.learn(members)
	return nil
}

// every does something at every beat.
func (n *Node) every(ctx context.Context, do func(context.Context)) {
	ticker := time.NewTicker(n.config.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do(ctx)
		}
	}
}

// keepBeating renews the membership. While the registry cannot be reached the
// last known members stay: nobody moves because of it.
func (n *Node) keepBeating(ctx context.Context) {
	switch err := n.beat(ctx); {
	case err == nil, ctx.Err() != nil:
	case errors.Is(err, ErrLost):
		select {
		case n.lost <- err:
		default:
		}
	default:
		n.config.Logger.Warn("heartbeat failed", "err", err)
	}
}

// feel finds out whether this node is fit.
func (n *Node) feel(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, 4*n.config.Beat)
	defer cancel()
	if err := n.config.Fit(within); ctx.Err() == nil {
		n.view.feels(err == nil)
	}
}

// Lost tells when the others took this node for gone. Its process must end.
func (n *Node) Lost() <-chan error { return n.lost }

// changed lets go of the actors that belong elsewhere now.
func (n *Node) changed() {
	n.config.Host.Release(func(a domain.Address) bool { return !n.Owns(a) })
	if n.config.Changed != nil {
		n.config.Changed()
	}
}

// Stop gives the work under way the grace to end, leaves the cluster and ends
// every actor. A second call does nothing.
func (n *Node) Stop(ctx context.Context, grace time.Duration) (err error) {
	n.stop.Do(func() {
		n.config.Host.Drain(grace)
		n.quit()
		err = n.config.Registry.Leave(ctx, n.self)
		n.stopped.Store(true)
		n.bow(ctx)
		n.parts.Wait()
		n.view.close()
		n.config.Host.Stop(ctx)
		n.system.Shutdown()
	})
	if err != nil {
		return fmt.Errorf("leave the cluster: %w", err)
	}
	return nil
}

// bow sends those elsewhere who have not heard yet that this node left.
func (n *Node) bow(ctx context.Context) {
	if n.server == nil {
		return
	}
	if len(n.view.ring.Load().members) > 1 {
		select {
		case <-time.After(2 * n.config.Beat):
		case <-ctx.Done():
		}
	}
	n.server.Stop()
}

// Owns reports that an actor belongs to this node.
func (n *Node) Owns(to domain.Address) bool {
	m, ok := owner(n.view.ring.Load().members, to)
	return ok && m == n.self
}

// Sidelined reports that this node is not fit, and that others are, who do its
// work. It still passes requests on to them.
func (n *Node) Sidelined() bool {
	members := n.view.ring.Load().members
	return len(members) > 0 && !slices.Contains(members, n.self)
}

// Size is how many nodes do the work by this one's view, itself among them unless
// it is sidelined.
func (n *Node) Size() int { return len(n.view.ring.Load().members) }

// Ask puts a command to an actor.
func (n *Node) Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error) {
	if c.ID == "" {
		return domain.Result{}, errors.New("command without an ID")
	}
	reply := n.request(ctx, actors.Request{To: to, Command: c})
	return reply.Result, reply.Err
}

// Query asks an actor a question.
func (n *Node) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	reply := n.request(ctx, actors.Request{To: to, Question: question})
	return reply.Answer, reply.Err
}

// request asks the owner of an actor until somebody answers or the time is up.
func (n *Node) request(ctx context.Context, r actors.Request) actors.Reply {
	if d, ok := ctx.Deadline(); !ok || time.Until(d) > n.config.Budget {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, n.config.Budget)
		defer cancel()
	}
	insist := false
	var older []Member // who have said that they leave it to a newer version
	for {
		now := n.view.ring.Load()
		m, ok := owner(without(now.members, older), r.To)
		if !ok {
			return actors.Reply{Err: fmt.Errorf("%w: %w: no node knows what to do with %s", actors.ErrUnavailable, actors.ErrNewer, r.To)}
		}
		answer, retry, next := n.put(ctx, now, m, r, insist)
		if errors.Is(answer.Err, actors.ErrNewer) {
			older, insist = append(older, m), true
			continue
		}
		if !retry {
			return answer
		}
		insist = next || len(older) > 0
		select {
		case <-ctx.Done():
			return answer
		case <-time.After(retryEvery/2 + rand.N(retryEvery)):
		}
	}
}

// put puts a request to one member, once. retry says that another attempt may
// get an answer; insist that it should insist on the node.
func (n *Node) put(ctx context.Context, now *ring, m Member, r actors.Request, insist bool) (answer actors.Reply, retry, next bool) {
	if m == n.self && !n.config.Detour {
		return n.here(ctx, r), false, false
	}
	q, err := n.question(r, insist)
	switch {
	case err != nil:
		return actors.Reply{Err: err}, false, false
	case m == n.self:
		return n.detour(ctx, q), false, false
	}
	return n.there(ctx, now.links[m.ID], q)
}

// detour asks this node's own actor as if it were another node's.
func (n *Node) detour(ctx context.Context, q *question) actors.Reply {
	var there question
	var r, back reply
	err := detour(q, &there)
	if err == nil {
		r = *n.answerNode(ctx, &there)
		err = detour(&r, &back)
	}
	if err != nil {
		return actors.Reply{Err: err}
	}
	answer, _, _ := n.read(&back, n.self.Address, there.To)
	return answer
}

// retryEvery is the time between attempts to ask other nodes, roughly.
const retryEvery = 30 * time.Millisecond

// here asks an actor on this node. One that is passivated at that moment gives
// the request back, and a new one gets it.
func (n *Node) here(ctx context.Context, r actors.Request) actors.Reply {
	if kind := n.kinds[r.To.Kind]; r.Question != nil && kind.Aside != nil {
		if answer, ok := kind.Aside(r.To, r.Question); ok {
			return actors.Reply{Answer: answer}
		}
	}
	for {
		reply := n.attempt(ctx, r)
		if !errors.Is(reply.Err, actors.ErrGone) {
			return reply
		}
	}
}

func (n *Node) attempt(ctx context.Context, r actors.Request) actors.Reply {
	answered := make(chan actors.Reply, 1)
	r.Answer = func(reply actors.Reply) { answered <- reply }
	r.Until, _ = ctx.Deadline()
	if err := n.send(&r); err != nil {
		return actors.Reply{Err: err}
	}
	select {
	case reply := <-answered:
		return reply
	case <-ctx.Done():
		return actors.Reply{Err: fmt.Errorf("%w: ask %s: %w", actors.ErrUnavailable, r.To, ctx.Err())}
	}
}

func (n *Node) send(r *actors.Request) error {
	kind, ok := n.kinds[r.To.Kind]
	switch {
	case !ok:
		return fmt.Errorf("%w: %w: no kind of actors is called %q", actors.ErrUnavailable, actors.ErrNewer, r.To.Kind)
	case n.stopped.Load():
		return fmt.Errorf("%w: %w", actors.ErrUnavailable, errLeaving)
	}
	n.system.Root.Send(n.activate(kind, r.To), r)
	return nil
}

// errLeaving says that nothing was done, and that others have the actors.
var errLeaving = errors.New("the node is stopping")

// activate gives the actor of an address, and starts it if there is none.
func (n *Node) activate(kind actors.Kind, to domain.Address) *actor.PID {
	known, ok := n.active.Load(to)
	if !ok {
		known, _ = n.active.LoadOrStore(to, &activation{})
	}
	a := known.(*activation)
	a.once.Do(func() {
		a.pid = kind.Spawn(to, func() { n.active.CompareAndDelete(to, a) })
	})
	return a.pid
}

// credentials are how nodes prove themselves to each other.
func (c Config) credentials() credentials.TransportCredentials {
	if c.TLS == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(c.TLS)
}
