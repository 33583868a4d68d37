package esdbserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"parley/events"
)

// guard lets in who knows the password, by Basic authentication. Without a
// password it lets everybody in. Who asks only for the members of the cluster
// and the features is let in, too: the official client sends nothing with that.
type guard struct {
	user     string
	password events.Secret
}

func (g guard) unary(ctx context.Context, request any, call *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	switch call.FullMethod {
	case gossip.Gossip_Read_FullMethodName, serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName:
		return next(ctx, request)
	}
	if err := g.check(ctx); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (g guard) stream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := g.check(stream.Context()); err != nil {
		return err
	}
	return next(server, stream)
}

func (g guard) check(ctx context.Context) error {
	if g.password.IsZero() {
		return nil
	}
	for _, header := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if user, password, ok := basic(header); ok && same(user, g.user) && same(password, g.password.Reveal()) {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "Unauthenticated")
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
