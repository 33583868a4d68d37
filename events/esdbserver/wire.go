package esdbserver

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"parley/events"
)

// The keys and values of an event's system metadata.
const (
	keyType        = "type"
	keyContentType = "content-type"
	keyCreated     = "created"
	typeJSON       = "application/json"
	typeBinary     = "application/octet-stream"
)

// ticks are .NET's: 100 ns each, since 1970. Clients of version 4 end their
// process when "created" is anything else.
func ticks(t time.Time) int64 { return t.UnixMicro() * 10 }

// recordOf reads an event that a client proposes.
func recordOf(m *api.AppendReq_ProposedMessage) (events.Record, error) {
	id, err := idOf(m.GetId())
	if err != nil || id == uuid.Nil { // with one ID for all, the second event would be a retry of the first
		return events.Record{}, status.Error(codes.InvalidArgument, "an event's ID is no UUID, or empty")
	}
	for _, key := range []string{keyType, keyContentType} {
		if m.GetMetadata()[key] == "" {
			return events.Record{}, status.Errorf(codes.InvalidArgument, "Required metadata %q is missing", key)
		}
	}
	return events.Record{
		ID: id, Type: m.GetMetadata()[keyType], JSON: m.GetMetadata()[keyContentType] == typeJSON,
		Data: m.GetData(), Metadata: m.GetCustomMetadata(),
	}, nil
}

func idOf(id *shared.UUID) (uuid.UUID, error) {
	if text := id.GetString_(); text != "" {
		return uuid.Parse(text)
	}
	s := id.GetStructured()
	if s == nil {
		return uuid.Nil, errors.New("no ID")
	}
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(s.GetMostSignificantBits()))
	binary.BigEndian.PutUint64(u[8:], uint64(s.GetLeastSignificantBits()))
	return u, nil
}

// form is how a client wants to be told IDs.
type form bool

const asText, asNumbers form = false, true

func (f form) id(u uuid.UUID) *shared.UUID {
	if f == asText {
		return &shared.UUID{Value: &shared.UUID_String_{String_: u.String()}}
	}
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(u[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(u[8:])),
	}}}
}

// event is an event as clients read it.
func (f form) event(e events.Recorded) *api.ReadResp {
	contentType := typeBinary
	if e.JSON {
		contentType = typeJSON
	}
	revision, at := uint64(e.Revision), uint64(e.Position)
	if e.Type == tombstone {
		revision = math.MaxInt64
	}
	return &api.ReadResp{Content: &api.ReadResp_Event{Event: &api.ReadResp_ReadEvent{
		Event: &api.ReadResp_ReadEvent_RecordedEvent{
			Id: f.id(e.ID), StreamIdentifier: nameOf(e.Stream), StreamRevision: revision,
			PreparePosition: at, CommitPosition: at,
			Metadata: map[string]string{
				keyType: e.Type, keyContentType: contentType,
				keyCreated: strconv.FormatInt(ticks(e.Stored.Time()), 10),
			},
			Data: e.Data, CustomMetadata: e.Metadata,
		},
		Position: &api.ReadResp_ReadEvent_CommitPosition{CommitPosition: at},
	}}}
}

func nameOf(s events.Stream) *shared.StreamIdentifier {
	return &shared.StreamIdentifier{StreamName: []byte(s)}
}

// maxName bounds the name of a stream, in bytes: every event is read with it.
const maxName = 4096

func streamOf(n *shared.StreamIdentifier) (events.Stream, error) {
	switch name := n.GetStreamName(); {
	case len(name) == 0:
		return "", status.Error(codes.InvalidArgument, "the request names no stream")
	case len(name) > maxName:
		return "", status.Errorf(codes.InvalidArgument, "the name of the stream is longer than %d bytes", maxName)
	case !utf8.Valid(name):
		return "", status.Error(codes.InvalidArgument, "the name of the stream is no UTF-8")
	}
	return events.Stream(n.GetStreamName()), nil
}

// deletedError says that a stream was deleted for good.
type deletedError struct{ stream events.Stream }

// Error names the stream.
func (e *deletedError) Error() string { return "Event stream '" + string(e.stream) + "' is deleted." }

// statusOf gives an error as gRPC tells it, and what follows in the trailers.
func statusOf(err error) (trailers metadata.MD, _ error) {
	var deleted *deletedError
	var wrong *events.WrongRevision
	switch {
	case errors.As(err, &deleted):
		return metadata.Pairs("exception", "stream-deleted", "stream-name", plain(string(deleted.stream))),
			status.Error(codes.FailedPrecondition, deleted.Error())
	case errors.As(err, &wrong):
		return metadata.Pairs("exception", "wrong-expected-version", "stream-name", plain(string(wrong.Stream)),
				"expected-version", strconv.FormatInt(int64(wrong.Expected), 10), "actual-version", strconv.FormatInt(int64(wrong.Actual), 10)),
			status.Error(codes.FailedPrecondition, wrong.Error())
	case errors.Is(err, errDenied):
		return metadata.Pairs("exception", "access-denied"), status.Error(codes.PermissionDenied, err.Error())
	case errors.Is(err, events.ErrTooLarge):
		return metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(events.MaxAppend)),
			status.Error(codes.InvalidArgument, "Maximum Append Size Exceeded: "+events.ErrTooLarge.Error())
	case errors.Is(err, events.ErrFull):
		return nil, status.Error(codes.ResourceExhausted, events.ErrFull.Error())
	case errors.Is(err, events.ErrCorrupt):
		return nil, status.Error(codes.DataLoss, err.Error())
	case errors.Is(err, events.ErrClosed), errors.Is(err, events.ErrUnavailable), errors.Is(err, errStopping):
		return nil, status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil, status.FromContextError(err).Err()
	}
	if _, ok := status.FromError(err); ok {
		return nil, err
	}
	return nil, status.Error(codes.Internal, err.Error())
}

// plain keeps what a header can carry.
func plain(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
