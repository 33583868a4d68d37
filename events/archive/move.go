package archive

import (
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"parley/events"
)

// Export writes a whole log into a file, as far as it goes when it begins, and
// gives the number of events.
func Export(ctx context.Context, store events.Store, to io.Writer) (int, error) {
	w, err := newWriter(to)
	if err != nil {
		return 0, err
	}
	err = walk(ctx, store, func(e events.Recorded) error {
		if isSystem(e) {
			return nil
		}
		if !utf8.ValidString(string(e.Stream)) || !utf8.ValidString(e.Type) { // JSON would make others of them
			return fmt.Errorf("the event at position %d cannot be written: its stream %q or type %q is no UTF-8", e.Position, e.Stream, e.Type)
		}
		return w.put(lineOf(e))
	})
	if err != nil {
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
	m := newMover(store)
	m.begins = func(context.Context, events.Stream, events.Revision) (bool, error) { return true, nil }
	m.mayErase = isFiller
	err := read(from, func(l line) error { return m.take(ctx, l.recorded()) })
	if err == nil {
		err = m.flush(ctx)
	}
	return m.count, err
}
