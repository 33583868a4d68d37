package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"

	"parley/events"
	"parley/events/archive"
	"parley/events/esdb"
	"parley/events/esdbserver"
	"parley/events/local"
)

// How many events of about 600 bytes a second are copied and compared: of ten in
// a stream, no two of a stream beside each other.
func BenchmarkCopy(b *testing.B) {
	from := filled(b, benchEvents)
	b.Run("into a data directory", func(b *testing.B) {
		for b.Loop() {
			benchCopy(b, from, opened(b))
		}
		perSecond(b)
	})
	b.Run("into a data directory that is served", func(b *testing.B) {
		for b.Loop() {
			to, stop := servedOver(b, opened(b))
			benchCopy(b, from, to)
			stop()
		}
		perSecond(b)
	})
	b.Run("nothing, since all is there", func(b *testing.B) {
		to := opened(b)
		benchCopy(b, from, to)
		for b.Loop() {
			benchCopy(b, from, to)
		}
		perSecond(b)
	})
}

const benchEvents = 20_000

func perSecond(b *testing.B) {
	b.ReportMetric(benchEvents*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func benchCopy(b *testing.B, from, to events.Store) {
	b.Helper()
	if _, err := archive.Copy(b.Context(), from, to, func(archive.Progress) {}); err != nil {
		b.Fatal(err)
	}
}

func opened(b *testing.B) *local.Store {
	b.Helper()
	log, err := local.Open(b.TempDir(), local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := log.Close(); err != nil {
			b.Error(err)
		}
	})
	return log
}

func filled(b *testing.B, n int) *local.Store {
	b.Helper()
	log := opened(b)
	var page []events.Recorded
	for i := range n {
		stream := events.Stream(fmt.Sprintf("conversation-k3v9.%d", i%(n/10)))
		page = append(page, events.Recorded{Stream: stream, Revision: events.Revision(i / (n / 10)), Stored: 1, Record: events.Record{
			ID: events.IDOf(stream, "bench", i), Type: "MessageReceived", Metadata: []byte(`{"command":"c"}`), Data: bytes.Repeat([]byte("x"), 600),
		}})
		if len(page) == 1000 || i == n-1 {
			if err := log.Take(b.Context(), page); err != nil {
				b.Fatal(err)
			}
			page = nil
		}
	}
	return log
}

func servedOver(b *testing.B, log events.Store) (over events.Store, stop func()) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := esdbserver.New(log, esdbserver.Options{})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	store, err := esdb.Open(events.NewSecret("esdb://"+listener.Addr().String()+"?tls=false"), esdb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return store, func() {
		err := store.Close()
		server.Stop(b.Context())
		if err := errors.Join(err, <-ended); err != nil {
			b.Error(err)
		}
	}
}
