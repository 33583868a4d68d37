package esdbserver_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/esdbserver"
	"parley/events/local"
)

func TestExpectedRevisions(t *testing.T) {
	d := open(t)
	d.put("two-1", many("A", 2)...)
	for rule, c := range map[string]struct {
		stream string
		at     client.ExpectedRevision
		code   client.ErrorCode
		says   string
	}{
		"no stream, and there is none":        {"new-1", client.NoStream{}, -1, ""},
		"no stream, and there is one":         {"two-1", client.NoStream{}, client.ErrorCodeWrongExpectedVersion, "expecting 'no_stream' but got '1'"},
		"a revision below":                    {"two-1", client.Revision(0), client.ErrorCodeWrongExpectedVersion, "expecting '0' but got '1'"},
		"a revision above":                    {"two-1", client.Revision(2), client.ErrorCodeWrongExpectedVersion, "expecting '2' but got '1'"},
		"a revision of a stream there is not": {"new-2", client.Revision(0), client.ErrorCodeWrongExpectedVersion, "got 'no_stream'"},
		"a stream that exists does not":       {"new-3", client.StreamExists{}, client.ErrorCodeWrongExpectedVersion, "expecting 'stream_exists' but got 'no_stream'"},
		"anywhere, and there is none":         {"new-4", client.Any{}, -1, ""},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := d.try(c.stream, c.at, event("B"))
			if code(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("a stream that exists does", func(t *testing.T) {
		if done := d.putAt("two-1", client.StreamExists{}, event("B")); done.NextExpectedVersion != 2 {
			t.Errorf("%+v", done)
		}
	})
}

func TestRetries(t *testing.T) {
	for rule, at := range map[string]client.ExpectedRevision{
		"no stream": client.NoStream{}, "anywhere": client.Any{},
	} {
		t.Run("a retry of an append is recognised: "+rule, func(t *testing.T) {
			d := open(t)
			es := many("A", 3)
			first := d.putAt("a-1", at, es...)
			d.put("a-1", event("B"))
			again := d.putAt("a-1", at, es...)
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("(-first +again)\n%s", diff)
			}
			if read, err := d.forwards("a-1"); err != nil || len(read) != 4 {
				t.Errorf("%v, %v", read, err)
			}
		})
	}
	t.Run("the same IDs elsewhere are no retry", func(t *testing.T) {
		d := open(t)
		es := many("A", 2)
		d.put("a-1", es...)
		d.put("b-1", es...)
		if read, err := d.forwards("b-1"); err != nil || len(read) != 2 {
			t.Errorf("%v, %v", read, err)
		}
	})
}

func TestTooLargeAppends(t *testing.T) {
	d := open(t)
	large := event("A")
	large.Data = make([]byte, 1<<20)
	for rule, es := range map[string][]client.EventData{
		"one event": {large}, "many events": append(many("A", 50), slices.Repeat([]client.EventData{large}, 16)...),
	} {
		t.Run(rule, func(t *testing.T) {
			// The client would see only "EOF" of an answer before its last event.
			if _, err := d.try("a-1", client.Any{}, es...); err == nil || !strings.Contains(err.Error(), "Maximum Append Size Exceeded") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := d.forwards("a-1"); code(err) != client.ErrorCodeResourceNotFound {
		t.Errorf("something was stored: %v", err)
	}
}

// A store that syncs takes one of those who saw the same end of a stream.
func TestACrowdAppendsAnywhere(t *testing.T) {
	store, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	const crowd = 300
	d := &db{t: t, ctx: t.Context(), store: store}
	streams := api.NewStreamsClient(d.connect(d.serve(esdbserver.Options{})))
	var failed atomic.Int64
	var done sync.WaitGroup
	for range crowd {
		done.Go(func() {
			if err := write(d.ctx, streams); err != nil {
				failed.Add(1)
			}
		})
	}
	done.Wait()
	if es, err := store.Read(t.Context(), "b-1", 0, events.Forwards, 2*crowd); err != nil || failed.Load() > 0 || len(es) != crowd {
		t.Errorf("%d of %d failed, %d are stored, %v", failed.Load(), crowd, len(es), err)
	}
}
