package esdbserver

import (
	"context"
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// alone is the gossip of a cluster of one, which is its leader.
type alone struct {
	gossip.UnimplementedGossipServer
}

// Read gives the address that the client itself used: whatever way leads here
// is a good one.
func (alone) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	at := metadata.ValueFromIncomingContext(ctx, ":authority")
	if len(at) == 0 {
		return nil, status.Error(codes.InvalidArgument, "the request names no host")
	}
	host, port := at[0], uint64(2113) // EventStoreDB's own
	if h, p, err := net.SplitHostPort(at[0]); err == nil {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil {
			return nil, status.Error(codes.InvalidArgument, "the request names no port")
		}
		host = h
	}
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		State: gossip.MemberInfo_Leader, IsAlive: true, TimeStamp: ticks(time.Now()),
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(port)},
	}}}, nil
}

// protocolVersion is the version of EventStoreDB whose protocol is spoken.
const protocolVersion = "23.10.0"

// features tells what is served.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

// GetSupportedMethods lists the methods in small letters, as clients look for
// them. BatchAppend is not there: clients append one by one then.
//
// Persistent subscriptions are there, though they are refused: about what is
// not listed clients ask by HTTP, and would hear nothing that they understand.
func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	methods := &serverfeatures.SupportedMethods{EventStoreServerVersion: protocolVersion}
	for service, names := range map[string][]string{
		"event_store.client.streams.streams": {"append", "read", "delete", "tombstone"},
		"event_store.client.gossip.gossip":   {"read"},
		persistentSubscriptions:              {"create", "update", "delete", "read", "getinfo", "replayparked", "list", "restartsubsystem"},
	} {
		for _, name := range names {
			m := &serverfeatures.SupportedMethod{ServiceName: strings.ToLower(service), MethodName: name}
			if service == persistentSubscriptions {
				m.Features = []string{"stream", "all"}
			}
			methods.Methods = append(methods.Methods, m)
		}
	}
	return methods, nil
}

// persistentSubscriptions and projections are services of an EventStoreDB that
// clients may expect.
const (
	persistentSubscriptions = "event_store.client.persistent_subscriptions.PersistentSubscriptions"
	projections             = "event_store.client.projections.Projections"
)

// notOffered answers for all services that there are not. It hears the request
// first: a client that is answered while it sends never learns why.
func notOffered(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(new(shared.Empty)); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(stream) // it has one
	service := strings.TrimPrefix(path.Dir(method), "/")
	switch service {
	case persistentSubscriptions:
		return status.Error(codes.Unimplemented, "this log offers no persistent subscriptions; subscribe to a stream or to $all, and keep the position yourself")
	case projections:
		return status.Error(codes.Unimplemented, "this log offers no projections; read streams, or $all with a filter")
	}
	return status.Errorf(codes.Unimplemented, "this log offers no %s", service)
}
