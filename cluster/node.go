package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

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
	// Beat is the time between heartbeats; 0 is 500 ms.
	Beat time.Duration
}

// Node is one member of the cluster. It is an actors.Asker.
type Node struct {
	config Config
	self   Member
	system *actor.ActorSystem
	kinds  map[string]actors.Kind

	members atomic.Pointer[[]Member]
	active  sync.Map // domain.Address → *activation
	stopped atomic.Bool
	stop    sync.Once
	quit    context.CancelFunc
	beating sync.WaitGroup
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
	n := &Node{config: c, self: Member{ID: events.NewKey()}, kinds: map[string]actors.Kind{}}
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
	if err := n.beat(ctx); err != nil {
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	beating, quit := context.WithCancel(context.Background())
	n.quit = quit
	n.beating.Go(func() { n.keepBeating(beating) })
	return n, nil
}

func (n *Node) beat(ctx context.Context) error {
	members, err := n.config.Registry.Heartbeat(ctx, n.self)
	if err != nil {
		return err
	}
	n.members.Store(&members)
	return nil
}

// keepBeating renews the membership. While the registry cannot be reached the
// last known members stay: nobody moves because of it.
func (n *Node) keepBeating(ctx context.Context) {
	ticker := time.NewTicker(n.config.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := n.beat(ctx); err != nil && ctx.Err() == nil {
				n.config.Logger.Warn("heartbeat failed", "err", err)
			}
		}
	}
}

// Stop gives the work under way the grace to end, leaves the cluster and ends
// every actor. A second call does nothing.
func (n *Node) Stop(ctx context.Context, grace time.Duration) (err error) {
	n.stop.Do(func() {
		n.config.Host.Drain(grace)
		n.stopped.Store(true)
		n.quit()
		n.beating.Wait()
		err = n.config.Registry.Leave(ctx, n.self)
		n.config.Host.Stop(ctx)
		n.system.Shutdown()
	})
	if err != nil {
		return fmt.Errorf("leave the cluster: %w", err)
	}
	return nil
}

// Owns reports that an actor belongs to this node.
func (n *Node) Owns(to domain.Address) bool {
	m, ok := owner(*n.members.Load(), to)
	return ok && m == n.self
}

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

// request sends a request until somebody answers it or the time is up. An
// actor that is passivated at that moment gives it back, and a new one gets it.
func (n *Node) request(ctx context.Context, r actors.Request) actors.Reply {
	if d, ok := ctx.Deadline(); !ok || time.Until(d) > n.config.Budget {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, n.config.Budget)
		defer cancel()
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
		return fmt.Errorf("no kind of actors is called %q", r.To.Kind)
	case n.stopped.Load():
		return fmt.Errorf("%w: the node is stopping", actors.ErrUnavailable)
	case !n.Owns(r.To):
		return fmt.Errorf("%w: %s is owned by another node", actors.ErrUnavailable, r.To)
	}
	n.system.Root.Send(n.activate(kind, r.To), r)
	return nil
}

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
