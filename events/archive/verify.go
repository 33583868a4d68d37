package archive

import (
	"context"
	"fmt"

	"parley/events"
)

// maxProblems bounds the problems that are told one by one.
const maxProblems = 100

// Report is what a look at a whole log found.
type Report struct {
	Events, Streams int
	// Last is the position of the last event.
	Last events.Position
	// Begun is how many streams begin later than with revision 0, since what
	// came before is erased.
	Begun int
	// Unknown counts the events of types that this version does not know, such
	// as a newer one wrote.
	Unknown int
	// Problems are what is not as it should be, at most the first 100;
	// Found is their whole number.
	Problems []string
	Found    int
	// Sum is the SHA-256 of everything that moves when a log is copied, in
	// hexadecimal: two logs with the same one hold the same.
	Sum string
}

func (r *Report) add(e events.Recorded, format string, args ...any) {
	if r.Found++; len(r.Problems) < maxProblems {
		at := fmt.Sprintf("position %d, event %d of %s: ", e.Position, e.Revision, e.Stream)
		r.Problems = append(r.Problems, at+fmt.Sprintf(format, args...))
	}
}

// Verify reads a whole log and checks that positions rise, that no revision of
// a stream is missing, that every event can be decoded, and that each stream
// ends where the log says. What it finds is in the report; an error means that
// the log could not be read to its end.
func Verify(ctx context.Context, store events.Store) (Report, error) {
	var r Report
	last := map[events.Stream]events.Recorded{}
	sum := newDigest()
	err := walk(ctx, store, func(e events.Recorded) error {
		before, known := last[e.Stream]
		switch {
		case !known && e.Revision > events.StreamStart:
			r.Begun++
		case known && e.Revision != before.Revision+1:
			r.add(e, "the one before it in the log is %d", before.Revision)
		}
		if e.Position <= r.Last {
			r.add(e, "it comes behind position %d", r.Last)
		}
		r.decode(e)
		sum.add(e)
		r.Events, r.Last = r.Events+1, e.Position
		last[e.Stream] = events.Recorded{Stream: e.Stream, Revision: e.Revision, Position: e.Position, Record: events.Record{ID: e.ID}}
		return nil
	})
	if r.Streams, r.Sum = len(last), sum.String(); err != nil {
		return r, err
	}
	return r, r.checkEnds(ctx, store, last)
}

func (r *Report) decode(e events.Recorded) {
	if _, err := events.DecodeMetadata(e.Metadata); err != nil {
		r.add(e, "%v", err)
	}
	fact, err := events.Decode(e.Type, e.Data)
	if err != nil {
		r.add(e, "%v", err)
	}
	if _, ok := fact.(events.Unknown); ok {
		r.Unknown++
	}
}

// checkEnds compares the streams with the log. A stream may have grown since.
func (r *Report) checkEnds(ctx context.Context, store events.Store, last map[events.Stream]events.Recorded) error {
	for stream, e := range last {
		read, err := store.Read(ctx, stream, e.Revision, events.Forwards, 1)
		if err != nil {
			return err
		}
		if len(read) == 0 || read[0].Revision != e.Revision || read[0].ID != e.ID || read[0].Position != e.Position {
			r.add(e, "the stream does not have it")
		}
	}
	return nil
}
