package memory

import (
	"bytes"
	"context"

	"parley/events"
)

// Read implements [events.Store].
func (s *Store) Read(ctx context.Context, name events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	st := s.streams[name]
	if st == nil {
		return nil, nil
	}
	var read []events.Recorded
	step := events.Revision(1)
	if dir == events.Backwards {
		step, from = -1, min(from, st.last())
	} else {
		from = max(from, st.first)
	}
	for r := from; r >= st.first && r <= st.last() && len(read) < limit; r += step {
		read = append(read, own(s.log[st.positions[r-st.first]-1]))
	}
	return read, nil
}

// ReadAll implements [events.Store].
func (s *Store) ReadAll(ctx context.Context, from events.Position, dir events.Direction, limit int) ([]events.Recorded, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if dir == events.Forwards {
		return s.forwards(max(from, 1), limit), nil
	}
	var read []events.Recorded
	for p := min(from, s.end()+1); p > 1 && len(read) < limit; p-- {
		if e := s.log[p-2]; e.Position != 0 {
			read = append(read, own(e))
		}
	}
	return read, nil
}

// forwards reads from a position on. The caller holds the lock.
func (s *Store) forwards(from events.Position, limit int) []events.Recorded {
	var read []events.Recorded
	for p := from; p <= s.end() && len(read) < limit; p++ {
		if e := s.log[p-1]; e.Position != 0 {
			read = append(read, own(e))
		}
	}
	return read
}

// own copies what an event points to, so that the store and its callers may
// each change theirs.
func own(e events.Recorded) events.Recorded {
	e.Data, e.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
	return e
}
