package esdbserver

import (
	"context"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// Append takes an append: first where, then events.
func (s *streams) Append(in api.Streams_AppendServer) error {
	options, records, err := receive(in)
	if err != nil {
		return fail(in, err)
	}
	stream, err := streamOf(options.GetStreamIdentifier())
	if err != nil {
		return fail(in, err)
	}
	done, err := s.append(in.Context(), stream, expectedOf(options), records)
	if err == nil {
		err = s.conclude(in.Context(), stream, records)
	}
	var wrong *events.WrongRevision
	switch {
	case errors.As(err, &wrong):
		return in.SendAndClose(wrongExpected(options, wrong.Actual))
	case err != nil:
		return fail(in, err)
	}
	at := uint64(done.Position)
	return in.SendAndClose(&api.AppendResp{Result: &api.AppendResp_Success_{Success: &api.AppendResp_Success{
		CurrentRevisionOption: &api.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(done.Revision)},
		PositionOption:        &api.AppendResp_Success_Position{Position: &api.AppendResp_Position{CommitPosition: at, PreparePosition: at}},
	}}})
}

// receive reads a whole append, also one that is refused: a client that is
// answered while it sends never learns why. What is too large is not kept.
func receive(in api.Streams_AppendServer) (options *api.AppendReq_Options, records []events.Record, refusal error) {
	size := 0
	for {
		m, err := in.Recv()
		switch {
		case errors.Is(err, io.EOF):
			if refusal == nil {
				refusal = complete(options, records)
			}
			return options, records, refusal
		case err != nil:
			return nil, nil, err
		case m.GetOptions() != nil:
			options = m.GetOptions()
			continue
		case refusal != nil:
			continue
		}
		r, err := recordOf(m.GetProposedMessage())
		if size += r.Size(); err == nil && size > events.MaxAppend {
			err = events.ErrTooLarge
		}
		if records = append(records, r); err != nil {
			records, refusal = nil, err
		}
	}
}

// complete refuses an append that lacks something.
func complete(options *api.AppendReq_Options, records []events.Record) error {
	switch {
	case options == nil:
		return status.Error(codes.InvalidArgument, "the append does not say where")
	case len(records) == 0:
		return status.Error(codes.InvalidArgument, "the append has no events")
	}
	return nil
}

// wrongExpected is no error to gRPC, but an answer.
func wrongExpected(o *api.AppendReq_Options, actual events.Revision) *api.AppendResp {
	w := &api.AppendResp_WrongExpectedVersion{}
	if actual == events.NoStream {
		w.CurrentRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
		w.CurrentRevisionOption = &api.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption_20_6_0 = &api.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: uint64(actual)}
		w.CurrentRevisionOption = &api.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(actual)}
	}
	switch e := expectedOf(o); e {
	case anywhere:
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	case existing:
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	case expected(events.NoStream):
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &api.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(e)}
	}
	return &api.AppendResp{Result: &api.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}

// tries bounds how often an append looks anew where a stream ends that others
// append to, at a revision they know.
const tries = 100

// append stores records where they are expected. Exact expectations go to the
// store as they are, which knows retries for ever; the others are met at the
// stream's end, and retries of them known for a while.
func (s *streams) append(ctx context.Context, stream events.Stream, at expected, records []events.Record) (done events.Appended, err error) {
	if err := checkMetadata(stream, records); err != nil {
		return done, err
	}
	if at >= expected(events.NoStream) {
		var wrong *events.WrongRevision
		if done, err = s.store.Append(ctx, stream, events.Revision(at), records...); !errors.As(err, &wrong) {
			return s.stored(stream, done, records, err)
		}
	}
	leave, err := s.turns.take(ctx, stream)
	if err != nil {
		return done, err
	}
	defer leave()
	if at < expected(events.NoStream) {
		if done, ok := s.recent.find(stream, records); ok {
			return done, nil
		}
	}
	return s.appendAtEnd(ctx, stream, at, records)
}

// appendAtEnd stores records at the end of a stream that is as expected.
func (s *streams) appendAtEnd(ctx context.Context, stream events.Stream, at expected, records []events.Record) (done events.Appended, err error) {
	for range tries {
		c, err := s.condition(ctx, stream)
		if err != nil {
			return done, err
		}
		last, err := at.meet(stream, c)
		if err != nil {
			return done, err
		}
		done, err = s.store.Append(ctx, stream, last, records...)
		if wrong := (*events.WrongRevision)(nil); !errors.As(err, &wrong) {
			return s.stored(stream, done, records, err)
		}
	}
	return done, events.ErrUnavailable
}

// stored remembers what was appended.
func (s *streams) stored(stream events.Stream, done events.Appended, records []events.Record, err error) (events.Appended, error) {
	if err == nil {
		s.recent.add(stream, done, records)
	}
	return done, err
}

// conclude does what follows from an append, also from one that was tried before:
// the server may have ended before it was done.
func (s *streams) conclude(ctx context.Context, stream events.Stream, records []events.Record) error {
	if isMetadata(stream) {
		return s.obey(ctx, stream, records[len(records)-1])
	}
	return s.settle(ctx, stream)
}
