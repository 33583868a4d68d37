package bucket

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// How long connecting may take, and how long nothing may move on a connection.
const (
	connectTime = 5 * time.Second
	idleTime    = 20 * time.Second
)

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// steady gives up connections on which nothing moves. A large content over a
// slow line is given the time it takes.
func steady(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return steadyConn{c}, nil
	}
}

// steadyConn is a connection that ends when nothing moves on it. Whoever waits
// for an answer waits anew with every byte that is sent.
type steadyConn struct{ net.Conn }

// Read implements net.Conn.
func (c steadyConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTime)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn. A large p, such as a whole file, is written in
// pieces, so that each is something that moves.
func (c steadyConn) Write(p []byte) (written int, err error) {
	const piece = 64 << 10
	for len(p) > 0 && err == nil {
		if err = c.SetDeadline(time.Now().Add(idleTime)); err != nil {
			break
		}
		var n int
		n, err = c.Conn.Write(p[:min(len(p), piece)])
		written, p = written+n, p[n:]
	}
	return written, err
}

// clock learns from every answer how far the bucket's clock is ahead of this
// machine's. The age of what is in a bucket is told by the bucket's clock alone.
type clock struct {
	client *http.Client
	ahead  atomic.Int64 // nanoseconds
}

// prompt is how long an answer may take that the time is read from.
const prompt = 5 * time.Second

// Do implements s3.HTTPClient.
func (c *clock) Do(r *http.Request) (*http.Response, error) {
	asked := time.Now()
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	answered := time.Now()
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err == nil && answered.Sub(asked) < prompt {
		c.ahead.Store(int64(aheadBy(date, asked, answered)))
	}
	return answer, nil
}

// aheadBy is how far a clock is ahead, at least, that said a whole second
// between two instants of ours. What rounding and the way explain is nothing.
func aheadBy(date, asked, answered time.Time) time.Duration {
	switch {
	case date.After(answered):
		return date.Sub(answered)
	case date.Add(time.Second).Before(asked):
		return date.Add(time.Second).Sub(asked)
	}
	return 0
}

// now is the bucket's time, exact to some seconds.
func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// ours is an instant of the bucket's on our clock.
func (c *clock) ours(theirs time.Time) time.Time {
	return theirs.Add(-time.Duration(c.ahead.Load()))
}
