package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"parley/events"
	"parley/events/memory"
)

// load is writers that append without a pause, and a follower. It is as real as
// the network: there is no virtual time for sockets.
type load struct {
	t       *testing.T
	store   events.Store
	stored  [writers][]events.ID // what was acknowledged, in order
	refused [writers]atomic.Int64
	acked   [writers]atomic.Int64
	quit    chan struct{}
	done    sync.WaitGroup
	seen    []events.ID
	reached atomic.Uint64 // how far the follower is
	read    chan struct{}
	close   context.CancelFunc
}

const writers = 16

// patience is how long a call may take.
const patience = time.Second

func begin(t *testing.T, store events.Store) *load {
	l := &load{t: t, store: store, quit: make(chan struct{}), read: make(chan struct{})}
	for i := range writers {
		l.done.Go(func() { l.write(i) })
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.close = cancel
	go l.follow(ctx)
	return l
}

func streamOf(i int) events.Stream { return events.Stream(fmt.Sprintf("outage-%d", i)) }

// write appends records one after the other, each until it is acknowledged.
func (l *load) write(i int) {
	at := events.NoStream
	for {
		r := events.Record{ID: uuid.New(), Type: "Fact", Data: []byte("data")}
		for {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			done, err := l.store.Append(ctx, streamOf(i), at, r)
			ended := ctx.Err()
			cancel()
			if err == nil {
				at = done.Revision
				break
			}
			l.refused[i].Add(1)
			if !errors.Is(err, events.ErrUnavailable) && !errors.Is(err, ended) {
				l.t.Errorf("append: %v", err)
				return
			}
			select {
			case <-l.quit:
				return
			case <-time.After(10 * time.Millisecond): // a caller that lives on
			}
		}
		l.stored[i] = append(l.stored[i], r.ID)
		l.acked[i].Add(1)
		select {
		case <-l.quit:
			return
		default:
		}
	}
}

// follow reads the log as it grows.
func (l *load) follow(ctx context.Context) {
	defer close(l.read)
	sub := l.store.Subscribe(events.LogStart)
	for {
		page, err := sub.Next(ctx)
		if err != nil {
			if closed := sub.Close(); closed != nil || ctx.Err() == nil {
				l.t.Errorf("next: %v; close: %v", err, closed)
			}
			return
		}
		for _, e := range page {
			l.seen = append(l.seen, e.ID)
		}
		l.reached.Store(uint64(page[len(page)-1].Position))
	}
}

// progress waits until every writer has been acknowledged n times more.
func (l *load) progress(n int64) { l.await(&l.acked, n) }

// refusals waits until every writer has been refused n times more.
func (l *load) refusals(n int64) { l.await(&l.refused, n) }

func (l *load) await(counts *[writers]atomic.Int64, n int64) {
	l.t.Helper()
	var from [writers]int64
	for i := range counts {
		from[i] = counts[i].Load()
	}
	eventually(l.t, func() bool {
		for i := range counts {
			if counts[i].Load() < from[i]+n {
				return false
			}
		}
		return true
	})
}

// end stops the writers, lets the follower come to the end, and checks that
// what was acknowledged is there, once, and was seen once.
func (l *load) end(behind events.Store) {
	l.t.Helper()
	close(l.quit)
	l.done.Wait()
	all, err := behind.ReadAll(l.t.Context(), events.LogStart, events.Forwards, 1<<20)
	if err != nil {
		l.t.Fatal(err)
	}
	last, err := l.store.Head(l.t.Context())
	if err != nil || last != all[len(all)-1].Position {
		l.t.Errorf("head %d, %v; expected %d", last, err, all[len(all)-1].Position)
	}
	var want []events.ID
	held := map[events.Stream][]events.ID{}
	for _, e := range all {
		want = append(want, e.ID)
		held[e.Stream] = append(held[e.Stream], e.ID)
	}
	for i := range writers {
		got := held[streamOf(i)]
		if n := len(l.stored[i]); len(got) == n+1 { // the last one got no answer
			got = got[:n]
		}
		if diff := cmp.Diff(l.stored[i], got); diff != "" {
			l.t.Errorf("%s (-acknowledged +stored):\n%s", streamOf(i), diff)
		}
	}
	eventually(l.t, func() bool { return l.reached.Load() >= uint64(last) })
	l.close()
	<-l.read
	if diff := cmp.Diff(want, l.seen); diff != "" {
		l.t.Errorf("followed (-log +seen):\n%s", diff)
	}
}

func TestOutage(t *testing.T) {
	behind := memory.New()
	server := serve(t, behind, "127.0.0.1:0")
	store := openStore(t, "esdb://"+server.address+"?tls=false")
	defer closeStore(t, store)
	l := begin(t, store)
	l.progress(20)
	server.stop()
	away := time.After(5 * time.Second)
	l.refusals(2) // everybody gets an answer
	t.Run("the head cannot be told while the server is away", func(t *testing.T) {
		if _, err := store.Head(t.Context()); !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable", err)
		}
	})
	<-away
	serve(t, behind, server.address)
	l.progress(20)
	l.end(behind)
}

func TestManyOutages(t *testing.T) {
	behind := memory.New()
	server := serve(t, behind, "127.0.0.1:0")
	store := openStore(t, "esdb://"+server.address+"?tls=false")
	l := begin(t, store)
	outage := func() {
		l.progress(2)
		server.stop()
		server = serve(t, behind, server.address)
	}
	for range 5 {
		outage()
	}
	l.progress(2)
	before := runtime.NumGoroutine()
	for range 50 {
		outage()
	}
	l.progress(2)
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+before/10 })
	l.end(behind)
	closeStore(t, store)
}

func TestOutagesTakeNoRoom(t *testing.T) {
	behind := memory.New()
	server := serve(t, behind, "127.0.0.1:0")
	store := openStore(t, "esdb://"+server.address+"?tls=false")
	defer closeStore(t, store)
	sub := store.Subscribe(events.LogStart)
	defer sub.Close()
	at := events.NoStream
	outages := func(n int) {
		for range n {
			done, err := store.Append(t.Context(), "a-1", at, facts(1)...)
			if err == nil {
				_, err = sub.Next(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			at = done.Revision
			server.stop()
			server = serve(t, behind, server.address)
		}
	}
	heap := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	outages(10)
	before := heap()
	const n = 50
	outages(n)
	// A connection takes 60 KiB and more. The last ones end in their own time.
	eventually(t, func() bool { return (heap()-before)/n <= 4096 })
}

// eventually waits for a condition.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Fatalf("it did not come to it in time; %d goroutines:\n%s", runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}

// A machine that is gone does not even refuse: it says nothing.
func TestAServerThatSaysNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // nobody accepts
	store := openStore(t, "esdb://"+listener.Addr().String()+"?tls=false")
	t.Run("callers are let go of when their time is over", func(t *testing.T) {
		var callers sync.WaitGroup
		for i := range 100 { // more than there are connections
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				_, err := store.Append(ctx, streamOf(i), events.NoStream, facts(1)...)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
			})
		}
		callers.Wait()
	})
	t.Run("who has all the time learns that it is away", func(t *testing.T) {
		if _, err := store.Head(t.Context()); !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("closing ends what waits", func(t *testing.T) {
		sub := store.Subscribe(events.LogStart)
		ended := make(chan error, 1)
		go func() {
			_, err := sub.Next(context.Background())
			ended <- err
		}()
		closeStore(t, store)
		if err := <-ended; !errors.Is(err, events.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}
