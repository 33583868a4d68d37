package esdbserver

import (
	"context"
	"errors"
	"fmt"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"

	"parley/events"
)

// streams serves reading, appending and deleting. BatchAppend stays
// Unimplemented: clients then append one by one.
type streams struct {
	api.UnimplementedStreamsServer
	store  events.Store
	recent *recent
	turns  *turns
	// closing ends when the server stops.
	closing context.Context
}

// errStopping ends subscriptions when the server stops.
var errStopping = errors.New("the server is stopping")

// fail gives an error as gRPC tells it, trailers and all.
func fail(stream grpc.ServerStream, err error) error {
	trailers, err := statusOf(err)
	stream.SetTrailer(trailers)
	return err
}

// condition is what becomes of expectations about a stream.
type condition struct {
	// last is the revision of the last event, erased or not, or NoStream.
	last events.Revision
	// deleted says that the stream was deleted, and may begin again;
	// tombstoned, that it never does.
	deleted, tombstoned bool
	// described says that there is no event, but metadata. Then the stream
	// exists, for those who ask for that alone.
	described bool
}

// condition looks at a stream's end.
func (s *streams) condition(ctx context.Context, stream events.Stream) (condition, error) {
	newest, err := s.store.Read(ctx, stream, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		return condition{}, err
	}
	if len(newest) > 0 {
		return condition{last: newest[0].Revision, tombstoned: newest[0].Type == tombstone}, nil
	}
	// A store has no question for the revision of what is erased. The refusal
	// of an append that is impossible tells.
	_, err = s.store.Append(ctx, stream, events.StreamEnd, events.Record{Type: "impossible"})
	var wrong *events.WrongRevision
	if !errors.As(err, &wrong) {
		return condition{}, fmt.Errorf("look where %s ends: %w", stream, err)
	}
	p, err := s.properties(ctx, stream)
	if err != nil {
		return condition{}, err
	}
	known, err := s.store.Read(ctx, metadataOf(stream), events.StreamEnd, events.Backwards, 1)
	return condition{last: wrong.Actual, deleted: p.deleted(), described: len(known) > 0}, err
}
