package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/events"
)

// awakeFor is how far ahead a grain waits for its own work. What is due later
// is found by the node, which knows from the log who owes what and when.
const awakeFor = time.Minute

// lane is a lane of work: busy while a task of it is under way, held back for
// a while after one that failed.
type lane struct {
	name      string
	busy      bool
	failures  int
	notBefore events.Instant
}

func (g *grain[S]) lane(name string) *lane {
	for i := range g.lanes {
		if g.lanes[i].name == name {
			return &g.lanes[i]
		}
	}
	g.lanes = append(g.lanes, lane{name: name})
	return &g.lanes[len(g.lanes)-1]
}

// dispatch starts the tasks that are due and sets the timer for the next one.
func (g *grain[S]) dispatch() {
	if g.kind.performer == nil {
		g.rest(0)
		return
	}
	now := events.At(time.Now())
	if err := g.reload(); err != nil {
		if errors.Is(err, ErrNewer) { // it is for nodes that can
			g.rest(0)
			return
		}
		g.kind.host.logger.Warn("actor cannot see what it owes", "actor", g.address.String(), "err", err)
		g.rest(now.Add(time.Second))
		return
	}
	var next events.Instant
	for _, task := range g.kind.decider.Owed(g.state) {
		l := g.lane(task.Lane)
		due := max(task.Due, l.notBefore)
		switch {
		case l.busy:
		case due <= now:
			l.busy = true
			g.perform(task)
		case next == 0 || due < next:
			next = due
		}
	}
	g.rest(next)
}

// rest sets the timer for work that is due soon, and says whether the grain
// may leave memory: not while a task is under way or soon due.
func (g *grain[S]) rest(next events.Instant) {
	g.stopTimer()
	needed := false
	for _, l := range g.lanes {
		needed = needed || l.busy
	}
	if wait := time.Until(next.Time()); next != 0 && wait < awakeFor {
		needed = true
		self, system := g.presence.pid, g.kind.host.system
		g.timer = time.AfterFunc(max(wait, 0), func() { system.Root.Send(self, tick{}) })
	}
	if needed {
		g.presence.idleSince.Store(0)
	} else {
		g.presence.idleSince.Store(time.Now().UnixNano())
	}
}

func (g *grain[S]) stopTimer() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}

// perform hands a task to the runner. Its end comes back as a message; what it
// did comes back as commands.
func (g *grain[S]) perform(task domain.Task) {
	host, self := g.kind.host, g.presence.pid
	performer, at := g.kind.performer, g.revision
	work := Work{Address: g.address, Task: task, Revision: at, Cause: g.cause, Asker: host.asker, reported: new(atomic.Pointer[string])}
	host.runner.submit(func(ctx context.Context) {
		err := host.run(ctx, performer, work)
		host.metrics.tasks.WithLabelValues(work.Address.Kind, outcome(err)).Inc()
		host.system.Root.Send(self, laneDone{lane: task.Lane, at: at, err: err})
	})
}

// run performs one task; a panic in it is an error.
func (h *Host) run(ctx context.Context, p Performer, w Work) (err error) {
	defer func() {
		if r := recover(); r != nil {
			h.metrics.panics.WithLabelValues(w.Address.Kind).Inc()
			h.logger.Error("task panicked", "actor", w.Address.String(),
				"task", fmt.Sprintf("%T", w.Task.Body), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errors.New("the task panicked")
		}
	}()
	return p.Perform(ctx, w)
}

// laneDone frees a lane. A task that failed, or that changed nothing although
// it is still owed, is held back for a growing while.
func (g *grain[S]) laneDone(done laneDone) {
	l := g.lane(done.lane)
	l.busy = false
	if done.err != nil && !domain.IsRefusal(done.err, domain.Stale) {
		g.kind.host.logger.Warn("task failed", "actor", g.address.String(), "lane", done.lane, "err", done.err)
	}
	if done.at == g.revision {
		g.doubt()
	}
	if done.err == nil && (done.at != g.revision || !g.loaded) {
		l.failures, l.notBefore = 0, 0
	} else {
		l.notBefore = events.At(time.Now().Add(holdBack(l.failures)))
		l.failures++
	}
	g.dispatch()
}

// doubt drops a state that is not what the stream comes to. What a task came to
// may have been reported to another activation, which owns the actor by now: to
// this one its work would be owed for ever, and it would never leave.
func (g *grain[S]) doubt() {
	ctx, cancel := context.WithTimeout(context.Background(), g.kind.host.limits.Store)
	defer cancel()
	g.loaded = g.loaded && g.current(ctx)
}

// holdBack is 100 ms doubled with every failure, up to 30 s, with jitter.
func holdBack(failures int) time.Duration {
	d := min(100*time.Millisecond<<min(failures, 10), 30*time.Second)
	return d/2 + rand.N(d/2)
}
