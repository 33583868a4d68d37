package esdbserver

import (
	"context"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"

	"parley/events"
)

// tombstone is the type of the last event of a stream that is deleted for good.
const tombstone = "$streamDeleted"

// Delete erases a stream, which may begin again behind where it ended.
func (s *streams) Delete(ctx context.Context, r *api.DeleteReq) (*api.DeleteResp, error) {
	done, err := s.remove(ctx, r.GetOptions(), s.erase)
	if err != nil {
		return nil, err
	}
	at := uint64(done.Position)
	return &api.DeleteResp{PositionOption: &api.DeleteResp_Position_{
		Position: &api.DeleteResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// Tombstone erases a stream for good.
func (s *streams) Tombstone(ctx context.Context, r *api.TombstoneReq) (*api.TombstoneResp, error) {
	done, err := s.remove(ctx, r.GetOptions(), s.bury)
	if err != nil {
		return nil, err
	}
	at := uint64(done.Position)
	return &api.TombstoneResp{PositionOption: &api.TombstoneResp_Position_{
		Position: &api.TombstoneResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// remove removes a stream that is as expected.
func (s *streams) remove(ctx context.Context, o options, how func(context.Context, events.Stream, events.Revision) (events.Appended, error)) (done events.Appended, err error) {
	defer func() {
		if err != nil {
			trailers, failure := statusOf(err)
			_ = grpc.SetTrailer(ctx, trailers) // fails only for what is no call
			err = failure
		}
	}()
	stream, err := streamOf(o.GetStreamIdentifier())
	if err != nil {
		return done, err
	}
	leave, err := s.turns.take(ctx, stream)
	if err != nil {
		return done, err
	}
	defer leave()
	c, err := s.condition(ctx, stream)
	if err != nil {
		return done, err
	}
	if c.tombstoned { // the server may have ended before the rest was erased
		if err := s.store.Truncate(ctx, stream, c.last); err != nil {
			return done, err
		}
	}
	last, err := expectedOf(o).meet(stream, c)
	if err != nil {
		return done, err
	}
	return how(ctx, stream, last)
}

// erase says that the stream is deleted, and erases what was there then. What
// somebody appends meanwhile is the stream's new beginning.
func (s *streams) erase(ctx context.Context, stream events.Stream, last events.Revision) (events.Appended, error) {
	done, err := s.change(ctx, stream, "$tb", events.StreamEnd)
	if err != nil {
		return done, err
	}
	if err := s.store.Truncate(ctx, stream, last+1); err != nil {
		return done, err
	}
	return done, s.revive(ctx, stream)
}

// bury sets the tombstone first: behind it nothing is appended any more.
func (s *streams) bury(ctx context.Context, stream events.Stream, last events.Revision) (events.Appended, error) {
	done, err := s.store.Append(ctx, stream, last, events.Record{ID: uuid.New(), Type: tombstone})
	if err != nil {
		return done, err
	}
	return done, s.store.Truncate(ctx, stream, done.Revision)
}
