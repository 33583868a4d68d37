package esdbserver_test

import (
	"errors"
	"io"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/go-cmp/cmp"
)

// The official client for Go reads the log without a filter. Others do not.
func TestReadsOfTheLog(t *testing.T) {
	d := open(t)
	for _, stream := range []string{"a-1", "b-1", "a-2", "b-2", "a-3"} { // positions 1 to 5
		d.put(stream, event("T"))
	}
	streams := api.NewStreamsClient(d.connect(d.address))
	as := &api.ReadReq_Options_FilterOptions{
		Filter: &api.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: &api.ReadReq_Options_FilterOptions_Expression{Prefix: []string{"a-"}}},
	}
	const forwards, backwards = api.ReadReq_Options_Forwards, api.ReadReq_Options_Backwards
	for rule, c := range map[string]struct {
		dir    api.ReadReq_Options_ReadDirection
		from   uint64
		count  uint64
		filter *api.ReadReq_Options_FilterOptions
		want   []string
	}{
		"forwards the position is read":       {forwards, 3, 9, nil, []string{"a-2", "b-2", "a-3"}},
		"backwards it is not":                 {backwards, 3, 9, nil, []string{"b-1", "a-1"}},
		"no more than the count":              {forwards, 1, 2, nil, []string{"a-1", "b-1"}},
		"forwards with a filter":              {forwards, 2, 9, as, []string{"a-2", "a-3"}},
		"backwards with a filter":             {backwards, 5, 9, as, []string{"a-2", "a-1"}},
		"what does not pass does not count":   {forwards, 1, 2, as, []string{"a-1", "a-2"}},
		"nor does it going the other way":     {backwards, 6, 2, as, []string{"a-3", "a-2"}},
		"behind the end there is nothing":     {forwards, 6, 9, as, nil},
		"nor is there anything before it all": {backwards, 1, 9, nil, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			o := &api.ReadReq_Options{
				ReadDirection: c.dir, CountOption: &api.ReadReq_Options_Count{Count: c.count},
				StreamOption: &api.ReadReq_Options_All{All: &api.ReadReq_Options_AllOptions{AllOption: &api.ReadReq_Options_AllOptions_Position{
					Position: &api.ReadReq_Options_Position{CommitPosition: c.from, PreparePosition: c.from},
				}}},
				FilterOption: &api.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
			}
			if c.filter != nil {
				o.FilterOption = &api.ReadReq_Options_Filter{Filter: c.filter}
			}
			r, err := streams.Read(d.ctx, &api.ReadReq{Options: o})
			var got []string
			for err == nil {
				var m *api.ReadResp
				if m, err = r.Recv(); err == nil {
					got = append(got, string(m.GetEvent().GetEvent().GetStreamIdentifier().GetStreamName()))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, io.EOF) {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
