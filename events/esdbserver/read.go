package esdbserver

import (
	"context"
	"math"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// page is how many events are read from the store at a time.
const page = 256

// Read serves a read of so many events, or a subscription.
func (s *streams) Read(r *api.ReadReq, out api.Streams_ReadServer) error {
	if err := s.read(r.GetOptions(), out); err != nil {
		return fail(out, err)
	}
	return nil
}

func (s *streams) read(o *api.ReadReq_Options, out api.Streams_ReadServer) error {
	_, numbers := o.GetUuidOption().GetContent().(*api.ReadReq_Options_UUIDOption_Structured)
	to := &reader{out: out, form: form(numbers)}
	dir := events.Direction(o.GetReadDirection() == api.ReadReq_Options_Backwards)
	switch {
	case o.GetSubscription() != nil:
		return s.subscribe(o, to)
	case o.GetAll() != nil:
		f, err := filterOf(o.GetFilter())
		if err != nil {
			return err
		}
		return s.readAll(to, allFrom(o.GetAll(), dir), dir, f, o.GetCount())
	case o.GetStream() != nil:
		stream, err := streamOf(o.GetStream().GetStreamIdentifier())
		if err != nil {
			return err
		}
		return s.readStream(to, stream, streamFrom(o.GetStream(), dir), dir, o.GetCount())
	}
	return status.Error(codes.InvalidArgument, "the read names no stream")
}

// reader is who reads.
type reader struct {
	out  api.Streams_ReadServer
	form form
}

func (r *reader) context() context.Context { return r.out.Context() }

func (r *reader) send(e events.Recorded) error { return r.out.Send(r.form.event(e)) }

// streamFrom is where a read of a stream begins.
func streamFrom(o *api.ReadReq_Options_StreamOptions, dir events.Direction) events.Revision {
	switch {
	case o.GetStart() != nil:
		return events.StreamStart
	case o.GetEnd() != nil:
		return events.StreamEnd
	}
	if _, ok := o.GetRevisionOption().(*api.ReadReq_Options_StreamOptions_Revision); !ok && dir == events.Backwards {
		return events.StreamEnd
	}
	return events.Revision(min(o.GetRevision(), math.MaxInt64))
}

// allFrom is where a read of the log begins.
func allFrom(o *api.ReadReq_Options_AllOptions, dir events.Direction) events.Position {
	switch {
	case o.GetStart() != nil:
		return events.LogStart
	case o.GetEnd() != nil, o.GetPosition() == nil && dir == events.Backwards:
		return events.LogEnd
	}
	return events.Position(min(o.GetPosition().GetCommitPosition(), math.MaxInt64))
}

// readStream sends up to count events of a stream.
func (s *streams) readStream(to *reader, stream events.Stream, from events.Revision, dir events.Direction, count uint64) error {
	ctx := to.context()
	v, err := s.visible(ctx, stream)
	if err != nil {
		return err
	}
	step := events.Revision(1)
	if dir == events.Backwards {
		step = -1
	} else {
		from = max(from, v.from)
	}
	for first := true; count > 0 && from >= v.from; first = false {
		es, err := s.store.Read(ctx, stream, from, dir, int(min(count, page)))
		if err != nil {
			return err
		}
		if len(es) == 0 && first {
			return s.checkFound(to, stream)
		}
		for _, e := range es {
			if e.Type == tombstone { // the rest is not erased yet
				return &deletedError{stream}
			}
			if from = e.Revision + step; !v.shows(e) {
				continue
			}
			if err := to.send(e); err != nil {
				return err
			}
			count--
		}
		if len(es) == 0 {
			return nil
		}
	}
	return nil
}

// checkFound tells a reader who got nothing whether there is a stream at all.
func (s *streams) checkFound(to *reader, stream events.Stream) error {
	c, err := s.condition(to.context(), stream)
	switch {
	case err != nil:
		return err
	case c.tombstoned:
		return &deletedError{stream}
	case c.last != events.NoStream && !c.deleted:
		return nil
	}
	return to.out.Send(&api.ReadResp{Content: &api.ReadResp_StreamNotFound_{
		StreamNotFound: &api.ReadResp_StreamNotFound{StreamIdentifier: nameOf(stream)},
	}})
}

// readAll sends up to count events of the log that the filter wants.
func (s *streams) readAll(to *reader, from events.Position, dir events.Direction, f *filter, count uint64) error {
	for count > 0 {
		n := page
		if f == nil {
			n = int(min(count, page))
		}
		es, err := s.store.ReadAll(to.context(), from, dir, n)
		if err != nil || len(es) == 0 {
			return err
		}
		for _, e := range es {
			if !f.wants(e) || count == 0 {
				continue
			}
			if err := to.send(e); err != nil {
				return err
			}
			count--
		}
		if from = es[len(es)-1].Position; dir == events.Forwards {
			from++
		}
	}
	return nil
}
