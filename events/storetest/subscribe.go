package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/events"
)

func testSubscribe(t *testing.T, f Factory) {
	l := open(t, f)
	a, b := stream(), stream()
	for i := range 5 {
		l.put(a, events.Revision(i-1), one())
		l.put(b, events.Revision(2*i-1), records(2)...)
	}
	all := l.all()
	t.Run("a subscription gives every event once and in order", func(t *testing.T) {
		l := l.in(t)
		checkSame(t, l.take(l.follow(l.start), len(all)), all)
	})
	t.Run("a subscription begins after its position", func(t *testing.T) {
		l := l.in(t)
		for i, e := range all[:len(all)-1] {
			checkSame(t, l.take(l.follow(e.Position), len(all)-i-1), all[i+1:])
		}
	})
	t.Run("subscriptions do not disturb each other", func(t *testing.T) {
		l := l.in(t)
		early, late := l.follow(l.start), l.follow(all[7].Position)
		checkSame(t, l.take(late, len(all)-8), all[8:])
		checkSame(t, l.take(early, len(all)), all)
	})
	t.Run("a closed subscription leaves the others alone", func(t *testing.T) {
		l := l.in(t)
		closed, other := l.Subscribe(l.start), l.follow(l.start)
		if err := closed.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		checkSame(t, l.take(other, len(all)), all)
	})
	t.Run("a long log is given completely", func(t *testing.T) {
		l := open(t, f)
		s := stream()
		rs := records(1500)
		for i := 0; i < len(rs); i += 500 {
			l.put(s, events.Revision(i-1), rs[i:i+500]...)
		}
		checkRun(t, l.take(l.follow(l.start), len(rs)), s, events.StreamStart, rs)
	})
	t.Run("large events are given completely", func(t *testing.T) {
		l := open(t, f)
		s := stream()
		rs := sized(t, 900_000, 1000, 900_000, 900_000, 1000, 900_000, 900_000, 900_000)
		for i, r := range rs {
			l.put(s, events.Revision(i-1), r)
		}
		checkRun(t, l.take(l.follow(l.start), len(rs)), s, events.StreamStart, rs)
	})
}

func testWait(t *testing.T, f Factory) {
	t.Run("next wakes up for an append", func(t *testing.T) {
		l, s := open(t, f), stream()
		sub := l.follow(l.start)
		for i := range 20 {
			page := inBackground(l, sub)
			r := one()
			l.put(s, events.Revision(i-1), r)
			checkRun(t, page(), s, events.Revision(i), []events.Record{r})
		}
	})
	t.Run("every waiting subscription wakes up", func(t *testing.T) {
		l, s := open(t, f), stream()
		var pages []func() []events.Recorded
		for range 10 {
			pages = append(pages, inBackground(l, l.follow(l.start)))
		}
		r := one()
		l.put(s, events.NoStream, r)
		for _, page := range pages {
			checkRun(t, page(), s, events.StreamStart, []events.Record{r})
		}
	})
	t.Run("next waits as long as there is nothing, and goes on after its context ended", func(t *testing.T) {
		l, s := open(t, f), stream()
		sub := l.follow(l.start)
		for i := range 3 {
			short, cancel := context.WithTimeout(l.ctx, time.Millisecond)
			page, err := sub.Next(short)
			cancel()
			if len(page) != 0 || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("next gave %d events and error %v, expected the context's", len(page), err)
			}
			r := one()
			l.put(s, events.Revision(i-1), r)
			checkRun(t, l.take(sub, 1), s, events.Revision(i), []events.Record{r})
		}
	})
}

func testWaitEnds(t *testing.T, f Factory) {
	t.Run("cancelling the context ends a waiting next", func(t *testing.T) {
		l := open(t, f)
		sub := l.follow(l.start)
		ctx, cancel := context.WithCancel(l.ctx)
		ended := make(chan error)
		go func() {
			_, err := sub.Next(ctx)
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, expected the context's", err)
		}
	})
	t.Run("a refused append wakes nobody up with nothing", func(t *testing.T) {
		l, s := open(t, f), stream()
		sub := l.follow(l.start)
		page := inBackground(l, sub)
		if _, err := l.Append(l.ctx, s, 7, one()); err == nil {
			t.Fatal("append at a wrong revision was accepted")
		}
		r := one()
		l.put(s, events.NoStream, r)
		checkRun(t, page(), s, events.StreamStart, []events.Record{r})
	})
}

// inBackground calls Next and returns a function that waits for what it gave.
func inBackground(l *log, sub events.Subscription) (wait func() []events.Recorded) {
	var page []events.Recorded
	ended := make(chan error, 1)
	go func() {
		var err error
		page, err = sub.Next(l.ctx)
		ended <- err
	}()
	return func() []events.Recorded {
		l.t.Helper()
		if err := <-ended; err != nil {
			l.t.Fatalf("next: %v", err)
		}
		return page
	}
}
