package local_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
	"parley/events/local"
	"parley/events/storetest"
)

func TestContract(t *testing.T) {
	t.Run("events in memory", func(t *testing.T) { runContract(t, local.Options{}) })
	t.Run("events on disk", func(t *testing.T) { runContract(t, local.Options{}.WithTail(3, 1000)) })
}

func runContract(t *testing.T, opts local.Options) {
	dirs := make(map[events.Store]string)
	open := func(t testing.TB, dir string) events.Store {
		t.Helper()
		s, err := local.Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		dirs[s] = dir
		return s
	}
	storetest.Run(t, storetest.Factory{
		New:    func(t testing.TB) events.Store { return open(t, t.TempDir()) },
		Reopen: func(t testing.TB, closed events.Store) events.Store { return open(t, dirs[closed]) },
	})
}

func TestAppendContext(t *testing.T) {
	t.Run("a caller whose context ends while it waits is let go, and the append stays whole", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		resume := s.Pause(t)
		ctx, cancel := context.WithCancel(t.Context())
		records := makeRecords(3, "some data")
		ended := make(chan error)
		go func() {
			_, err := s.Append(ctx, "fact-1", events.NoStream, records...)
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, expected the context's", err)
		}
		resume()
		if _, err := s.Append(t.Context(), "fact-1", events.NoStream, records...); err != nil {
			t.Errorf("retry: %v", err)
		}
		if got := readStream(t, s, "fact-1"); len(got) != 3 {
			t.Errorf("stream holds %d events, expected 3", len(got))
		}
	})
	t.Run("closing lets go of callers that wait for the sequencer", func(t *testing.T) {
		s := openStore(t, t.TempDir())
		resume := s.Pause(t)
		ended := make(chan error)
		go func() {
			_, err := s.Append(context.Background(), "fact-1", events.NoStream, makeRecords(1, "")...)
			ended <- err
		}()
		go func() { ended <- s.Close() }()
		resume()
		for range 2 {
			if err := <-ended; err != nil && !errors.Is(err, events.ErrClosed) {
				t.Errorf("error %v, expected none or ErrClosed", err)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := openWith(t, t.TempDir(), local.Options{Metrics: registry})
	records := makeRecords(3, "some data")
	put(t, s, "fact-1", events.NoStream, records...)
	put(t, s, "fact-1", events.NoStream, records...)
	if _, err := s.Append(t.Context(), "fact-1", 7, records...); err == nil {
		t.Error("append at a wrong revision was accepted")
	}
	t.Run("appends are counted by outcome, commits by records", func(t *testing.T) {
		want := map[string]float64{
			"parley_events_append_seconds":                 3,
			"parley_events_appends_total outcome=failed":   0, // from the start, for the alert
			"parley_events_appends_total outcome=full":     0,
			"parley_events_appends_total outcome=refused":  1,
			"parley_events_appends_total outcome=repeated": 1,
			"parley_events_appends_total outcome=stored":   1,
			"parley_events_batch_records":                  1,
			"parley_events_position":                       3,
		}
		if diff := cmp.Diff(want, gather(t, registry)); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	})
	t.Run("a second log cannot take the same registerer, and leaves it as it was", func(t *testing.T) {
		if _, err := local.Open(t.TempDir(), local.Options{Metrics: registry}); err == nil {
			t.Error("opened")
		}
		if got := gather(t, registry)["parley_events_position"]; got != 3 {
			t.Errorf("position %v, expected 3", got)
		}
	})
	t.Run("a closed log has no metrics", func(t *testing.T) {
		closeStore(t, s)
		if got := gather(t, registry); len(got) != 0 {
			t.Errorf("metrics %v, expected none", got)
		}
	})
}

// gather gives the value of every series, and the count of every histogram.
func gather(t testing.TB, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func TestLog(t *testing.T) {
	t.Run("opening tells where the log is and how far it reaches", func(t *testing.T) {
		var out bytes.Buffer
		dir := t.TempDir()
		openWith(t, dir, local.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
		for _, want := range []string{"event log opened", dir, "position=0"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("log %q does not contain %q", out.String(), want)
			}
		}
	})
}

// openStore opens a store for the length of a test.
func openStore(t testing.TB, dir string) *local.Store {
	t.Helper()
	return openWith(t, dir, local.Options{})
}

func openWith(t testing.TB, dir string, opts local.Options) *local.Store {
	t.Helper()
	s, err := local.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t testing.TB, s *local.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// makeRecords makes n records with the same data.
func makeRecords(n int, data string) []events.Record {
	records := make([]events.Record, n)
	for i := range records {
		records[i] = events.Record{ID: uuid.New(), Type: "Fact", Data: []byte(data), Metadata: []byte(`{"command":"c1"}`)}
	}
	return records
}

// put appends records that must be accepted.
func put(t testing.TB, s *local.Store, stream events.Stream, expected events.Revision, records ...events.Record) events.Appended {
	t.Helper()
	at, err := s.Append(t.Context(), stream, expected, records...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return at
}

// readStream reads a whole stream, which must work.
func readStream(t testing.TB, s *local.Store, stream events.Stream) []events.Recorded {
	t.Helper()
	got, err := s.Read(t.Context(), stream, events.StreamStart, events.Forwards, 1<<20)
	if err != nil {
		t.Fatalf("read %s: %v", stream, err)
	}
	return got
}

// checkRecords checks that a stream holds exactly these records.
func checkRecords(t testing.TB, s *local.Store, stream events.Stream, want []events.Record) {
	t.Helper()
	var got []events.Record
	for _, e := range readStream(t, s, stream) {
		got = append(got, e.Record)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("records of %s (-want +got):\n%s", stream, diff)
	}
}

// Who follows the log and is slow keeps what was read in memory.
func TestASubscriptionReadsNoMoreThanItsBounds(t *testing.T) {
	for where, opts := range map[string]local.Options{"in memory": {}, "on disk": local.Options{}.WithTail(1, 1)} {
		t.Run(where, func(t *testing.T) {
			s := openWith(t, t.TempDir(), opts)
			const n = 24
			for i := range events.Revision(n) {
				put(t, s, "fact-1", i-1, makeRecords(1, strings.Repeat("x", 900_000))...)
			}
			sub := s.Subscribe(events.LogStart)
			for read := 0; read < n; {
				page, err := sub.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(page) > 10 {
					t.Errorf("%d events of 900 kB at once", len(page))
				}
				for _, e := range page {
					if read++; e.Revision != events.Revision(read-1) {
						t.Fatalf("event %d is in place %d", e.Revision, read-1)
					}
				}
			}
		})
	}
}
