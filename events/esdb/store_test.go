package esdb_test

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	"parley/events"
	"parley/events/esdb"
	"parley/events/esdbserver"
	"parley/events/local"
	"parley/events/memory"
	"parley/events/storetest"
)

func TestContractOverMemory(t *testing.T) {
	contract(t, func(testing.TB) events.Store { return memory.New() })
}

func TestContractOverTheEmbeddedLog(t *testing.T) {
	contract(t, func(t testing.TB) events.Store {
		s, err := local.Open(t.TempDir(), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closeStore(t, s) })
		return s
	})
}

// A real server is named by EVENTSTORE_URL, a connection string.
func TestContractOverEventStoreDB(t *testing.T) {
	url := os.Getenv("EVENTSTORE_URL")
	if url == "" {
		t.Skip("skipped: EVENTSTORE_URL names no EventStoreDB to run the contract against")
	}
	dial := func(t testing.TB) events.Store {
		s := openStore(t, url)
		awaitQuiet(t, s)
		return s
	}
	storetest.Run(t, storetest.Factory{
		New:          dial,
		Reopen:       func(t testing.TB, _ events.Store) events.Store { return dial(t) },
		EventStoreDB: true,
		Fixed:        true,
	})
}

// awaitQuiet waits until appends of tests before, that were let go of without
// an answer, have come to their end.
func awaitQuiet(t testing.TB, s events.Store) {
	t.Helper()
	for last, same := events.Position(0), 0; same < 3; time.Sleep(50 * time.Millisecond) {
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if same++; head != last {
			last, same = head, 0
		}
	}
}

// contract runs the suite against a store behind the protocol.
func contract(t *testing.T, behind func(testing.TB) events.Store) {
	urls := map[events.Store]string{}
	storetest.Run(t, storetest.Factory{
		Fixed: true,
		New: func(t testing.TB) events.Store {
			url := "esdb://" + serve(t, behind(t), "127.0.0.1:0").address + "?tls=false"
			s := openStore(t, url)
			urls[s] = url
			return s
		},
		Reopen: func(t testing.TB, closed events.Store) events.Store { return openStore(t, urls[closed]) },
	})
}

// served is a running server.
type served struct {
	address string
	stop    func()
}

// serve serves a store at an address until the test ends or it is stopped.
func serve(t testing.TB, store events.Store, address string) *served {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := esdbserver.New(store, esdbserver.Options{})
	ended := make(chan error, 1)
	go func(server *esdbserver.Server) { ended <- server.Serve(listener) }(server)
	stopped := false
	s := &served{address: listener.Addr().String(), stop: func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		server.Stop(ctx)
		server = nil // it takes room
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}}
	t.Cleanup(s.stop)
	return s
}

func openStore(t testing.TB, url string) *esdb.Store {
	t.Helper()
	s, err := esdb.Open(events.NewSecret(url), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t testing.TB, s events.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
