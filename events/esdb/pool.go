package esdb

import (
	"fmt"
	"sync"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

const (
	// connections bounds the calls under way, and so the connections.
	connections = 32
	// lifetime is how long a connection is used. Whoever leads a cluster by
	// then is found by the next one.
	lifetime = 5 * time.Minute
)

// connection is a client that one call at a time uses.
type connection struct {
	*client.Client
	born time.Time
}

// pool keeps the connections that nobody uses.
type pool struct {
	config  client.Configuration
	metrics *metrics
	// slots holds one for each call under way.
	slots chan struct{}

	mutex sync.Mutex
	idle  []*connection // the last used one last
}

func newPool(config client.Configuration, m *metrics) *pool {
	return &pool{config: config, metrics: m, slots: make(chan struct{}, connections)}
}

// take gives the connection that was used last, so that those too many grow
// old, or a new one. It connects when it is used.
func (p *pool) take() (*connection, error) {
	if c := p.newest(); c != nil {
		return c, nil
	}
	config := p.config
	made, err := client.NewClient(&config)
	if err != nil {
		return nil, fmt.Errorf("make a client of the event store: %w", err)
	}
	p.metrics.connections.Inc()
	return &connection{Client: made, born: time.Now()}, nil
}

func (p *pool) newest() *connection {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c
}

// give puts a connection back if it is good for another call, and closes those
// that are too old.
func (p *pool) give(c *connection, good bool) {
	p.mutex.Lock()
	if good {
		p.idle = append(p.idle, c)
		c = nil
	}
	var old, young []*connection
	for _, i := range p.idle {
		if time.Since(i.born) < lifetime {
			young = append(young, i)
		} else {
			old = append(old, i)
		}
	}
	if len(old) > 0 {
		p.idle = young
	}
	p.mutex.Unlock()
	p.discard(old...)
	if c != nil {
		p.discard(c)
	}
}

// discard closes connections. Nobody uses them, so that it is safe.
func (p *pool) discard(cs ...*connection) {
	for _, c := range cs {
		_ = c.Close() // never fails
		p.metrics.connections.Dec()
	}
}

// close closes all connections, once every call has ended.
func (p *pool) close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.discard(p.idle...)
	p.idle = nil
}
