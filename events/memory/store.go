package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/events"
)

// Store is an event store in memory. Make it with New.
type Store struct {
	mu sync.RWMutex
	// log holds the event of position p at p-1; an erased event's place is
	// the zero Recorded. Invariant: the slices in it are never written to.
	log     []events.Recorded
	streams map[events.Stream]*stream
	// grown is closed and replaced when the log grows.
	grown  chan struct{}
	closed chan struct{}
}

// stream is where a stream's events stand.
type stream struct {
	// first is the revision of the oldest event that is not erased.
	first events.Revision
	// positions are those of the events from first on.
	positions []events.Position
}

var _ events.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{
		streams: make(map[events.Stream]*stream),
		grown:   make(chan struct{}),
		closed:  make(chan struct{}),
	}
}

// Append implements [events.Store].
func (s *Store) Append(ctx context.Context, name events.Stream, expected events.Revision, records ...events.Record) (events.Appended, error) {
	if err := events.CheckAppend(records); err != nil {
		return events.Appended{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return events.Appended{}, err
	}
	st := s.streams[name]
	if st == nil {
		st = new(stream)
	}
	if expected != st.last() {
		if at, ok := s.earlier(st, expected, records); ok {
			return at, nil
		}
		return events.Appended{}, &events.WrongRevision{Stream: name, Expected: expected, Actual: st.last()}
	}
	s.streams[name] = st
	s.add(name, st, records)
	close(s.grown)
	s.grown = make(chan struct{})
	return events.Appended{Revision: st.last(), Position: s.end()}, nil
}

// add puts records at the end of a stream and of the log.
func (s *Store) add(name events.Stream, st *stream, records []events.Record) {
	stored := events.At(time.Now())
	for _, r := range records {
		e := own(events.Recorded{Record: r, Stream: name, Revision: st.last() + 1, Position: s.end() + 1, Stored: stored})
		s.log = append(s.log, e)
		st.positions = append(st.positions, e.Position)
	}
}

// earlier finds the records where an earlier try would have put them.
func (s *Store) earlier(st *stream, expected events.Revision, records []events.Record) (events.Appended, bool) {
	if expected < st.first-1 || expected >= st.last() {
		return events.Appended{}, false
	}
	following := st.positions[expected+1-st.first:]
	if len(following) < len(records) {
		return events.Appended{}, false
	}
	for i, r := range records {
		if s.log[following[i]-1].ID != r.ID {
			return events.Appended{}, false
		}
	}
	n := len(records)
	return events.Appended{Revision: expected + events.Revision(n), Position: following[n-1]}, true
}

// Truncate implements [events.Store].
func (s *Store) Truncate(ctx context.Context, name events.Stream, before events.Revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	st := s.streams[name]
	if st == nil || before <= st.first {
		return nil
	}
	n := min(before, st.last()+1) - st.first
	for _, p := range st.positions[:n] {
		s.log[p-1] = events.Recorded{}
	}
	st.first += n
	st.positions = st.positions[n:]
	return nil
}

// Overwrite implements [events.Store].
func (s *Store) Overwrite(ctx context.Context, name events.Stream, with ...events.Replacement) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	st, data := s.streams[name], map[events.Position][]byte{}
	for _, r := range with {
		if st == nil || r.Revision < st.first || r.Revision > st.last() {
			continue
		}
		at := st.positions[r.Revision-st.first]
		over, err := r.Over(s.log[at-1].Data)
		if err != nil {
			return fmt.Errorf("overwrite %s: %w", name, err)
		}
		data[at] = over
	}
	for at, over := range data {
		s.log[at-1].Data = over
	}
	return nil
}

// Head implements [events.Store].
func (s *Store) Head(ctx context.Context) (events.Position, error) {
	newest, err := s.ReadAll(ctx, events.LogEnd, events.Backwards, 1)
	if err != nil || len(newest) == 0 {
		return events.LogStart, err
	}
	return newest[0].Position, nil
}

// Close implements [events.Store]. Closing again is no error.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return nil
	}
	close(s.closed)
	return nil
}

// usable tells why a call cannot be served.
func (s *Store) usable(ctx context.Context) error {
	if s.isClosed() {
		return events.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// end is the position last given.
func (s *Store) end() events.Position { return events.Position(len(s.log)) }

// last is the revision of the stream's last event, erased or not.
func (st *stream) last() events.Revision { return st.first + events.Revision(len(st.positions)) - 1 }
