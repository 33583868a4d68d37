package esdbserver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
	"parley/events/esdbserver"
	"parley/events/memory"
)

// db is a server over memory, and EventStoreDB's official client.
type db struct {
	*client.Client
	t       *testing.T
	ctx     context.Context
	store   events.Store
	address string
	server  *esdbserver.Server
}

func open(t *testing.T) *db {
	d := &db{t: t, store: memory.New()}
	d.address = d.serve(esdbserver.Options{})
	d.Client = dial(t, "esdb://"+d.address+"?tls=false")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	d.ctx = ctx
	return d
}

func (d *db) serve(o esdbserver.Options) (address string) {
	d.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	server := esdbserver.New(d.store, o)
	d.server = server
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	d.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		server.Stop(ctx)
		if err := <-ended; err != nil {
			d.t.Error(err)
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	config, err := client.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = client.NoopLogging()
	config.MaxDiscoverAttempts = 1
	c, err := client.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func event(kind string) client.EventData {
	return client.EventData{EventID: uuid.New(), EventType: kind, ContentType: client.ContentTypeBinary, Data: []byte(kind)}
}

func many(kind string, n int) (es []client.EventData) {
	for range n {
		es = append(es, event(kind))
	}
	return es
}

// put appends events anywhere, which must work.
func (d *db) put(stream string, es ...client.EventData) *client.WriteResult {
	d.t.Helper()
	return d.putAt(stream, client.Any{}, es...)
}

func (d *db) putAt(stream string, at client.ExpectedRevision, es ...client.EventData) *client.WriteResult {
	d.t.Helper()
	done, err := d.try(stream, at, es...)
	if err != nil {
		d.t.Fatalf("append to %s: %v", stream, err)
	}
	return done
}

func (d *db) try(stream string, at client.ExpectedRevision, es ...client.EventData) (*client.WriteResult, error) {
	return d.AppendToStream(d.ctx, stream, client.AppendToStreamOptions{ExpectedRevision: at}, es...)
}

// revisions reads a stream from an end of it.
func (d *db) revisions(stream string, dir client.Direction, from client.StreamPosition) ([]uint64, error) {
	r, err := d.ReadStream(d.ctx, stream, client.ReadStreamOptions{Direction: dir, From: from}, 1000)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	read := []uint64{}
	for {
		e, err := r.Recv()
		if err != nil {
			if status.Code(err) == codes.Unknown && strings.Contains(err.Error(), "EOF") {
				return read, nil
			}
			return read, err
		}
		read = append(read, e.OriginalEvent().EventNumber)
	}
}

func (d *db) forwards(stream string) ([]uint64, error) {
	return d.revisions(stream, client.Forwards, client.Start{})
}

// code is how the client understands an error; -1 is none at all.
func code(err error) client.ErrorCode {
	var e *client.Error
	switch {
	case err == nil:
		return -1
	case errors.As(err, &e):
		return e.Code()
	}
	return client.ErrorCodeUnknown
}

func TestWhoMayUseTheLog(t *testing.T) {
	for rule, address := range map[string]net.Addr{
		"an address of everybody's": &net.TCPAddr{IP: net.IPv4zero, Port: 1},
		"an address in the network": &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1},
	} {
		t.Run(rule+" is refused without TLS and a password", func(t *testing.T) {
			password := events.NewSecret("secret")
			for _, o := range []esdbserver.Options{{}, {User: "u", Password: password}, {Reader: "r", ReaderPassword: password}, {TLS: &tls.Config{}}} {
				if err := esdbserver.New(memory.New(), o).Check(address); err == nil {
					t.Errorf("%+v is served", o)
				}
			}
			for _, o := range []esdbserver.Options{{User: "u", Password: password, TLS: &tls.Config{}}, {Reader: "r", ReaderPassword: password, TLS: &tls.Config{}}} {
				if err := esdbserver.New(memory.New(), o).Check(address); err != nil {
					t.Errorf("with both: %v", err)
				}
			}
		})
	}
	t.Run("loopback needs neither", func(t *testing.T) {
		if err := esdbserver.New(memory.New(), esdbserver.Options{}).Check(&net.TCPAddr{IP: net.IPv6loopback}); err != nil {
			t.Error(err)
		}
	})
}

func TestClusterOfOne(t *testing.T) {
	d := open(t)
	for _, url := range []string{"esdb+discover://" + d.address + "?tls=false", "esdb://" + d.address + "," + d.address + "?tls=false"} {
		c := dial(t, url)
		if _, err := c.AppendToStream(d.ctx, "a-1", client.AppendToStreamOptions{}, event("A")); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}
