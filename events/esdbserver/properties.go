package esdbserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// A stream's metadata are the events of the stream named metadataPrefix and
// its name; the newest counts.
const (
	metadataPrefix = "$$"
	metadataType   = "$metadata"
)

func isMetadata(stream events.Stream) bool { return strings.HasPrefix(string(stream), metadataPrefix) }

func metadataOf(stream events.Stream) events.Stream { return metadataPrefix + stream }

// properties are the metadata of a stream that bound what is read of it.
type properties struct {
	// TruncateBefore is the first revision that is not erased; the largest one
	// means that the stream was deleted.
	TruncateBefore events.Revision `json:"$tb"`
	// MaxCount and MaxAge (in seconds) hide what is beyond them; 0 hides
	// nothing.
	MaxCount int64 `json:"$maxCount"`
	MaxAge   int64 `json:"$maxAge"`
}

// deleted reports that the stream was deleted, but not for good. It holds for
// as long as nothing was appended to it again.
func (p properties) deleted() bool { return p.TruncateBefore == events.StreamEnd }

// properties reads a stream's metadata.
func (s *streams) properties(ctx context.Context, stream events.Stream) (p properties, err error) {
	if isMetadata(stream) {
		return properties{MaxCount: 1}, nil
	}
	newest, err := s.store.Read(ctx, metadataOf(stream), events.StreamEnd, events.Backwards, 1)
	if err != nil || len(newest) == 0 {
		return p, err
	}
	return p, p.read(newest[0].Record)
}

func (p *properties) read(r events.Record) error {
	if r.Type != metadataType || len(r.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Data, p); err != nil {
		return status.Errorf(codes.InvalidArgument, "stream metadata: %v", err)
	}
	return nil
}

// checkMetadata refuses metadata that could not be obeyed.
func checkMetadata(stream events.Stream, records []events.Record) error {
	if !isMetadata(stream) {
		return nil
	}
	for _, r := range records {
		if err := new(properties).read(r); err != nil {
			return err
		}
	}
	return nil
}

// obey erases what a stream's new metadata say is erased.
func (s *streams) obey(ctx context.Context, metadata events.Stream, r events.Record) error {
	var p properties
	if err := p.read(r); err != nil || p.TruncateBefore <= events.StreamStart {
		return err
	}
	return s.store.Truncate(ctx, events.Stream(strings.TrimPrefix(string(metadata), metadataPrefix)), p.TruncateBefore)
}

// visible is what a reader may see of a stream.
type visible struct {
	from  events.Revision
	since events.Instant
}

// visible works out what the metadata leave of a stream.
func (s *streams) visible(ctx context.Context, stream events.Stream) (v visible, err error) {
	p, err := s.properties(ctx, stream)
	if err != nil {
		return v, err
	}
	if !p.deleted() { // what was before a deletion is erased
		v.from = p.TruncateBefore
	}
	if p.MaxAge > 0 {
		v.since = events.At(time.Now().Add(-time.Duration(min(p.MaxAge, math.MaxInt64/int64(time.Second))) * time.Second))
	}
	if p.MaxCount > 0 {
		c, err := s.condition(ctx, stream)
		if err != nil {
			return v, err
		}
		v.from = max(v.from, c.last-events.Revision(p.MaxCount)+1)
	}
	return v, nil
}

func (v visible) shows(e events.Recorded) bool { return e.Revision >= v.from && e.Stored >= v.since }

// change sets one of a stream's metadata and keeps the others, also those that
// somebody sets meanwhile.
func (s *streams) change(ctx context.Context, stream events.Stream, key string, value any) (done events.Appended, err error) {
	for range tries {
		done, err = s.tryChange(ctx, metadataOf(stream), key, value)
		if wrong := (*events.WrongRevision)(nil); !errors.As(err, &wrong) {
			return done, err
		}
	}
	return done, events.ErrUnavailable
}

func (s *streams) tryChange(ctx context.Context, metadata events.Stream, key string, value any) (events.Appended, error) {
	c, err := s.condition(ctx, metadata)
	if err != nil {
		return events.Appended{}, err
	}
	if c.tombstoned {
		return events.Appended{}, &deletedError{metadata}
	}
	newest, err := s.store.Read(ctx, metadata, c.last, events.Backwards, 1)
	if err != nil {
		return events.Appended{}, err
	}
	all := map[string]any{}
	if len(newest) > 0 && newest[0].Type == metadataType && len(newest[0].Data) > 0 {
		kept := map[string]json.RawMessage{}
		if err := json.Unmarshal(newest[0].Data, &kept); err != nil {
			return events.Appended{}, fmt.Errorf("stream metadata: %w", err)
		}
		for k, v := range kept {
			all[k] = v
		}
	}
	all[key] = value
	data, err := json.Marshal(all)
	if err != nil {
		return events.Appended{}, err
	}
	return s.store.Append(ctx, metadata, c.last, events.Record{ID: uuid.New(), Type: metadataType, JSON: true, Data: data})
}

// settle revives a stream that has events, though its metadata say that it is
// deleted: it has begun again. Who reads the metadata and writes them again would
// else delete it once more.
func (s *streams) settle(ctx context.Context, stream events.Stream) error {
	if p, err := s.properties(ctx, stream); err != nil || !p.deleted() {
		return err
	}
	leave, err := s.turns.take(ctx, stream) // a deletion that is under way comes first
	if err != nil {
		return err
	}
	defer leave()
	return s.revive(ctx, stream)
}

// revive does so for who has the stream's turn.
func (s *streams) revive(ctx context.Context, stream events.Stream) error {
	p, err := s.properties(ctx, stream)
	if err != nil || !p.deleted() {
		return err
	}
	first, err := s.store.Read(ctx, stream, events.StreamStart, events.Forwards, 1)
	if err != nil || len(first) == 0 {
		return err
	}
	_, err = s.change(ctx, stream, "$tb", first[0].Revision)
	return err
}
