package esdbserver

import (
	"context"
	"sync"

	"parley/events"
)

// turns lets those who append to a stream wherever it ends do so one after the
// other. It is not what makes them right: the expected revision is. But the
// store takes one of those who look at the same end, and a crowd would keep
// looking anew until some give up.
type turns struct {
	mutex   sync.Mutex
	streams map[events.Stream]*turn
}

type turn struct {
	// taken holds who has the turn.
	taken chan struct{}
	// wanted is how many have it or wait for it.
	wanted int
}

func newTurns() *turns { return &turns{streams: make(map[events.Stream]*turn)} }

// take waits for the turn of a stream until the context ends. Who has it calls
// done.
func (t *turns) take(ctx context.Context, stream events.Stream) (done func(), err error) {
	t.mutex.Lock()
	mine := t.streams[stream]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, 1)}
		t.streams[stream] = mine
	}
	mine.wanted++
	t.mutex.Unlock()
	select {
	case mine.taken <- struct{}{}:
		return func() { <-mine.taken; t.leave(stream, mine) }, nil
	case <-ctx.Done():
		t.leave(stream, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(stream events.Stream, mine *turn) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if mine.wanted--; mine.wanted == 0 {
		delete(t.streams, stream)
	}
}
