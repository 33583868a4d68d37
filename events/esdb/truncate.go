package esdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"parley/events"
)

// A stream's metadata are the events of the stream with its name behind two
// dollars. The first revision that is not erased is one of them.
const (
	metadataPrefix = "$$"
	metadataType   = "$metadata"
	truncateBefore = "$tb"
)

// conflicts bounds how often the metadata are read anew since others changed
// them.
const conflicts = 10

// Truncate implements [events.Store]. It tells the server by the stream's
// metadata. The stream is not deleted, which would let it begin anew for those
// who expect none, but erased up to its end. What the server is told already it
// is told again, since it may not have done it.
func (s *Store) Truncate(ctx context.Context, stream events.Stream, before events.Revision) error {
	if before <= events.StreamStart {
		return s.usable(ctx)
	}
	for range conflicts {
		err := s.truncate(ctx, stream, before)
		if wrong := (*events.WrongRevision)(nil); err == nil || !errors.As(err, &wrong) {
			return err
		}
	}
	return fmt.Errorf("erase %s: %w: others keep changing its metadata", stream, events.ErrUnavailable)
}

func (s *Store) truncate(ctx context.Context, stream events.Stream, before events.Revision) error {
	newest, err := s.Read(ctx, stream, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		return err
	}
	metadata := metadataPrefix + stream
	known, err := s.Read(ctx, metadata, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		return err
	}
	at, properties := events.NoStream, map[string]json.RawMessage{}
	if len(known) > 0 {
		at = known[0].Revision
		if err := readProperties(known[0].Record, properties); err != nil {
			return fmt.Errorf("read the metadata of %s: %w", stream, err)
		}
	}
	told, isTold := properties[truncateBefore]
	switch {
	case len(newest) > 0:
		properties[truncateBefore], err = json.Marshal(later(told, min(before, newest[0].Revision+1)))
	case !isTold: // there is nothing to erase
		return nil
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(properties)
	if err != nil {
		return err
	}
	_, err = s.Append(ctx, metadata, at, events.Record{ID: uuid.New(), Type: metadataType, JSON: true, Data: data})
	return err
}

// readProperties adds what metadata say. Others write there, too: an event of
// another type says nothing, nor does null.
func readProperties(r events.Record, properties map[string]json.RawMessage) error {
	if r.Type != metadataType || len(r.Data) == 0 {
		return nil
	}
	var said map[string]json.RawMessage
	if err := json.Unmarshal(r.Data, &said); err != nil {
		return err
	}
	maps.Copy(properties, said)
	return nil
}

// later is the revision to erase before, which never goes back. Of a stream
// that was deleted and has begun anew only the new beginning counts.
func later(told json.RawMessage, before events.Revision) events.Revision {
	var earlier events.Revision
	if json.Unmarshal(told, &earlier) != nil || earlier == events.StreamEnd {
		return before
	}
	return max(earlier, before)
}

// Overwrite implements [events.Store]: an EventStoreDB cannot.
func (s *Store) Overwrite(ctx context.Context, _ events.Stream, _ ...events.Replacement) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return events.ErrFixed
}
