package perform

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/domain"
	"parley/events"
)

// nodes are the pacers of a cluster, the first of which owns every number.
type nodes struct {
	pacers  []*Pacer
	owner   atomic.Int64
	cut     atomic.Bool // nobody can reach the owner
	queries atomic.Int64
}

// place is one node of them.
type place struct {
	*nodes
	index int
}

func (p place) Owns(domain.Address) bool { return int(p.owner.Load()) == p.index }
func (p place) Size() int                { return len(p.pacers) }

// Query takes a journey of 2 ms, or hangs.
func (p place) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	p.queries.Add(1)
	if p.cut.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(2 * time.Millisecond)
	answer, ok := p.pacers[p.owner.Load()].answer(to, question)
	if !ok {
		return nil, errors.New("not a question for a pacer")
	}
	return answer, nil
}

func joined(size, limit int) *nodes {
	n := &nodes{}
	for range size {
		n.pacers = append(n.pacers, NewPacer(limit))
	}
	for i, p := range n.pacers {
		p.Join(place{n, i})
	}
	return n
}

var talk = domain.Address{Kind: events.ConversationCategory, ID: "i1.15551234567"}

// send lets each node send as fast as it may, with so many at a time, and
// counts what goes out.
func (n *nodes) send(t *testing.T, during time.Duration, together int) (sent int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	var all sync.WaitGroup
	var count atomic.Int64
	for i, p := range n.pacers {
		for k := range together {
			all.Go(func() {
				for ctx.Err() == nil {
					if (i+k)%2 == 0 && p.may(ctx, talk) {
						count.Add(1)
						continue
					}
					if may, err := p.wait(ctx, talk); err == nil && may {
						count.Add(1)
					} else {
						time.Sleep(50 * time.Millisecond) // as the lane does
					}
				}
			})
		}
	}
	all.Wait()
	return count.Load()
}

func TestTheRateOfANumberHoldsForAllNodes(t *testing.T) {
	const limit = 40
	for _, c := range []struct {
		name        string
		size        int
		change      func(t *testing.T, n *nodes)
		least, most int64 // in 10 s
		queries     int64
	}{
		{"one node spends the budget, and what it had saved up", 1, nil, 10 * limit, 11*limit + 1, 0},
		{"three nodes share it", 3, nil, 9 * limit, 10*limit + 3, 10 * limit},
		{"who cannot reach the owner keeps to a share", 3, func(_ *testing.T, n *nodes) { n.cut.Store(true) }, 10 * limit, 10*limit*5/3 + 3, 60},
		{
			"a change of owner costs no more than what waited for the old one", 3, func(t *testing.T, n *nodes) {
				go func() {
					for i := range int64(5) {
						time.Sleep(1500 * time.Millisecond)
						n.owner.Store(i % 3)
						for _, p := range n.pacers {
							p.Moved()
						}
					}
				}()
			}, 8 * limit, 10*limit + 5*60, 20 * limit,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := joined(c.size, limit)
				if c.change != nil {
					c.change(t, n)
				}
				sent := n.send(t, 10*time.Second, 20)
				t.Logf("%d messages and %d questions in 10 s", sent, n.queries.Load())
				if sent < c.least || sent > c.most {
					t.Errorf("%d messages in 10 s, want %d to %d", sent, c.least, c.most)
				}
				if q := n.queries.Load(); q > c.queries {
					t.Errorf("%d questions between the nodes, want %d at most", q, c.queries)
				}
			})
		})
	}
}

func TestAPauseHoldsForAllNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := joined(3, 40)
		time.Sleep(time.Second) // there are savings
		n.pacers[2].pause(t.Context(), talk, time.Minute)
		if sent := n.send(t, 59*time.Second, 2); sent > 0 {
			t.Errorf("%d messages go out in a pause", sent)
		}
		time.Sleep(time.Second)
		if !n.pacers[1].may(t.Context(), talk) {
			t.Error("the pause does not end")
		}
		n.pacers[0].pause(t.Context(), talk, time.Hour)
		n.pacers[1].resume(t.Context(), "i1")
		time.Sleep(askAgain)
		for i, p := range n.pacers {
			if may, err := p.wait(t.Context(), talk); !may || err != nil {
				t.Errorf("node %d may not send after new credentials: %v", i, err)
			}
		}
	})
}
