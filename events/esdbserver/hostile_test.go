package esdbserver_test

import (
	"math"
	"strings"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

func TestHostileAppends(t *testing.T) {
	d := open(t)
	streams := api.NewStreamsClient(d.connect(d.address))
	for rule, c := range map[string]struct {
		name, id, data string
	}{
		"a name that is not UTF-8":  {"a-\xff", "", "x"},
		"a name without end":        {"a-" + strings.Repeat("n", 5000), "", "x"},
		"a name of 16 MB":           {strings.Repeat("n", 16<<20), "", "x"},
		"an ID of zeros alone":      {"a-1", "00000000-0000-0000-0000-000000000000", "x"},
		"an ID that is none":        {"a-1", "x", "x"},
		"an event of 16 MB":         {"a-1", "", strings.Repeat("x", 16<<20)},
		"metadata too deep to read": {"$$a-1", "", strings.Repeat(`{"a":`, 1<<17) + "1" + strings.Repeat("}", 1<<17)},
	} {
		t.Run(rule+" is refused", func(t *testing.T) {
			in, err := streams.Append(d.ctx)
			if err != nil {
				t.Fatal(err)
			}
			id := c.id
			if id == "" {
				id = "0190f3a0-0000-7000-8000-000000000001"
			}
			for _, m := range []*api.AppendReq{
				{Content: &api.AppendReq_Options_{Options: &api.AppendReq_Options{
					StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(c.name)},
					ExpectedStreamRevision: &api.AppendReq_Options_Any{Any: &shared.Empty{}},
				}}},
				{Content: &api.AppendReq_ProposedMessage_{ProposedMessage: &api.AppendReq_ProposedMessage{
					Id: &shared.UUID{Value: &shared.UUID_String_{String_: id}}, Data: []byte(c.data),
					Metadata: map[string]string{"type": "$metadata", "content-type": "application/json"},
				}}},
			} {
				if err := in.Send(m); err != nil {
					t.Fatal(err)
				}
			}
			if answer, err := in.CloseAndRecv(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("%.200v, %.200v", answer, err)
			}
			if all, err := d.store.ReadAll(d.ctx, events.LogStart, events.Forwards, 9); err != nil || len(all) > 0 {
				t.Errorf("%d events are stored, %v", len(all), err)
			}
		})
	}
}

func TestASubscriptionBehindEveryRevision(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 3)...)
	for _, revision := range []uint64{math.MaxInt64, math.MaxUint64} {
		s, err := d.SubscribeToStream(d.ctx, "a-1", client.SubscribeToStreamOptions{From: client.Revision(revision)})
		if err != nil {
			t.Fatal(err)
		}
		if got := hear(t, s); !cmp.Equal(got, []string{"caught up"}) {
			t.Errorf("%v", got)
		}
		_ = s.Close()
	}
}

func TestAStreamThatHasOnlyMetadataExists(t *testing.T) {
	d := open(t)
	var meta client.StreamMetadata
	meta.SetMaxCount(9)
	if _, err := d.SetStreamMetadata(d.ctx, "a-1", client.AppendToStreamOptions{}, meta); err != nil {
		t.Fatal(err)
	}
	if done := d.putAt("a-1", client.StreamExists{}, event("A")); done.NextExpectedVersion != 0 {
		t.Errorf("%+v", done)
	}
}
