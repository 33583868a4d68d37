package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/actors"
	"parley/cluster"
	"parley/domain"
	"parley/events"
	"parley/events/memory"
)

// node is a node of a real network, which can be torn out of it.
type node struct {
	*cluster.Node
	host     *actors.Host
	listener *torn
	voices   *voices
	unfit    atomic.Bool
}

// torn is a listener whose connections can be cut off all at once.
type torn struct {
	net.Listener
	mutex sync.Mutex
	conns []net.Conn
}

func (l *torn) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.conns = append(l.conns, c)
	}
	return c, err
}

// tear does to the network what the end of the process would.
func (l *torn) tear() {
	_ = l.Close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
}

// mute is a registry that a node may fall silent at, and that can lose it.
type mute struct {
	cluster.Registry
	lost chan struct{}
}

func (m mute) Heartbeat(ctx context.Context, self cluster.Member) ([]cluster.Member, error) {
	select {
	case <-m.lost:
		return nil, cluster.ErrLost
	default:
		return m.Registry.Heartbeat(ctx, self)
	}
}

func join(t *testing.T, store events.Store, registry cluster.Registry, samples ...any) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{listener: &torn{Listener: l}, voices: &voices{turns: map[string]chan string{}}}
	logger := slog.New(slog.DiscardHandler)
	decider := rules()
	decider.Messages = append(samples, add{}, size{}, counter{})
	n.host = actors.NewHost(store, actors.DefaultLimits(), logger, nil)
	n.Node, err = cluster.Start(t.Context(), cluster.Config{
		Registry: registry, Host: n.host, Logger: logger, Kinds: []actors.Kind{actors.NewKind(n.host, decider, nil)},
		Listener: n.listener, Address: l.Addr().String(), Beat: 50 * time.Millisecond, Taps: n.voices,
		Fit: func(context.Context) error {
			if n.unfit.Load() {
				return errors.New("out of reach of the log")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background(), time.Second); err != nil {
			t.Error(err)
		}
	})
	return n
}

// slow is a registry that tells others of a node long before it answers it.
type slow struct {
	cluster.Registry
	told   chan struct{}
	answer chan struct{}
	once   sync.Once
}

func (s *slow) Heartbeat(ctx context.Context, self cluster.Member) ([]cluster.Member, error) {
	members, err := s.Registry.Heartbeat(ctx, self)
	s.once.Do(func() {
		close(s.told)
		<-s.answer
	})
	return members, err
}

func TestANodeIsAskedBeforeItKnowsAnybody(t *testing.T) {
	store, registry := memory.New(), &cluster.Alone{}
	first := join(t, store, registry)
	late := &slow{Registry: registry, told: make(chan struct{}), answer: make(chan struct{})}
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		join(t, store, late)
	}()
	<-late.told
	for until := time.Now().Add(10 * time.Second); first.Size() < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("nobody learns of the new node")
		}
	}
	for i := range 50 {
		if _, err := first.add(t, fmt.Sprint("new", i), fmt.Sprint("command", i), "x"); err != nil {
			t.Errorf("the new node's %d: %v", i, err)
		}
	}
	close(late.answer)
	<-joined
}

// trio starts three nodes that know each other.
func trio(t *testing.T, store events.Store) []*node {
	t.Helper()
	registry := &cluster.Alone{}
	nodes := []*node{join(t, store, registry), join(t, store, registry), join(t, store, registry)}
	agree(t, nodes...)
	return nodes
}

// agree waits until exactly one of some nodes owns each of many actors.
func agree(t *testing.T, nodes ...*node) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		disputed := 0
		for i := range 100 {
			owners := 0
			for _, n := range nodes {
				if n.Owns(address(fmt.Sprint(i))) {
					owners++
				}
			}
			if owners != 1 {
				disputed++
			}
		}
		switch {
		case disputed == 0:
			return
		case time.Now().After(until):
			t.Fatalf("%d of 100 actors are disputed", disputed)
		}
	}
}

