package esdbserver_test

import (
	"fmt"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
)

// hear receives what a subscription says until it has caught up.
func hear(t *testing.T, s *client.Subscription) (said []string) {
	t.Helper()
	for {
		e := s.Recv()
		switch {
		case e.SubscriptionDropped != nil:
			t.Fatalf("dropped: %v, after %v", e.SubscriptionDropped.Error, said)
		case e.EventAppeared != nil:
			said = append(said, fmt.Sprint(e.EventAppeared.Event.StreamID, "/", e.EventAppeared.Event.EventNumber))
		case e.CheckPointReached != nil:
			said = append(said, fmt.Sprint("checkpoint ", e.CheckPointReached.Commit))
		case e.CaughtUp != nil:
			return append(said, "caught up")
		}
	}
}

// next receives one event.
func next(t *testing.T, s *client.Subscription) string {
	t.Helper()
	e := s.Recv()
	if e.EventAppeared == nil {
		t.Fatalf("received %+v", e)
	}
	return fmt.Sprint(e.EventAppeared.Event.StreamID, "/", e.EventAppeared.Event.EventNumber)
}

func (d *db) subscribeAll(o client.SubscribeToAllOptions) *client.Subscription {
	d.t.Helper()
	s, err := d.SubscribeToAll(d.ctx, o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSubscriptionsToTheLog(t *testing.T) {
	d := open(t)
	d.put("a-1", event("A"))           // position 1
	d.put("b-1", event("B"))           // 2
	d.put("a-1", event("A2"))          // 3
	d.put("c-1", many("C", 4)...)      // 4 to 7
	d.put("$system-1", event("$stat")) // 8
	at := func(p uint64) client.Position { return client.Position{Commit: p, Prepare: p} }
	for rule, c := range map[string]struct {
		from   client.AllPosition
		filter *client.SubscriptionFilter
		window int
		want   []string
	}{
		"from the start":                {from: client.Start{}, want: []string{"a-1/0", "b-1/0", "a-1/1", "c-1/0", "c-1/1", "c-1/2", "c-1/3", "$system-1/0", "caught up"}},
		"behind a position, not at it":  {from: at(6), want: []string{"c-1/3", "$system-1/0", "caught up"}},
		"from the end":                  {from: client.End{}, want: []string{"caught up"}},
		"by the prefix of the stream":   {client.Start{}, &client.SubscriptionFilter{Type: client.StreamFilterType, Prefixes: []string{"a-", "b-"}}, 0, []string{"a-1/0", "b-1/0", "a-1/1", "checkpoint 8", "caught up"}},
		"by an expression on types":     {client.Start{}, &client.SubscriptionFilter{Type: client.EventFilterType, Regex: "^A.?$"}, 0, []string{"a-1/0", "a-1/1", "checkpoint 8", "caught up"}},
		"by an expression on streams":   {client.Start{}, &client.SubscriptionFilter{Type: client.StreamFilterType, Regex: "^b"}, 0, []string{"b-1/0", "checkpoint 8", "caught up"}},
		"without the system's":          {at(6), client.ExcludeSystemEventsFilter(), 0, []string{"c-1/3", "checkpoint 8", "caught up"}},
		"a checkpoint for every window": {client.Start{}, &client.SubscriptionFilter{Type: client.EventFilterType, Prefixes: []string{"B"}}, 3, []string{"b-1/0", "checkpoint 3", "checkpoint 6", "checkpoint 8", "caught up"}},
	} {
		t.Run(rule, func(t *testing.T) {
			o := client.SubscribeToAllOptions{From: c.from, Filter: c.filter, MaxSearchWindow: c.window}
			if diff := cmp.Diff(c.want, hear(t, d.subscribeAll(o))); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("what comes later is sent, to each as it wants", func(t *testing.T) {
		whole := d.subscribeAll(client.SubscribeToAllOptions{From: client.End{}})
		some := d.subscribeAll(client.SubscribeToAllOptions{From: client.End{}, Filter: &client.SubscriptionFilter{Type: client.EventFilterType, Prefixes: []string{"L"}}})
		hear(t, whole)
		hear(t, some)
		d.put("d-1", event("D"))
		d.put("d-1", event("L"))
		if got := []string{next(t, whole), next(t, whole), next(t, some)}; !cmp.Equal(got, []string{"d-1/0", "d-1/1", "d-1/1"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("an expression that is none is refused", func(t *testing.T) {
		o := client.SubscribeToAllOptions{Filter: &client.SubscriptionFilter{Type: client.EventFilterType, Regex: "(?!x)"}}
		if _, err := d.SubscribeToAll(d.ctx, o); err == nil {
			t.Error("it is accepted")
		}
	})
}

func TestSubscriptionsToAStream(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 4)...)
	d.put("b-1", event("B"))
	for rule, c := range map[string]struct {
		from client.StreamPosition
		want []string
	}{
		"from the start":               {client.Start{}, []string{"a-1/0", "a-1/1", "a-1/2", "a-1/3", "caught up"}},
		"behind a revision, not at it": {client.Revision(1), []string{"a-1/2", "a-1/3", "caught up"}},
		"from the end":                 {client.End{}, []string{"caught up"}},
	} {
		t.Run(rule, func(t *testing.T) {
			s, err := d.SubscribeToStream(d.ctx, "a-1", client.SubscribeToStreamOptions{From: c.from})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if diff := cmp.Diff(c.want, hear(t, s)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("what comes later is sent", func(t *testing.T) {
		s, err := d.SubscribeToStream(d.ctx, "later-1", client.SubscribeToStreamOptions{From: client.Start{}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		hear(t, s)
		d.put("b-1", event("B"))
		d.put("later-1", event("A"))
		d.put("later-1", event("A"))
		if got := []string{next(t, s), next(t, s)}; !cmp.Equal(got, []string{"later-1/0", "later-1/1"}) {
			t.Errorf("%v", got)
		}
	})
	t.Run("stopping the server ends subscriptions", func(t *testing.T) {
		s := d.subscribeAll(client.SubscribeToAllOptions{From: client.End{}})
		hear(t, s)
		d.server.Stop(t.Context())
		if e := s.Recv(); e.SubscriptionDropped == nil {
			t.Errorf("received %+v", e)
		}
	})
}
