package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"parley/domain"
	"parley/events"
)

// maxConflicts bounds how often one command is decided again after its append
// lost to another activation.
const maxConflicts = 5

// grain is the shell around a decider: one actor, one stream.
type grain[S any] struct {
	kind     *kind[S]
	address  domain.Address
	mailbox  *mailbox
	released func()
	presence *presence

	// What the stream comes to. Only valid while loaded.
	loaded   bool
	state    S
	revision events.Revision
	account  string
	cause    Cause
	recent   recent

	lanes []lane
	timer *time.Timer
}

// passivate asks a grain to leave memory if it is still idle.
type passivate struct{ force bool }

// tick tells a grain that a task is due.
type tick struct{}

// laneDone tells a grain that the task of a lane ended.
type laneDone struct {
	lane string
	at   events.Revision // where the stream stood when the task began
	err  error
}

// Receive is called by the library, for one message at a time.
func (g *grain[S]) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		g.start(c.Self())
	case *actor.Stopping:
		g.stopTimer()
	case *Request:
		g.request(m)
	case tick:
		_ = g.guarded(g.dispatch)
	case laneDone:
		_ = g.guarded(func() { g.laneDone(m) })
	case passivate:
		g.passivate(c, m.force)
	}
}

func (g *grain[S]) start(self *actor.PID) {
	g.presence = &presence{address: g.address, pid: self}
	g.presence.idleSince.Store(time.Now().UnixNano())
	g.kind.host.live.Store(g.presence, nil)
	g.kind.host.metrics.active.WithLabelValues(g.address.Kind).Inc()
}

func (g *grain[S]) passivate(c actor.Context, force bool) {
	if g.presence.idleSince.Load() == 0 && !force || g.mailbox.closed.Load() {
		return
	}
	g.mailbox.close()
	g.released()
	g.kind.host.live.Delete(g.presence)
	g.kind.host.metrics.active.WithLabelValues(g.address.Kind).Dec()
	c.Stop(c.Self())
}

// guarded runs a step. A panic in it is logged and drops the state, so that the
// next step begins with what the stream says.
func (g *grain[S]) guarded(step func()) (panicked error) {
	defer func() {
		if r := recover(); r != nil {
			g.loaded = false
			g.kind.host.metrics.panics.WithLabelValues(g.address.Kind).Inc()
			g.kind.host.logger.Error("actor panicked", "actor", g.address.String(),
				"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			panicked = fmt.Errorf("%w: it panicked", ErrUnavailable)
		}
	}()
	step()
	return nil
}

// request answers a request, and then sees to the work that is owed.
func (g *grain[S]) request(r *Request) {
	var reply Reply
	if err := g.guarded(func() { reply = g.reply(r) }); err != nil {
		reply = Reply{Err: err}
	}
	r.Answer(reply)
	_ = g.guarded(g.dispatch)
}

func (g *grain[S]) reply(r *Request) Reply {
	if !r.Until.IsZero() && time.Now().After(r.Until) {
		return Reply{Err: fmt.Errorf("%w: nobody waits for the answer any more", ErrUnavailable)}
	}
	ctx := context.Background()
	if _, wake := r.Question.(Wake); r.Question == nil || wake || !g.loaded { // the log is needed
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.kind.host.limits.Store)
		defer cancel()
	}
	if r.Question != nil {
		return g.question(ctx, r.Question)
	}
	began := time.Now()
	result, err := g.command(ctx, r.Command)
	m := g.kind.host.metrics
	m.commands.WithLabelValues(g.address.Kind, outcome(err)).Inc()
	m.seconds.WithLabelValues(g.address.Kind).Observe(time.Since(began).Seconds())
	return Reply{Result: result, Err: err}
}

func (g *grain[S]) question(ctx context.Context, question any) Reply {
	if _, ok := question.(Wake); ok {
		return Reply{Err: g.refresh(ctx)}
	}
	if err := g.load(ctx); err != nil {
		return Reply{Err: err}
	}
	if g.kind.decider.Answer == nil {
		return Reply{Err: domain.Refused(domain.Invalid, "", "this kind answers no questions")}
	}
	answer, err := g.kind.decider.Answer(g.state, question)
	return Reply{Answer: answer, Err: err}
}

