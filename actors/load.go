package actors

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"parley/domain"
	"parley/events"
)

// page is how many events are read at a time when a stream is loaded.
const page = 64

// load folds the stream into the state, unless that is done already. It reads
// backwards, no further than to a fact that repeats what came before it.
func (g *grain[S]) load(ctx context.Context) error {
	if g.loaded {
		return nil
	}
	tail, err := readTail(ctx, g.kind.host.store, g.address.Stream())
	if err != nil {
		return fmt.Errorf("%w: load %s: %w", ErrUnavailable, g.address, err)
	}
	if err := judge(tail); err != nil {
		return fmt.Errorf("%w: load %s: %w", ErrUnavailable, g.address, err)
	}
	var empty S
	g.state, g.revision, g.cause, g.recent = empty, events.NoStream, Cause{}, nil
	facts, size := make([]events.Event, len(tail)), 0
	for i, e := range tail {
		facts[i], size = e.fact, size+e.size
		g.state = g.kind.decider.Evolve(g.state, e.fact)
		g.revision = e.revision
		if e.metadata.Account != "" {
			g.account = e.metadata.Account
		}
		g.cause = Cause{e.metadata.Command, e.metadata.Correlation}
		g.recent.add(e.metadata.Command, domain.Result{Revision: e.revision, Position: e.position})
	}
	if g.loaded = true; len(tail) > 0 {
		g.follow(tail[0].revision, facts, size)
	}
	return nil
}

// judge refuses a stream with facts that this version does not know and may not
// pass over. What it would decide without them could be wrong.
func judge(tail []loadedEvent) error {
	for _, e := range tail {
		if unknown, ok := e.fact.(events.Unknown); ok && !e.metadata.Optional {
			return fmt.Errorf("%w: revision %d is a %q", ErrNewer, e.revision, unknown.Type)
		}
	}
	return nil
}

// reload loads a state that was dropped, within the time for one read.
func (g *grain[S]) reload() error {
	if g.loaded {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.kind.host.limits.Store)
	defer cancel()
	return g.load(ctx)
}

// loadedEvent is a decoded event of a stream.
type loadedEvent struct {
	fact     events.Event
	metadata events.Metadata
	revision events.Revision
	position events.Position
	size     int
}

// readTail gives the newest facts of a stream, oldest first, beginning with its
// last snapshot or its start.
func readTail(ctx context.Context, store events.Store, stream events.Stream) ([]loadedEvent, error) {
	var tail []loadedEvent
	from := events.StreamEnd
	for {
		recorded, err := store.Read(ctx, stream, from, events.Backwards, page)
		if err != nil {
			return nil, err
		}
		for _, r := range recorded {
			e, err := decode(r)
			if err != nil {
				return nil, err
			}
			tail = append(tail, e)
			if events.IsSnapshot(e.fact) {
				slices.Reverse(tail)
				return tail, nil
			}
			from = r.Revision - 1
		}
		if len(recorded) < page || from < events.StreamStart {
			slices.Reverse(tail)
			return tail, nil
		}
	}
}

func decode(r events.Recorded) (loadedEvent, error) {
	fact, err := events.Decode(r.Type, r.Data)
	if err != nil {
		return loadedEvent{}, fmt.Errorf("revision %d: %w", r.Revision, err)
	}
	metadata, err := events.DecodeMetadata(r.Metadata)
	if err != nil {
		return loadedEvent{}, fmt.Errorf("revision %d: %w", r.Revision, err)
	}
	return loadedEvent{fact: fact, metadata: metadata, revision: r.Revision, position: r.Position, size: len(r.Data)}, nil
}

// keepRecent is how many commands a grain recognises when they are put again.
// Retries come within seconds, and the rules of each kind hold without this:
// it only gives a repeated command the answer that it had.
const keepRecent = 16

// recent remembers the results of the newest commands, oldest first.
type recent []recentCommand

type recentCommand struct {
	key    uint64
	result domain.Result
}

var recentSeed = maphash.MakeSeed()

func (r recent) find(command string) (domain.Result, bool) {
	key := maphash.String(recentSeed, command)
	for i := range r {
		if r[i].key == key {
			return r[i].result, true
		}
	}
	return domain.Result{}, false
}

// add notes a command's result; a later fact of the same command moves it on.
func (r *recent) add(command string, result domain.Result) {
	if command == "" {
		return
	}
	key := maphash.String(recentSeed, command)
	if n := len(*r); n > 0 && (*r)[n-1].key == key {
		(*r)[n-1].result = result
		return
	}
	if len(*r) == keepRecent {
		copy(*r, (*r)[1:])
		*r = (*r)[:keepRecent-1]
	}
	*r = append(*r, recentCommand{key: key, result: result})
}
