package perform

import (
	"container/list"
	"slices"
	"sync"

	"parley/domain/conversation"
	"parley/events"
)

// Tails keep the newest facts of conversations that this node works on, so that
// a turn need not read from the log what the node has just written or read.
// What stands in a stream never changes: a tail says what the stream says, or
// it is not there. (What is erased is overwritten, but no turn asks for that.)
// A nil Tails keeps nothing.
type Tails struct {
	bound int

	mutex   sync.Mutex
	size    int
	tails   map[events.Stream]*list.Element // of *tail
	byUsage *list.List                      // the tail last used is in front
}

// tail is what a stream says from one revision to another, as far as a history
// is made of it.
type tail struct {
	stream   events.Stream
	from, to events.Revision
	facts    []numbered
	size     int // about what the facts take, in bytes
}

// numbered is a fact and where it stands.
type numbered struct {
	revision events.Revision
	fact     events.Event
}

// NewTails makes tails that together take about so many bytes. Those that were
// not used for longest leave first.
func NewTails(bound int) *Tails {
	return &Tails{bound: bound, tails: map[events.Stream]*list.Element{}, byUsage: list.New()}
}

// Follow adds facts that stand in a stream from a revision on. size is about
// what they take.
func (t *Tails) Follow(stream events.Stream, first events.Revision, facts []events.Event, size int) {
	if t == nil || len(facts) == 0 {
		return
	}
	kept := telling(first, facts)
	last := first + events.Revision(len(facts)) - 1
	t.mutex.Lock()
	defer t.mutex.Unlock()
	x := t.useLocked(stream)
	if x == nil || first > x.to+1 || first < x.from {
		t.dropLocked(stream)
		t.putLocked(&tail{stream: stream, from: first, to: last, facts: kept, size: size})
		return
	}
	for len(x.facts) > 0 && x.facts[len(x.facts)-1].revision >= first {
		x.facts = x.facts[:len(x.facts)-1] // told again, when the stream is read anew
	}
	x.facts, x.to = append(x.facts, kept...), last
	t.growLocked(x, size)
}

// precede adds what was read of a stream before the revision that its tail
// begins with.
func (t *Tails) precede(stream events.Stream, begins events.Revision, older tail) {
	if t == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if x := t.useLocked(stream); x != nil && x.from == begins {
		x.from, x.facts = older.from, append(older.facts, x.facts...)
		t.growLocked(x, older.size)
	}
}

// upTo gives the facts of a stream's tail if it reaches a revision, and the
// revision that it begins with.
func (t *Tails) upTo(stream events.Stream, revision events.Revision) (facts []numbered, from events.Revision, ok bool) {
	if t == nil {
		return nil, 0, false
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	x := t.useLocked(stream)
	if x == nil || x.to < revision {
		return nil, 0, false
	}
	return slices.Clone(x.facts), x.from, true
}

// drop forgets a stream.
func (t *Tails) drop(stream events.Stream) {
	if t == nil {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.dropLocked(stream)
}

// telling gives those facts that a history may be made of.
func telling(first events.Revision, facts []events.Event) (kept []numbered) {
	for i, fact := range facts {
		if conversation.Tells(fact.EventType()) {
			kept = append(kept, number(first+events.Revision(i), fact))
		}
	}
	return kept
}

// number leaves out what a webhook said word for word: it is not told.
func number(revision events.Revision, fact events.Event) numbered {
	if f, ok := fact.(events.MessageReceived); ok {
		f.Notification = nil
		fact = f
	}
	return numbered{revision, fact}
}

// add adds what stands before the others, which are read backwards.
func (x *tail) add(r events.Recorded) error {
	x.from = r.Revision
	if !conversation.Tells(r.Type) {
		return nil
	}
	fact, err := events.Decode(r.Type, r.Data)
	if err == nil {
		x.facts, x.size = append(x.facts, number(r.Revision, fact)), x.size+len(r.Data)
	}
	return err
}

func (t *Tails) useLocked(stream events.Stream) *tail {
	e, ok := t.tails[stream]
	if !ok {
		return nil
	}
	t.byUsage.MoveToFront(e)
	return e.Value.(*tail)
}

func (t *Tails) putLocked(x *tail) {
	t.tails[x.stream] = t.byUsage.PushFront(x)
	size := x.size
	x.size = 0
	t.growLocked(x, size)
}

// growLocked counts what a tail takes more, and lets others leave for it. What
// no history has room for leaves, too.
func (t *Tails) growLocked(x *tail, by int) {
	x.size, t.size = x.size+by, t.size+by
	if more := len(x.facts) - historyEvents; more > 0 {
		x.facts = slices.Clone(x.facts[more:])
		x.from = x.facts[0].revision
	}
	if x.size > historyBytes {
		t.dropLocked(x.stream)
	}
	for t.size > t.bound && t.byUsage.Len() > 0 {
		t.dropLocked(t.byUsage.Back().Value.(*tail).stream)
	}
}

func (t *Tails) dropLocked(stream events.Stream) {
	if e, ok := t.tails[stream]; ok {
		t.size -= e.Value.(*tail).size
		t.byUsage.Remove(e)
		delete(t.tails, stream)
	}
}
