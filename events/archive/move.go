package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/events"
)

// Export writes a whole log into a file, as far as it goes when it begins, and
// gives the number of events.
func Export(ctx context.Context, store events.Store, to io.Writer) (int, error) {
	w, err := newWriter(to)
	if err != nil {
		return 0, err
	}
	if err := walk(ctx, store, func(e events.Recorded) error { return w.put(lineOf(e)) }); err != nil {
		return w.count, err
	}
	return w.count, w.close()
}

// Import puts the events of a file into a log that has none of their streams,
// and gives the number of events. What was put in is put in: an import that was
// interrupted is gone on with by importing again. Where a stream of the file
// begins later than with revision 0, the revisions before are used up and
// erased. An error that wraps ErrBroken says that the file is not whole; then
// part of it may be in the log.
func Import(ctx context.Context, store events.Store, from io.Reader) (int, error) {
	m := mover{ctx: ctx, store: store, seen: map[events.Stream]bool{}}
	err := read(from, m.take)
	if err == nil {
		err = m.flush()
	}
	return m.count, err
}

// mover puts events into a log. Those that follow each other in a stream and in
// the log are put in together.
type mover struct {
	ctx   context.Context
	store events.Store
	seen  map[events.Stream]bool
	count int

	stream  events.Stream
	first   events.Revision
	records []events.Record
	size    int
}

// most is how many events are put in together.
const most = 500

func (m *mover) take(l line) error {
	r := l.record()
	next := m.first + events.Revision(len(m.records))
	if l.Stream != m.stream || l.Revision != next || len(m.records) == most || m.size+r.Size() > events.MaxAppend {
		if err := m.flush(); err != nil {
			return err
		}
		m.stream, m.first = l.Stream, l.Revision
	}
	m.records, m.size = append(m.records, r), m.size+r.Size()
	return nil
}

func (m *mover) flush() error {
	if len(m.records) == 0 {
		return nil
	}
	if !m.seen[m.stream] && m.first > events.StreamStart {
		if err := m.useUp(m.stream, m.first); err != nil {
			return err
		}
	}
	m.seen[m.stream] = true
	if _, err := m.store.Append(m.ctx, m.stream, m.first-1, m.records...); err != nil {
		return fmt.Errorf("events from %d on of %s: %w", m.first, m.stream, err)
	}
	m.count += len(m.records)
	m.records, m.size = nil, 0
	return nil
}

// filler is the type of the events that use up revisions. Nobody reads them.
const filler = "Erased"

// useUp uses up the revisions of a stream below one, and erases them.
func (m *mover) useUp(stream events.Stream, before events.Revision) error {
	for at := events.NoStream; at < before-1; {
		var records []events.Record
		for n := at + 1; n < before && len(records) < most; n++ {
			records = append(records, events.Record{ID: events.IDOf(stream, filler, int(n)), Type: filler, Metadata: []byte("{}")})
		}
		_, err := m.store.Append(m.ctx, stream, at, records...)
		if wrong := (*events.WrongRevision)(nil); errors.As(err, &wrong) && wrong.Actual > at {
			at = wrong.Actual // an earlier import did
			continue
		}
		if err != nil {
			return fmt.Errorf("use up the erased revisions of %s: %w", stream, err)
		}
		at += events.Revision(len(records))
	}
	return m.store.Truncate(m.ctx, stream, before)
}
