package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"parley/events"
)

// seam is a context that lets something happen between a subscription's last
// look at the log and its waiting, where an event is lost most easily. Whoever
// waits with a context asks it for Done just before, and looks at Err earlier.
type seam struct {
	context.Context
	happen func()
	// early says that it happens while the subscription looks, else that it has
	// happened when the subscription begins to wait.
	early bool
	once  sync.Once
	over  chan struct{}
}

func (s *seam) begin() {
	s.once.Do(func() {
		go func() {
			defer close(s.over)
			s.happen()
		}()
	})
}

// Err is a look. Who calls it may hold what an append needs, which then happens
// as soon as it is let go of.
func (s *seam) Err() error {
	if s.early {
		s.begin()
		select {
		case <-s.over:
		case <-time.After(2 * time.Millisecond):
		}
	}
	return s.Context.Err()
}

// Done is the beginning of a wait.
func (s *seam) Done() <-chan struct{} {
	s.begin()
	if !s.early {
		<-s.over
	}
	return s.Context.Done()
}

// nextAt appends a record at the seam of a Next, and checks that it is what Next
// gives.
func (l *log) nextAt(sub events.Subscription, s events.Stream, expected events.Revision, early bool) {
	l.t.Helper()
	r, err := one(), error(nil)
	at := &seam{Context: l.ctx, early: early, over: make(chan struct{})}
	at.happen = func() { _, err = l.Append(l.ctx, s, expected, r) }
	page, failure := sub.Next(at)
	if <-at.over; err != nil || failure != nil {
		l.t.Fatalf("append: %v; next: %v", err, failure)
	}
	checkRun(l.t, page, s, expected+1, []events.Record{r})
}

func testSeam(t *testing.T, f Factory) {
	for rule, early := range map[string]bool{
		"what comes while a subscription looks whether there is more is not lost": true,
		"what comes when a subscription begins to wait is not lost":               false,
	} {
		t.Run(rule, func(t *testing.T) {
			l, s := open(t, f), stream()
			const subscriptions, each = 20, 3
			behind := l.start
			for i := range events.Revision(subscriptions) {
				known := l.put(s, i*(each+1)-1, one())
				sub := l.follow(behind) // of each it has something to catch up with
				l.take(sub, 1)
				for n := range events.Revision(each) {
					l.nextAt(sub, s, known.Revision+n, early)
				}
				behind = l.head()
			}
		})
	}
	t.Run("of many that come one by one none is lost", func(t *testing.T) {
		l, s := open(t, f), stream()
		sub := l.follow(l.start)
		for i := range events.Revision(200) {
			l.nextAt(sub, s, i-1, false)
		}
	})
	t.Run("what comes while nobody asks is kept", func(t *testing.T) {
		l, s := open(t, f), stream()
		sub := l.follow(l.start)
		l.nextAt(sub, s, events.NoStream, false)
		rs := records(3000)
		for i := 0; i < len(rs); i += 500 {
			l.put(s, events.Revision(i), rs[i:i+500]...)
		}
		checkRun(t, l.take(sub, len(rs)), s, 1, rs)
	})
}
