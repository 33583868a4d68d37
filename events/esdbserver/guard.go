package esdbserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"parley/events"
)

// guard lets in who knows a password, by Basic authentication. Without any it
// lets everybody in. Who asks only for the members of the cluster and the
// features is let in, too: the official client sends nothing with that.
type guard struct {
	writer, reader credentials
}

// credentials are a name and a password; without a password they are nobody's.
type credentials struct {
	user     string
	password events.Secret
}

func (g guard) unary(ctx context.Context, request any, call *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	switch call.FullMethod {
	case gossip.Gossip_Read_FullMethodName, serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName:
		return next(ctx, request)
	}
	if err := g.check(ctx, call.FullMethod); err != nil {
		trailers, failure := statusOf(err)
		_ = grpc.SetTrailer(ctx, trailers) // fails only for what is no call
		return nil, failure
	}
	return next(ctx, request)
}

func (g guard) stream(server any, stream grpc.ServerStream, call *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := g.check(stream.Context(), call.FullMethod); err != nil {
		return fail(stream, err)
	}
	return next(server, stream)
}

// errDenied is for those who may only read.
var errDenied = errors.New("access denied: this user may only read")

// check lets a call pass if who makes it may.
func (g guard) check(ctx context.Context, method string) error {
	if g.writer.password.IsZero() && g.reader.password.IsZero() {
		return nil
	}
	for _, header := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		user, password, ok := basic(header)
		switch {
		case !ok:
		case g.writer.are(user, password):
			return nil
		case g.reader.are(user, password):
			if method == api.Streams_Read_FullMethodName {
				return nil
			}
			return errDenied
		}
	}
	return status.Error(codes.Unauthenticated, "Unauthenticated")
}

// are reports that a user and a password are these.
func (c credentials) are(user, password string) bool {
	return !c.password.IsZero() && same(user, c.user) && same(password, c.password.Reveal())
}

// basic reads the header of Basic authentication (RFC 7617).
func basic(header string) (user, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}

// same compares in a time that tells nothing.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