func (n *node) add(t *testing.T, id, command, what string) (domain.Result, error) {
	t.Helper()
	return n.Ask(t.Context(), address(id), domain.Command{ID: command, At: events.At(time.Now()), Account: "acme", Body: add{what}})
}

func TestManyNodes(t *testing.T) {
	store := memory.New()
	nodes := trio(t, store)
	w := &world{t: t, store: store}

	t.Run("a command reaches its actor from every node, and each node has its share", func(t *testing.T) {
		shares := map[int]int{}
		for i := range 300 {
			id := fmt.Sprintf("a%d", i)
			for k, n := range nodes {
				if n.Owns(address(id)) {
					shares[k]++
				}
				if _, err := n.add(t, id, fmt.Sprintf("%s from %d", id, k), "x"); err != nil {
					t.Fatal(err)
				}
			}
			if got := len(w.stream(id)); got != 3 {
				t.Fatalf("%d facts of %s", got, id)
			}
		}
		for k := range nodes {
			if shares[k] < 60 {
				t.Errorf("the shares are %v", shares)
			}
		}
	})
	t.Run("the same command through two nodes counts once", func(t *testing.T) {
		first, err := nodes[0].add(t, "b", "c1", "x")
		if err != nil {
			t.Fatal(err)
		}
		again, err := nodes[1].add(t, "b", "c1", "x")
		if err != nil || again != first {
			t.Errorf("%+v, %v; want %+v", again, err, first)
		}
	})
	t.Run("questions, answers and refusals are the same from far as from near", func(t *testing.T) {
		for k, n := range nodes {
			answer, err := n.Query(t.Context(), address("a1"), size{})
			if c, ok := answer.(counter); err != nil || !ok || c.Added < 3 {
				t.Errorf("node %d: %v, %v", k, answer, err)
			}
			var refusal *domain.Error
			if _, err := n.add(t, "a1", fmt.Sprint("refused by ", k), "refuse"); !errors.As(err, &refusal) || refusal.Code != domain.Invalid {
				t.Errorf("node %d: %v", k, err)
			}
			if _, err := n.Query(t.Context(), address("a1"), actors.Wake{}); err != nil {
				t.Errorf("node %d: %v", k, err)
			}
		}
	})
}

