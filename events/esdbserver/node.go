package esdbserver

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
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
// them.
func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	methods := &serverfeatures.SupportedMethods{EventStoreServerVersion: protocolVersion}
	for _, m := range [][2]string{
		{"event_store.client.streams.streams", "append"},
		{"event_store.client.streams.streams", "read"},
		{"event_store.client.streams.streams", "delete"},
		{"event_store.client.streams.streams", "tombstone"},
		{"event_store.client.gossip.gossip", "read"},
	} {
		methods.Methods = append(methods.Methods, &serverfeatures.SupportedMethod{ServiceName: m[0], MethodName: m[1]})
	}
	return methods, nil
}
