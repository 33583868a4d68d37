package actors

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"parley/domain"
	"parley/events"
)

// Performer does the tasks of one kind. It may be called concurrently, for
// different actors and lanes.
type Performer interface {
	// Perform does one task and reports its outcome by commands through the
	// work. When it returns, the actor looks at what it owes now; after an
	// error it waits a growing while first. The context ends when the node
	// stops: what is not reported by then is owed again after the start.
	Perform(ctx context.Context, w Work) error
}

// Follower is a performer that is told what the actors of this node append to
// their streams or read of them, so that it need not read that again.
type Follower interface {
	// Follow tells the facts of a stream from a revision on, all of them, and
	// about what they take in bytes. It is called by the actor, and must not
	// wait for anything.
	Follow(stream events.Stream, first events.Revision, facts []events.Event, size int)
}

// PerformerFunc is a function as a Performer.
type PerformerFunc func(ctx context.Context, w Work) error

// Perform calls the function.
func (f PerformerFunc) Perform(ctx context.Context, w Work) error { return f(ctx, w) }

// Work is a task with what is needed to report its outcome.
type Work struct {
	Address domain.Address
	Task    domain.Task
	// Revision is where the stream stood when the task was owed.
	Revision events.Revision
	// Cause is the newest command of the stream when the task began.
	Cause Cause
	// Asker reaches this and other actors.
	Asker Asker
	// reported is the ID of the newest command that was reported.
	reported *atomic.Pointer[string]
}

// Cause is a command that led to work, and what it belonged to.
type Cause struct {
	Command     string
	Correlation string
}

// Command makes a command that the work leads to, here or elsewhere. It belongs
// to what the work belongs to, or to a correlation that is known better, and
// comes after what was reported before it.
func (w Work) Command(correlation string, body any) domain.Command {
	correlation = cmp.Or(correlation, w.Cause.Correlation)
	causation := cmp.Or(w.Cause.Command, correlation)
	if before := w.reported.Load(); before != nil {
		causation = *before
	}
	return domain.Command{
		ID: events.NewKey(), At: events.At(time.Now()), Correlation: correlation, Causation: causation, Body: body,
	}
}

// Report puts a command to the actor that owes the work. While the actor or the
// log is unavailable it tries again until the context ends, because what was
// done in the world must not be forgotten. A refusal is returned at once; one
// with the code domain.Stale means that the work is no longer wanted. The
// correlation is "" if that of the cause is the best that is known.
func (w Work) Report(ctx context.Context, correlation string, body any) error {
	c := w.Command(correlation, body)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		c.At = events.At(time.Now())
		_, err := w.Asker.Ask(ctx, w.Address, c)
		if err == nil {
			w.reported.Store(&c.ID)
		}
		var refusal *domain.Error
		if err == nil || errors.As(err, &refusal) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}