// command decides and appends. The append's expected revision is the lock: if
// somebody else wrote meanwhile, the stream is read and the command decided
// anew. What appends nothing has no such lock: before a refusal leaves, the
// actor makes sure that it knows the whole stream.
func (g *grain[S]) command(ctx context.Context, c domain.Command) (domain.Result, error) {
	for range maxConflicts {
		known := g.loaded
		if err := g.load(ctx); err != nil {
			return domain.Result{}, err
		}
		if result, ok := g.recent.find(c.ID); ok {
			return result, nil
		}
		facts, err := g.kind.decider.Decide(g.state, c)
		if err != nil || len(facts) == 0 {
			if known && !g.current(ctx) {
				g.loaded = false
				continue
			}
			return domain.Result{Revision: g.revision}, err
		}
		result, err := g.append(ctx, c, facts)
		var wrong *events.WrongRevision
		switch {
		case err == nil:
			return result, nil
		case errors.Is(err, events.ErrTooLarge): // and will be
			return domain.Result{}, domain.Refused(domain.Invalid, "", "it is more than can be stored at once")
		case !errors.As(err, &wrong):
			return domain.Result{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		g.kind.host.metrics.conflicts.WithLabelValues(g.address.Kind).Inc()
	}
	return domain.Result{}, fmt.Errorf("%w: others keep writing to it", ErrUnavailable)
}

// refresh loads the state, anew if somebody else wrote to the stream.
func (g *grain[S]) refresh(ctx context.Context) error {
	if g.loaded && !g.current(ctx) {
		g.loaded = false
	}
	return g.load(ctx)
}

// current reports that the state is what the whole stream comes to: another
// activation may have written to it. When the log does not tell, it is not.
func (g *grain[S]) current(ctx context.Context) bool {
	newest, err := g.kind.host.store.Read(ctx, g.address.Stream(), events.StreamEnd, events.Backwards, 1)
	switch {
	case err != nil:
		return false
	case len(newest) == 0:
		return g.revision == events.NoStream
	}
	return newest[0].Revision == g.revision
}

// append stores facts and folds them in. After any error the state is dropped:
// nobody knows what the stream holds now.
func (g *grain[S]) append(ctx context.Context, c domain.Command, facts []events.Event) (domain.Result, error) {
	if c.Account != "" {
		g.account = c.Account
	}
	next := g.kind.decider.Fold(g.state, facts...)
	meta := events.Metadata{
		Command: c.ID, Correlation: c.Correlation, Causation: c.Causation, Account: g.account, At: c.At,
		Owes: domain.NextDue(g.kind.decider.Owed(next)),
	}
	if route := g.kind.decider.Route; route != nil {
		meta.Route = route(g.address.ID, next)
	}
	stream := g.address.Stream()
	records, err := events.Records(stream, meta, facts...)
	if err != nil {
		return domain.Result{}, err
	}
	appended, err := g.kind.host.store.Append(ctx, stream, g.revision, records...)
	if err != nil {
		g.loaded = false
		return domain.Result{}, err
	}
	g.follow(g.revision+1, facts, sizeOf(records))
	g.state, g.revision, g.cause = next, appended.Revision, Cause{c.ID, c.Correlation}
	result := domain.Result{Revision: appended.Revision, Position: appended.Position}
	g.recent.add(c.ID, result)
	return result, nil
}

// follow tells the performer what stands in the stream from a revision on.
func (g *grain[S]) follow(first events.Revision, facts []events.Event, size int) {
	if f, ok := g.kind.performer.(Follower); ok {
		f.Follow(g.address.Stream(), first, facts, size)
	}
}

func sizeOf(records []events.Record) (size int) {
	for _, r := range records {
		size += len(r.Data)
	}
	return size
}
