package events

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
)

// Stream names one stream, for example "conversation-k3v9.15551234567".
// The text before the first dash is its category.
type Stream string

// Revision numbers the events of one stream from 0 on.
type Revision int64

const (
	// NoStream is the expected revision of a stream that has no event yet.
	NoStream Revision = -1
	// StreamStart is the revision of a stream's first event.
	StreamStart Revision = 0
	// StreamEnd stands for the last revision when reading backwards, and for
	// "everything" when truncating.
	StreamEnd Revision = math.MaxInt64
)

// Position orders the whole log. Positions are opaque: a later event has a
// larger one, but they may have holes. 0 stands before the first event.
type Position uint64

const (
	// LogStart is before the first event of the log.
	LogStart Position = 0
	// LogEnd is after the last event of the log.
	LogEnd Position = math.MaxInt64
)

// Direction of a read.
type Direction bool

const (
	// Forwards reads towards newer events.
	Forwards Direction = false
	// Backwards reads towards older events.
	Backwards Direction = true
)

// Store is an append-only log of streams. It is the only shared truth of a
// Parley installation, and its expected-revision check is the only lock.
//
// Every implementation passes events/storetest. All methods may be called
// concurrently.
type Store interface {
	// Append adds records to the end of a stream, all or none, and returns
	// once they are durable.
	//
	// expected is the revision of the stream's last event, or NoStream. When
	// the stream is elsewhere the answer is a *WrongRevision, with one
	// exception that makes retries safe for ever: if the events that follow
	// expected carry exactly the IDs of these records, they were stored by an
	// earlier try and Append answers as it did then.
	//
	// Any error but *WrongRevision leaves the outcome open: try again with the
	// same records, or read the stream. ErrFull and ErrTooLarge are certain:
	// nothing was stored. At least one record is required; the records' sizes
	// together must not exceed MaxAppend. The store does not keep the slices.
	Append(ctx context.Context, stream Stream, expected Revision, records ...Record) (Appended, error)

	// Read returns up to limit events of a stream, beginning with revision
	// from (inclusive, both ways). A stream that does not exist reads as empty.
	Read(ctx context.Context, stream Stream, from Revision, dir Direction, limit int) ([]Recorded, error)

	// ReadAll returns up to limit events of the whole log: forwards beginning
	// with position from (inclusive), backwards with the newest before it
	// (exclusive). from is LogStart, LogEnd or the position of an event: not
	// every store can read from a place between two.
	ReadAll(ctx context.Context, from Position, dir Direction, limit int) ([]Recorded, error)

	// Subscribe follows the whole log after a position, without gap or
	// repeat. The caller closes the subscription.
	Subscribe(after Position) Subscription

	// Truncate erases the events of a stream below a revision, for good;
	// StreamEnd erases all of them. Revisions go on counting from where they
	// were. Erasing what is erased is no error.
	Truncate(ctx context.Context, stream Stream, before Revision) error

	// Overwrite puts other data in the place of that of some events of a
	// stream, for good. All else of an event stays. Data that is shorter than
	// what it replaces is followed by zeros up to the same length; longer data
	// is an error, and then nothing is changed. Events that are erased are
	// passed over. Doing it again changes nothing, and finishes what an
	// unavailable store left undone. Errors: ErrFixed, too.
	Overwrite(ctx context.Context, stream Stream, with ...Replacement) error

	// Head is the position of the newest durable event, LogStart when empty.
	Head(ctx context.Context) (Position, error)

	// Close ends the store. Calls under way end with ErrClosed.
	Close() error
}

// Subscription is one reader's place in the log. It is used by one goroutine.
type Subscription interface {
	// Next waits for events after the last ones it returned and returns them,
	// at least one, in the log's order. It ends with the context's error, with
	// ErrClosed when the store closes, or with a read error; after an error it
	// may be called again and goes on where it was.
	Next(ctx context.Context) ([]Recorded, error)

	// Close frees the subscription.
	Close() error
}

// MaxAppend bounds the sizes of one append's records together, in bytes. It is
// below EventStoreDB's default of 1 MiB so that a log can move there.
const MaxAppend = 1<<20 - 4096

// Record is an encoded event, ready to be appended.
type Record struct {
	// ID is unique and fixed before the first try to append: it is how a
	// store recognises a retry.
	ID ID
	// Type is the stored name, for example "MessageReceived".
	Type string
	// JSON says that Data is JSON; otherwise it is binary (msgpack for ours).
	JSON bool
	Data []byte
	// Metadata is a JSON object (see Metadata), or empty.
	Metadata []byte
}

// Size is what the record counts towards MaxAppend, in bytes.
func (r Record) Size() int { return len(r.Type) + len(r.Data) + len(r.Metadata) }

// Replacement is what an event's data become.
type Replacement struct {
	Revision Revision
	Data     []byte
}

// Over gives the data as it stands in the place of other data: with zeros behind
// it. Errors: it is longer.
func (r Replacement) Over(was []byte) ([]byte, error) {
	if len(r.Data) > len(was) {
		return nil, fmt.Errorf("event %d: %d bytes are no room for %d", r.Revision, len(was), len(r.Data))
	}
	return append(bytes.Clone(r.Data), make([]byte, len(was)-len(r.Data))...), nil
}

// Recorded is an event as the log holds it. Its slices belong to the reader.
type Recorded struct {
	Record
	Stream   Stream
	Revision Revision
	Position Position
	// Stored is when the store wrote it, by the store's clock.
	Stored Instant
}

// Appended tells where the last record of an append stands.
type Appended struct {
	Revision Revision
	Position Position
}

var (
	// ErrClosed is returned by a store that was closed.
	ErrClosed = errors.New("event store is closed")
	// ErrFull is returned when the disk has no room; nothing was stored.
	ErrFull = errors.New("event store has no room left")
	// ErrTooLarge is returned for an append over MaxAppend; nothing was stored.
	ErrTooLarge = fmt.Errorf("append is larger than %d bytes", MaxAppend)
	// ErrFixed is returned by a store in which nothing can be overwritten.
	ErrFixed = errors.New("what is in the event store cannot be overwritten")
	// ErrUnavailable is returned while the store cannot be reached or has
	// stopped after a failed write. The outcome of an append is unknown.
	ErrUnavailable = errors.New("event store is unavailable")
	// ErrCorrupt is returned when stored bytes are not what was written.
	ErrCorrupt = errors.New("event store is corrupt")
)

// WrongRevision says that a stream was not where an append expected it.
type WrongRevision struct {
	Stream   Stream
	Expected Revision
	Actual   Revision
}

// Error names the stream and both revisions.
func (e *WrongRevision) Error() string {
	return fmt.Sprintf("stream %s is at revision %d, expected %d", e.Stream, e.Actual, e.Expected)
}

// CheckAppend is the part of Append's contract that needs no store: at least
// one record, and no more than MaxAppend bytes.
func CheckAppend(records []Record) error {
	if len(records) == 0 {
		return errors.New("append without records")
	}
	size := 0
	for _, r := range records {
		size += r.Size()
	}
	if size > MaxAppend {
		return ErrTooLarge
	}
	return nil
}
