package esdbserver_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/projections"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"parley/events"
	"parley/events/esdbserver"
)

// connect gives a connection without the official client, which sends no
// password without TLS.
func (d *db) connect(address string) *grpc.ClientConn {
	d.t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestUsers(t *testing.T) {
	d := open(t)
	d.put("a-1", event("A"))
	password := events.NewSecret("hunter2")
	writer := esdbserver.Options{User: "ada", Password: password}
	reader := esdbserver.Options{Reader: "eve", ReaderPassword: events.NewSecret("r3ad")}
	both := esdbserver.Options{User: writer.User, Password: password, Reader: reader.Reader, ReaderPassword: reader.ReaderPassword}
	const denied, unknown = codes.PermissionDenied, codes.Unauthenticated
	for rule, c := range map[string]struct {
		options                esdbserver.Options
		header                 string
		read, follow, write    codes.Code
		remove, anythingElseIs codes.Code
	}{
		"without users everybody does everything":   {esdbserver.Options{}, "", 0, 0, 0, 0, codes.Unimplemented},
		"the user does everything":                  {both, "ada:hunter2", 0, 0, 0, 0, codes.Unimplemented},
		"the reader reads":                          {both, "eve:r3ad", 0, 0, denied, denied, denied},
		"a reader alone leaves nobody who writes":   {reader, "eve:r3ad", 0, 0, denied, denied, denied},
		"a reader is nobody where there is none":    {writer, "eve:r3ad", unknown, unknown, unknown, unknown, unknown},
		"nobody has an empty name and password":     {writer, ":", unknown, unknown, unknown, unknown, unknown},
		"nor one who is only the user":              {reader, ":", unknown, unknown, unknown, unknown, unknown},
		"the reader's password is not the user's":   {both, "ada:r3ad", unknown, unknown, unknown, unknown, unknown},
		"who says nothing is nobody":                {both, "", unknown, unknown, unknown, unknown, unknown},
		"the user's password is not the reader's":   {both, "eve:hunter2", unknown, unknown, unknown, unknown, unknown},
		"a name that is longer is another":          {both, "evelyn:r3ad", unknown, unknown, unknown, unknown, unknown},
		"a password with a colon is compared whole": {both, "ada:hunter2:", unknown, unknown, unknown, unknown, unknown},
	} {
		t.Run(rule, func(t *testing.T) {
			connection := d.connect(d.serve(c.options))
			ctx := d.ctx
			if c.header != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.header)))
			}
			streams := api.NewStreamsClient(connection)
			if got := status.Code(read(ctx, streams, false)); got != c.read {
				t.Errorf("reading: %v", got)
			}
			if got := status.Code(read(ctx, streams, true)); got != c.follow {
				t.Errorf("following: %v", got)
			}
			if got := status.Code(write(ctx, streams)); got != c.write {
				t.Errorf("appending: %v", got)
			}
			var trailers metadata.MD
			_, err := streams.Delete(ctx, &api.DeleteReq{Options: &api.DeleteReq_Options{
				StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("b-1")},
				ExpectedStreamRevision: &api.DeleteReq_Options_Any{Any: &shared.Empty{}},
			}}, grpc.Trailer(&trailers))
			if status.Code(err) != c.remove {
				t.Errorf("deleting: %v", err)
			}
			if said := strings.Join(trailers["exception"], ""); (said == "access-denied") != (c.remove == denied) {
				t.Errorf("the exception of deleting is %q", said)
			}
			_, err = persistent.NewPersistentSubscriptionsClient(connection).List(ctx, &persistent.ListReq{})
			if status.Code(err) != c.anythingElseIs {
				t.Errorf("anything else: %v", err)
			}
		})
	}
}

// read reads the log's first event, or what a subscription says first.
func read(ctx context.Context, streams api.StreamsClient, follow bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &api.ReadReq_Options{
		StreamOption: &api.ReadReq_Options_All{All: &api.ReadReq_Options_AllOptions{AllOption: &api.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}}}},
		CountOption:  &api.ReadReq_Options_Count{Count: 1},
	}
	if follow {
		o.CountOption = &api.ReadReq_Options_Subscription{Subscription: &api.ReadReq_Options_SubscriptionOptions{}}
	}
	r, err := streams.Read(ctx, &api.ReadReq{Options: o})
	if err == nil {
		_, err = r.Recv()
	}
	return err
}

func write(ctx context.Context, streams api.StreamsClient) error {
	a, err := streams.Append(ctx)
	if err != nil {
		return err
	}
	for _, m := range []*api.AppendReq{
		{Content: &api.AppendReq_Options_{Options: &api.AppendReq_Options{
			StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte("b-1")},
			ExpectedStreamRevision: &api.AppendReq_Options_Any{Any: &shared.Empty{}},
		}}},
		{Content: &api.AppendReq_ProposedMessage_{ProposedMessage: &api.AppendReq_ProposedMessage{
			Id:       &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}},
			Metadata: map[string]string{"type": "B", "content-type": "application/octet-stream"},
		}}},
	} {
		_ = a.Send(m) // the answer tells
	}
	_, err = a.CloseAndRecv()
	return err
}

// Clients ask about what is not listed by HTTP, where nobody answers.
func TestWhatIsNotOfferedIsRefusedInWords(t *testing.T) {
	d := open(t)
	for what, try := range map[string]func() error{
		"making one": func() error {
			return d.CreatePersistentSubscription(d.ctx, "a-1", "g", client.PersistentStreamSubscriptionOptions{})
		},
		"making one to all": func() error {
			return d.CreatePersistentSubscriptionToAll(d.ctx, "g", client.PersistentAllSubscriptionOptions{})
		},
		"using one": func() error {
			_, err := d.SubscribeToPersistentSubscription(d.ctx, "a-1", "g", client.SubscribeToPersistentSubscriptionOptions{})
			return err
		},
		"listing them": func() error {
			_, err := d.ListAllPersistentSubscriptions(d.ctx, client.ListPersistentSubscriptionsOptions{})
			return err
		},
		"looking at one": func() error {
			_, err := d.GetPersistentSubscriptionInfo(d.ctx, "a-1", "g", client.GetPersistentSubscriptionOptions{})
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			if err := try(); code(err) != client.ErrorCodeUnsupportedFeature || !strings.Contains(err.Error(), "offers no persistent subscriptions") {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("projections", func(t *testing.T) {
		_, err := projections.NewProjectionsClient(d.connect(d.address)).Create(d.ctx, &projections.CreateReq{})
		if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "offers no projections") {
			t.Errorf("error %v", err)
		}
	})
}