func TestANodeIsTornOut(t *testing.T) {
	store := memory.New()
	nodes := trio(t, store)
	w := &world{t: t, store: store}
	var callers sync.WaitGroup
	done := make(chan struct{})
	asked := make([]int, 20)
	for k := range asked {
		callers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					asked[k] = i
					return
				default:
				}
				if _, err := nodes[i%2].add(t, fmt.Sprintf("k%d", k), fmt.Sprintf("%d-%d", k, i), "x"); err != nil {
					t.Errorf("caller %d: %v", k, err)
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	nodes[2].listener.tear() // its heartbeats go on: only the calls show it
	agree(t, nodes[:2]...)
	time.Sleep(50 * time.Millisecond)
	close(done)
	callers.Wait()
	for k, n := range asked {
		if got := len(w.stream(fmt.Sprintf("k%d", k))); got != n {
			t.Errorf("%d facts of %d commands", got, n)
		}
	}
}

func TestANodeStops(t *testing.T) {
	store := memory.New()
	nodes := trio(t, store)
	var callers sync.WaitGroup
	done := make(chan struct{})
	for k := range 20 {
		callers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if _, err := nodes[i%2].add(t, fmt.Sprintf("k%d", k), fmt.Sprintf("%d-%d", k, i), "x"); err != nil {
					t.Errorf("caller %d: %v", k, err)
				}
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	if err := nodes[2].Stop(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
	close(done)
	callers.Wait()
	agree(t, nodes[:2]...)
}

// A node that cannot reach what its actors need is there, and of no use.
func TestANodeIsNotFit(t *testing.T) {
	nodes := trio(t, memory.New())
	nodes[2].unfit.Store(true)
	agree(t, nodes[:2]...)
	sidelined(t, 1, nodes...)
	for i := range 50 {
		id := fmt.Sprint("f", i)
		if nodes[2].Owns(address(id)) {
			t.Errorf("it owns %s", id)
		}
		if _, err := nodes[2].add(t, id, "c", "x"); err != nil {
			t.Errorf("it does not pass requests on: %v", err)
		}
	}
	for _, n := range nodes {
		n.unfit.Store(true)
	}
	sidelined(t, 0, nodes...)
	agree(t, nodes...)
	for _, n := range nodes {
		n.unfit.Store(false)
	}
	agree(t, nodes...)
}

// sidelined waits until so many nodes leave their work to others.
func sidelined(t *testing.T, want int, nodes ...*node) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := 0
		for _, n := range nodes {
			if n.Sidelined() {
				got++
			}
		}
		switch {
		case got == want:
			return
		case time.Now().After(until):
			t.Fatalf("%d nodes leave their work to others, not %d", got, want)
		}
	}
}

func TestALostMembershipIsTold(t *testing.T) {
	registry := mute{&cluster.Alone{}, make(chan struct{})}
	n := join(t, memory.New(), registry)
	close(registry.lost)
	select {
	case err := <-n.Lost():
		if !errors.Is(err, cluster.ErrLost) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody is told")
	}
}

// novel is a command that only newer nodes know.
type novel struct{ Name string }

// asked puts a newer version's command.
func (n *node) asked(t *testing.T, id, command, what string) error {
	t.Helper()
	_, err := n.Ask(t.Context(), address(id), domain.Command{ID: command, At: events.At(time.Now()), Body: novel{what}})
	return err
}

// ownedBy gives the ID of an actor that a node owns.
func ownedBy(n *node, prefix string) string {
	for i := 0; ; i++ {
		if id := fmt.Sprint(prefix, i); n.Owns(address(id)) {
			return id
		}
	}
}

func TestAnOlderNodeLeavesToNewerOnesWhatItDoesNotKnow(t *testing.T) {
	store, registry := memory.New(), &cluster.Alone{}
	older := join(t, store, registry)
	newer := join(t, store, registry, novel{})
	agree(t, older, newer)
	w := &world{t: t, store: store}

	t.Run("a command that the owner does not know is carried out by a node that does", func(t *testing.T) {
		id := ownedBy(older, "n")
		if err := newer.asked(t, id, "c1", "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := older.add(t, id, "c2", "y"); err != nil || len(w.stream(id)) != 2 {
			t.Errorf("the older node is no use any more: %v, %d facts", err, len(w.stream(id)))
		}
	})
	t.Run("so is what needs a fact that the owner does not know, whoever asks", func(t *testing.T) {
		id := ownedBy(older, "f")
		if _, err := older.add(t, id, "c1", "x"); err != nil { // it has the actor in memory
			t.Fatal(err)
		}
		if err := newer.asked(t, id, "c2", "needed"); err != nil {
			t.Fatal(err)
		}
		for i, n := range []*node{older, newer} {
			if _, err := n.add(t, id, fmt.Sprint("again", i), "x"); err != nil {
				t.Error(err)
			}
			if _, err := n.Query(t.Context(), address(id), actors.Wake{}); err != nil {
				t.Error(err)
			}
		}
		if got := len(w.stream(id)); got != 4 {
			t.Errorf("%d facts", got)
		}
	})
	t.Run("when the newer ones are gone, nobody decides and nobody hangs", func(t *testing.T) {
		needed, optional := ownedBy(older, "g"), ownedBy(older, "h")
		if err := errors.Join(newer.asked(t, needed, "c1", "needed"), newer.asked(t, optional, "c1", "optional")); err != nil {
			t.Fatal(err)
		}
		if err := newer.Stop(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		agree(t, older)
		if _, err := older.add(t, needed, "c2", "x"); !errors.Is(err, actors.ErrUnavailable) || !errors.Is(err, actors.ErrNewer) {
			t.Errorf("got %v", err)
		}
		if got := len(w.stream(needed)); got != 1 {
			t.Errorf("%d facts", got)
		}
		if _, err := older.add(t, optional, "c2", "x"); err != nil {
			t.Errorf("a fact that may be passed over is in the way: %v", err)
		}
	})
}
