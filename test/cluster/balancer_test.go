//go:build system

package cluster

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// balancer passes connections on to the nodes in turn. It knows what every
// balancer does: who refuses a connection or leaves a health check unanswered
// gets none until a check succeeds, and loses those that are open; who answers
// that it leaves gets no new ones.
type balancer struct {
	listener net.Listener
	mutex    sync.Mutex
	backends []*backend
	next     int
}

type backend struct {
	address string
	up      bool
	conns   map[net.Conn]bool
}

// How often the balancer looks after a node, and how long that may take.
const (
	checkEvery = 500 * time.Millisecond
	checkTime  = time.Second
)

// newBalancer starts a balancer at a host, which ends with the test.
func newBalancer(t *testing.T, host string, addresses ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	for _, a := range addresses {
		back := &backend{address: a, conns: map[net.Conn]bool{}}
		b.backends = append(b.backends, back)
		work.Go(func() { b.watch(ctx, back) })
	}
	work.Go(b.accept)
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		for _, back := range b.backends {
			b.mark(back, false)
		}
		work.Wait()
	})
	return b
}

func (b *balancer) address() string { return b.listener.Addr().String() }

func (b *balancer) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return // it is closed
		}
		go b.pass(conn)
	}
}

// pass carries a connection to the first node that takes it.
func (b *balancer) pass(client net.Conn) {
	defer client.Close() // at the end nobody needs it
	for range 2 * len(b.backends) {
		back := b.choose()
		if back == nil {
			return
		}
		conn, err := net.DialTimeout("tcp", back.address, checkTime)
		if err != nil {
			b.mark(back, false)
			continue
		}
		if !b.add(back, conn) {
			continue
		}
		b.join(client, conn)
		b.remove(back, conn)
		return
	}
}

func (b *balancer) join(client, node net.Conn) {
	go func() {
		_, _ = io.Copy(node, client)
		_ = node.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, node) // until the node is done
	_ = node.Close()
}

// choose gives the next node that is up.
func (b *balancer) choose() *backend {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for range b.backends {
		back := b.backends[b.next%len(b.backends)]
		if b.next++; back.up {
			return back
		}
	}
	return nil
}

func (b *balancer) add(back *backend, c net.Conn) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !back.up {
		_ = c.Close()
		return false
	}
	back.conns[c] = true
	return true
}

func (b *balancer) remove(back *backend, c net.Conn) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(back.conns, c)
}

// mark takes in that a node is up or not.
func (b *balancer) mark(back *backend, up bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	back.up = up
	for c := range back.conns {
		if !up {
			_ = c.Close()
			delete(back.conns, c)
		}
	}
}

// spare sends nobody new to a node.
func (b *balancer) spare(back *backend) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	back.up = false
}

// watch looks after a node.
func (b *balancer) watch(ctx context.Context, back *backend) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		switch status := probe(ctx, back.address, "/healthz"); {
		case ctx.Err() != nil:
			return
		case status == http.StatusOK:
			b.mark(back, true)
		case status != 0:
			b.spare(back)
		case probe(ctx, back.address, "/healthz") == 0: // twice in a row
			b.mark(back, false)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// check asks a node a question that 200 answers.
func check(ctx context.Context, address, path string) bool {
	return probe(ctx, address, path) == http.StatusOK
}

// probe asks a node a question on a connection of its own, and gives the status
// of the answer; 0 is none.
func probe(ctx context.Context, address, path string) int {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}
