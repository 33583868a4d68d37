package actors

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"parley/domain"
	"parley/events"
)

// Limits bound what the actors of one node take.
type Limits struct {
	// Tasks is how many tasks (turns, sends) may be under way at a time.
	Tasks int
	// Mailbox is how many requests may wait for one actor.
	Mailbox int
	// Idle is how long an actor nobody needs stays in memory.
	Idle time.Duration
	// Store is how long a grain waits for one read or append.
	Store time.Duration
}

// DefaultLimits are the limits of a node that is not told otherwise.
func DefaultLimits() Limits {
	return Limits{Tasks: 256, Mailbox: 1000, Idle: 2 * time.Minute, Store: 4 * time.Second}
}

// Host is what the grains of one node share. Create it with NewHost, give it
// to NewKind, and Bind it before anybody is asked.
type Host struct {
	store   events.Store
	limits  Limits
	logger  *slog.Logger
	metrics *metrics
	runner  *runner
	workers *workers
	asker   Asker
	system  *actor.ActorSystem

	live  sync.Map // *presence → nothing
	stop  context.CancelFunc
	sweep sync.WaitGroup
}

// presence is what the sweeper sees of a grain.
type presence struct {
	address domain.Address
	pid     *actor.PID
	// idleSince is in nanoseconds since 1970; 0 while the grain is needed.
	idleSince atomic.Int64
}

// NewHost makes the host of one node. A nil registerer registers no metrics.
func NewHost(store events.Store, limits Limits, logger *slog.Logger, registerer prometheus.Registerer) *Host {
	h := &Host{store: store, limits: limits, logger: logger, runner: newRunner(limits.Tasks), workers: newWorkers()}
	h.metrics = newMetrics(registerer, h.runner)
	return h
}

// Bind tells the host how to reach actors and where its own live, and begins
// to passivate idle ones.
func (h *Host) Bind(asker Asker, system *actor.ActorSystem) {
	h.asker, h.system = asker, system
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	h.sweep.Go(func() { h.sweepIdle(ctx) })
}

// Drain starts no more tasks and gives those under way the grace to end and to
// report, before their context ends. What they did not report is owed again
// after the next start. Actors still answer.
func (h *Host) Drain(grace time.Duration) { h.runner.drain(grace) }

// Stop ends every actor, after Drain. Nobody may be asked any more.
func (h *Host) Stop(ctx context.Context) {
	h.stop()
	h.sweep.Wait()
	for h.passivateAll() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
	h.workers.stop()
}

// passivateAll asks every grain to leave and counts them.
func (h *Host) passivateAll() (alive int) {
	h.live.Range(func(key, _ any) bool {
		alive++
		h.system.Root.Send(key.(*presence).pid, passivate{force: true})
		return true
	})
	return alive
}

// Release asks the grains to leave whose address is not wanted here any more.
// Work they have under way goes on, and reports to whoever owns them then.
func (h *Host) Release(unwanted func(domain.Address) bool) {
	h.live.Range(func(key, _ any) bool {
		if p := key.(*presence); unwanted(p.address) {
			h.system.Root.Send(p.pid, passivate{force: true})
		}
		return true
	})
}

func (h *Host) sweepIdle(ctx context.Context) {
	every := max(h.limits.Idle/4, time.Millisecond)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.passivateIdle(time.Now().Add(-h.limits.Idle).UnixNano())
		}
	}
}

func (h *Host) passivateIdle(before int64) {
	h.live.Range(func(key, _ any) bool {
		p := key.(*presence)
		if since := p.idleSince.Load(); since != 0 && since < before {
			h.system.Root.Send(p.pid, passivate{})
		}
		return true
	})
}

// Kind is one kind of actors, ready to be spawned.
type Kind struct {
	// Name is the kind's name and the category of its streams.
	Name string
	// Messages are samples of its commands, questions and answers.
	Messages []any
	// Aside answers questions that are for the node that owns an address and
	// not for its actor, at once; ok is false for all others. nil answers none.
	Aside func(to domain.Address, question any) (answer any, ok bool)
	// Spawn starts the actor of an address. It calls released once, before
	// the actor stops: whoever asks from then on needs a new one.
	Spawn func(address domain.Address, released func()) *actor.PID
}

// NewKind makes a kind from its rules and the performer of its tasks, which is
// nil for a kind that never owes any.
func NewKind[S any](h *Host, decider domain.Decider[S], performer Performer) Kind {
	k := &kind[S]{host: h, decider: decider, performer: performer}
	h.metrics.panics.WithLabelValues(decider.Kind) // counted from 0: Prometheus takes no notice of a first 1
	return Kind{Name: decider.Kind, Messages: decider.Messages, Spawn: k.spawn}
}

type kind[S any] struct {
	host      *Host
	decider   domain.Decider[S]
	performer Performer
}

func (k *kind[S]) spawn(address domain.Address, released func()) *actor.PID {
	box := newMailbox(k.host.limits.Mailbox)
	g := &grain[S]{kind: k, address: address, mailbox: box, released: released, revision: events.NoStream}
	props := actor.PropsFromProducer(
		func() actor.Actor { return g },
		actor.WithMailbox(func() actor.Mailbox { return box }),
		actor.WithDispatcher(k.host.workers),
	)
	return k.host.system.Root.Spawn(props)
}
