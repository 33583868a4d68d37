package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"

	"parley/actors"
	"parley/cluster"
	"parley/domain"
	"parley/events"
	"parley/events/memory"
)

// begin starts a node at an address. What the configuration leaves open is as
// in join, but that it beats only when it joins.
func begin(t *testing.T, store events.Store, address string, c cluster.Config, more ...func(*actors.Host) actors.Kind) *node {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{listener: &torn{Listener: l}}
	c.Logger = slog.New(slog.DiscardHandler)
	n.host = actors.NewHost(store, actors.DefaultLimits(), c.Logger, nil)
	c.Host, c.Listener, c.Address = n.host, n.listener, l.Addr().String()
	decider := rules()
	decider.Messages = []any{add{}, size{}, counter{}}
	c.Kinds = []actors.Kind{actors.NewKind(n.host, decider, nil)}
	for _, kind := range more {
		c.Kinds = append(c.Kinds, kind(n.host))
	}
	if c.Beat == 0 {
		c.Beat = time.Hour
	}
	if n.Node, err = cluster.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := n.Stop(ctx, 0); err != nil {
			t.Error(err)
		}
	})
	return n
}

// Addresses are handed out again: before the registry notices that a node is
// gone, a node of another cluster, with another log, may have its address.
func TestAnotherClusterHasTheAddress(t *testing.T) { // P1
	ours, theirs, registry := memory.New(), memory.New(), &cluster.Alone{}
	gone := join(t, ours, registry)
	n := begin(t, ours, "127.0.0.1:0", cluster.Config{Registry: registry})
	agree(t, gone, n)
	id := ownedBy(gone, "a")
	if _, err := n.add(t, id, "c1", "x"); err != nil {
		t.Fatal(err)
	}
	address := gone.listener.Addr().String()
	gone.listener.tear()
	begin(t, theirs, address, cluster.Config{Registry: &cluster.Alone{}})
	if _, err := n.add(t, id, "c2", "x"); err != nil {
		t.Error(err)
	}
	w := &world{t: t, store: ours}
	if got := len(w.stream(id)); got != 2 {
		t.Errorf("%d facts are in our log", got)
	}
	w.store = theirs
	if got := len(w.stream(id)); got != 0 {
		t.Errorf("%d facts are in theirs", got)
	}
}

// members is a registry that is slow to forget.
type members struct{ cluster.Registry }

func (members) Leave(context.Context, cluster.Member) error { return nil }

func TestANodeThatLeavesIsLeftOutOnce(t *testing.T) {
	store, registry := memory.New(), members{&cluster.Alone{}}
	leaves := begin(t, store, "127.0.0.1:0", cluster.Config{Registry: registry, Beat: 200 * time.Millisecond})
	var changes atomic.Int64
	n := begin(t, store, "127.0.0.1:0", cluster.Config{Registry: registry, Beat: 20 * time.Millisecond, Changed: func() { changes.Add(1) }})
	agree(t, n, leaves)
	before := changes.Load()
	stopped := make(chan error)
	go func() { stopped <- leaves.Stop(context.Background(), 0) }()
	for i := 0; ; i++ {
		select {
		case err := <-stopped:
			if got := changes.Load() - before; err != nil || got != 1 {
				t.Errorf("who has what changed %d times, %v", got, err)
			}
			return
		default:
		}
		if _, err := n.add(t, fmt.Sprint("l", i), "c", "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsTooLargeForTheWay(t *testing.T) {
	store, registry := memory.New(), &cluster.Alone{}
	far := join(t, store, registry)
	n := begin(t, store, "127.0.0.1:0", cluster.Config{Registry: registry})
	agree(t, far, n)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := n.Ask(ctx, address(ownedBy(far, "a")), domain.Command{ID: "c", Body: add{strings.Repeat("x", 9<<20)}})
	if !errors.Is(err, actors.ErrUnavailable) || ctx.Err() != nil {
		t.Errorf("it is put again and again: %v", err)
	}
}

func TestAKindThatTheOwnerDoesNotKnow(t *testing.T) {
	store, registry := memory.New(), &cluster.Alone{}
	older := join(t, store, registry)
	begun := make(chan string, 10)
	newer := begin(t, store, "127.0.0.1:0", cluster.Config{Registry: registry, Beat: 50 * time.Millisecond}, func(h *actors.Host) actors.Kind {
		d := rules()
		d.Kind = "novelty"
		return actors.NewKind(h, d, actors.PerformerFunc(func(ctx context.Context, w actors.Work) error {
			begun <- w.Address.ID
			return nil
		}))
	})
	agree(t, older, newer)
	to := domain.Address{Kind: "novelty", ID: "a"}
	for i := 0; !older.Owns(to); i++ {
		to.ID = fmt.Sprint("a", i)
	}
	if _, err := newer.Ask(t.Context(), to, domain.Command{ID: "c", Body: add{"x"}}); err != nil {
		t.Fatal(err)
	}
	<-begun
	for _, n := range []*node{older, newer} {
		if _, err := n.Query(t.Context(), to, actors.Wake{}); err != nil {
			t.Errorf("its work is nobody's: %v", err)
		}
	}
}

// plain carries frames as they are.
type plain struct{}

func (plain) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (plain) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (plain) Name() string                       { return "plain" }

var _ encoding.Codec = plain{}

// What lies so deep that reading it takes the whole stack would end the process.
func TestAFrameThatIsTooDeep(t *testing.T) {
	n := join(t, memory.New(), &cluster.Alone{})
	connection, err := grpc.NewClient(n.listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close() // nothing is under way
	lists, maps := bytes.Repeat([]byte{0x91}, 8_000_000), bytes.Repeat([]byte{0x81}, 8_000_000)
	for _, frame := range [][]byte{
		append([]byte("\x81\xa2zz"), lists...),
		append([]byte("\x81\xa2zz"), maps...),
		append([]byte("\x81\xa2bo\x82\xa1t\xafcluster_test.add\xa1d\xc6\x00\x7a\x12\x04\x81\xa2zz"), lists...)[:8_000_040],
	} {
		var answer []byte
		err := connection.Invoke(t.Context(), "/parley.cluster.Node/Ask", frame, &answer, grpc.ForceCodec(plain{}), grpc.MaxCallSendMsgSize(16<<20))
		if err == nil && !bytes.Contains(answer, []byte("too deep")) {
			t.Errorf("answered %q", answer)
		}
	}
	if _, err := n.add(t, "a", "c", "x"); err != nil {
		t.Error(err)
	}
}
