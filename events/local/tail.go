package local

import (
	"sync"

	"parley/events"
)

// tail holds the newest events in memory, knows how far the log reaches, and
// wakes those who wait for more.
type tail struct {
	mu sync.RWMutex
	// ring holds the event of position p at p modulo its length, for the
	// positions from oldest to last. An erased event's place is the zero
	// Recorded. Invariant: what the events point to is never written to.
	ring   []events.Recorded
	oldest events.Position
	// bytes is the size of what the ring holds; room is its limit.
	bytes, room int
	// last is the last position given; nothing behind it may be read.
	last events.Position
	// head is the newest event that is not erased.
	head events.Position
	// grown is closed and replaced when the log grows.
	grown chan struct{}
}

func newTail(last, head events.Position, length, room int) *tail {
	return &tail{
		ring:   make([]events.Recorded, length),
		oldest: last + 1,
		room:   room,
		last:   last,
		head:   head,
		grown:  make(chan struct{}),
	}
}

// publish shows durable events, whose positions follow the last one, to
// everybody. The tail keeps what they point to.
func (t *tail) publish(added []events.Recorded) {
	if len(added) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range added {
		for t.last-t.oldest+1 >= events.Position(len(t.ring)) {
			t.drop()
		}
		*t.place(e.Position) = e
		t.bytes += e.Size()
		t.last, t.head = e.Position, e.Position
	}
	for t.bytes > t.room {
		t.drop()
	}
	close(t.grown)
	t.grown = make(chan struct{})
}

// drop forgets the oldest event.
func (t *tail) drop() {
	place := t.place(t.oldest)
	t.bytes -= place.Size()
	*place = events.Recorded{}
	t.oldest++
}

// erase forgets a stream's events below a revision. head is the newest event
// of the log that is left.
func (t *tail) erase(s events.Stream, before events.Revision, head events.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := t.oldest; p <= t.last; p++ {
		if place := t.place(p); place.Stream == s && place.Revision < before {
			t.bytes -= place.Size()
			*place = events.Recorded{}
		}
	}
	t.head = head
}

// overwrite shows events with other data from now on.
func (t *tail) overwrite(changed []events.Recorded) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range changed {
		if place := t.place(e.Position); place.Position == e.Position {
			place.Data = e.Data
		}
	}
}

// watch gives the last position that may be read, and a channel that is closed
// once there is a later one.
func (t *tail) watch() (events.Position, <-chan struct{}) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.last, t.grown
}

func (t *tail) newest() events.Position {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.head
}

// from returns up to limit events beginning with a position, oldest first, up to
// the one that fills the room in bytes; ok is false when the tail does not reach
// back that far.
func (t *tail) from(p events.Position, limit, room int) (found []events.Recorded, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if p < t.oldest {
		return nil, false
	}
	for ; p <= t.last && len(found) < limit && room > 0; p++ {
		if place := t.place(p); place.Position != 0 {
			found, room = append(found, *place), room-place.Size()
		}
	}
	return found, true
}

func (t *tail) place(p events.Position) *events.Recorded {
	return &t.ring[p%events.Position(len(t.ring))]
}
