package esdbserver

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"

	"parley/events"
)

// expected is where a client expects a stream: at a revision (or NoStream),
// or one of the two below.
type expected events.Revision

const (
	anywhere expected = -2
	existing expected = -4
)

// options is what append, delete and tombstone say in the same words.
type options interface {
	GetStreamIdentifier() *shared.StreamIdentifier
	GetRevision() uint64
	GetNoStream() *shared.Empty
	GetAny() *shared.Empty
	GetStreamExists() *shared.Empty
}

func expectedOf(o options) expected {
	switch {
	case o.GetAny() != nil:
		return anywhere
	case o.GetStreamExists() != nil:
		return existing
	case o.GetNoStream() != nil:
		return expected(events.NoStream)
	}
	return expected(min(o.GetRevision(), math.MaxInt64))
}

// meet gives the revision that an append goes behind, if a stream is as
// expected. A stream that was deleted, but not for good, begins again where it
// ended, for those who expect none.
func (e expected) meet(stream events.Stream, c condition) (events.Revision, error) {
	none := c.last == events.NoStream || c.deleted
	switch {
	case c.tombstoned, e == existing && c.deleted:
		return 0, &deletedError{stream}
	case e == anywhere, e == existing && (c.described || !none), e == expected(events.NoStream) && none, e == expected(c.last):
		return c.last, nil
	}
	return 0, &events.WrongRevision{Stream: stream, Expected: events.Revision(e), Actual: c.last}
}
