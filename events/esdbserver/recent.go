package esdbserver

import (
	"sync"

	"parley/events"
)

// keepRecent is how many events are remembered, some 10 MiB.
const keepRecent = 1 << 16

// recent remembers where the newest events went, so that an append without an
// exact revision is recognised when it is tried again. It is best effort, as at
// EventStoreDB: after a restart nothing is remembered.
type recent struct {
	mutex sync.Mutex
	at    map[events.ID]place
	// ring holds the IDs in the order they came, up to size; then next is the
	// oldest.
	ring       []events.ID
	next, size int
}

type place struct {
	stream events.Stream
	events.Appended
}

func newRecent(size int) *recent {
	return &recent{at: make(map[events.ID]place), size: size}
}

// add notes the records of an append. Only the last one's position is known.
func (r *recent) add(stream events.Stream, done events.Appended, records []events.Record) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	first := done.Revision - events.Revision(len(records)) + 1
	for i, e := range records {
		if len(r.ring) < r.size {
			r.ring = append(r.ring, e.ID)
		} else {
			delete(r.at, r.ring[r.next])
			r.ring[r.next] = e.ID
			r.next = (r.next + 1) % r.size
		}
		r.at[e.ID] = place{stream, events.Appended{Revision: first + events.Revision(i), Position: done.Position}}
	}
}

// find gives where all of the records went earlier, one behind the other.
func (r *recent) find(stream events.Stream, records []events.Record) (done events.Appended, ok bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for i, e := range records {
		p, ok := r.at[e.ID]
		if !ok || p.stream != stream || i > 0 && p.Revision != done.Revision+1 {
			return events.Appended{}, false
		}
		done = p.Appended
	}
	return done, true
}
