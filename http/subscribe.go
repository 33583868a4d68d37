package http

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/http/auth"
	"parley/projections"
)

// liveForms are the forms of a stream that stays open. JSON alone would never
// end, so that who wants JSON gets lines of it.
var liveForms = []form{inLines, inJSON, inEvents}

const (
	// maxHistory bounds the events that a subscription begins with.
	// Spec: "Limits".
	maxHistory = 10_000
	// maxSubscriptions bounds the open ones of an account.
	maxSubscriptions = 100
	// livePage is how many events a subscriber reads at a time, and liveRest the
	// time it lets go by before it reads again: however fast the log grows, a
	// subscriber costs so much memory and so many queries.
	livePage = 32
	liveRest = 200 * time.Millisecond
	// liveBeat is how often a stream says that it lives, in a form that can:
	// proxies cut what is silent for a minute or so.
	liveBeat = 20 * time.Second
)

// subscriptions counts the open ones of each account.
type subscriptions struct {
	mutex sync.Mutex
	open  map[string]int
}

// enter takes one of an account's places. The caller leaves it, once.
func (s *subscriptions) enter(account string) (leave func(), err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open[account] >= maxSubscriptions {
		return nil, &problem{
			status: 429, code: "TOO_MANY_REQUESTS", retryAfter: 5,
			message: fmt.Sprintf("There are %d subscriptions of this account already: close one", maxSubscriptions),
		}
	}
	s.open[account]++
	return func() { s.leave(account) }, nil
}

func (s *subscriptions) leave(account string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open[account]--; s.open[account] == 0 {
		delete(s.open, account)
	}
}

// subscribeEvents answers with the newest events, oldest first, and then with
// each new one as it happens, until the client leaves. While nothing happens
// no line is sent; server-sent events have a comment now and then.
// Spec: "Streams and exports", event/log/subscribe.
func (s *Server) subscribeEvents(c call) error {
	history, err := c.historyLength()
	if err != nil {
		return err
	}
	c.current()
	after, err := s.model.LogEnd(c.UserContext(), c.account, history)
	if err != nil {
		return err
	}
	leave, err := s.subscriptions.enter(c.account)
	if err != nil {
		return err
	}
	if c.form == inJSON {
		c.form = inLines
	}
	secret, _ := auth.Bearer(c.Get(fiber.HeaderAuthorization))
	f := follower{server: s, account: c.account, secret: auth.Hash(secret), after: after}
	connection := c.Context().Conn()
	c.Context().SetConnectionClose() // there is no other request after this one
	c.Context().Response.ImmediateHeaderFlush = true
	return c.flow(func(ctx context.Context, w writer) error {
		defer leave()
		ctx, gone := context.WithCancel(ctx)
		defer gone()
		defer watch(connection, gone)()
		return f.follow(ctx, w)
	})
}

func (c call) historyLength() (int, error) {
	b, err := readBody(c.Ctx, true)
	if err != nil {
		return 0, err
	}
	n := b.integerOrNull("historyLength")
	if n.Value == nil {
		return 0, b.done()
	}
	if *n.Value < 0 || *n.Value > maxHistory {
		b.wrong("historyLength", fmt.Sprintf("a number from 0 to %d", maxHistory))
	}
	return int(*n.Value), b.done()
}

// follower is one subscriber's place in its account's event log. It reads the
// log itself, at its own pace: nothing is kept for it meanwhile.
type follower struct {
	server  *Server
	account string
	secret  []byte // the hash of it
	after   int64  // seq of the last event that was sent
}

// follow sends what lies behind the place, and waits for more, until the
// context ends or the secret is not valid any more.
func (f *follower) follow(ctx context.Context, w writer) error {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for {
		_, moved := f.server.model.Moved() // before the read: what comes after it wakes us
		switch err := f.send(ctx, w); {
		case ctx.Err() != nil:
			return errGone
		case err != nil:
			return err
		}
		select {
		case <-moved:
		case <-beat.C:
			if err := w.beat(); err != nil {
				return err
			}
		case <-ctx.Done():
			return errGone
		}
	}
}

// send sends everything that lies behind the place now, and takes a rest.
func (f *follower) send(ctx context.Context, w writer) error {
	if _, err := f.server.accountOf(ctx, f.secret); err != nil {
		return err
	}
	for {
		page, err := f.server.model.Log(ctx, f.account, projections.LogFilter{}, projections.Page{After: f.after, Take: livePage})
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := w.tell("item", showEvent(e).shown); err != nil {
				return err
			}
			f.after = e.Seq
		}
		if len(page) < livePage {
			break
		}
	}
	rest := time.NewTimer(liveRest)
	defer rest.Stop()
	select {
	case <-rest.C:
		return nil
	case <-ctx.Done():
		return errGone
	}
}

// watch calls gone when the client closes its end of a connection: while
// nothing is sent, nothing else would tell. stop ends the watch. A request that
// came without a network is not watched.
func watch(connection net.Conn, gone func()) (stop func()) {
	if _, ok := connection.(lingers); !ok {
		return func() {}
	}
	_ = connection.SetReadDeadline(time.Time{}) // the client has said all it had to say
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = io.Copy(io.Discard, io.LimitReader(connection, maxIdle)) // whatever ends it
		gone()
	})
	return func() {
		_ = connection.SetReadDeadline(time.Now()) // ends the copy
		reading.Wait()
	}
}

// maxIdle bounds what a client may send without being asked, in bytes.
const maxIdle = 64 << 10
