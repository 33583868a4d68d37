package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
)

func testConcurrency(t *testing.T, f Factory) {
	t.Run("of appends with the same expected revision exactly one wins", testOneWinner(f))
	t.Run("appends that reload after losing all arrive", testReload(f))
	t.Run("the same append at once from many sides is stored once", testSameAppend(f))
	t.Run("subscribers that come and go miss nothing and get nothing twice", testComeAndGo(f))
	t.Run("readers see only whole appends, also while others are erased", testWholeAppends(f))
}

func testOneWinner(f Factory) func(*testing.T) {
	return func(t *testing.T) {
		l, s := open(t, f), stream()
		var want []events.Record
		for round := range 20 {
			tries := records(8)
			errs := make([]error, len(tries))
			together(len(tries), func(i int) {
				_, errs[i] = l.Append(l.ctx, s, events.Revision(round-1), tries[i])
			})
			won := 0
			for i, err := range errs {
				if err == nil {
					won++
					want = append(want, tries[i])
					continue
				}
				checkWrong(t, err, events.WrongRevision{
					Stream: s, Expected: events.Revision(round - 1), Actual: events.Revision(round),
				})
			}
			if won != 1 {
				t.Fatalf("%d of %d appends won", won, len(tries))
			}
		}
		l.checkHolds(s, want)
	}
}

func testReload(f Factory) func(*testing.T) {
	return func(t *testing.T) {
		l, s := open(t, f), stream()
		const writers, each = 8, 20
		together(writers, func(int) {
			at := events.NoStream
			for range each {
				r := one()
				done, err := l.Append(l.ctx, s, at, r)
				for wrong := (*events.WrongRevision)(nil); errors.As(err, &wrong); {
					done, err = l.Append(l.ctx, s, wrong.Actual, r)
				}
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				at = done.Revision
			}
		})
		got := l.read(s, events.StreamStart, events.Forwards, writers*each+1)
		if len(got) != writers*each {
			t.Errorf("stream holds %d events, expected %d", len(got), writers*each)
		}
		for i, e := range got {
			if e.Revision != events.Revision(i) {
				t.Fatalf("event %d has revision %d", i, e.Revision)
			}
		}
	}
}

func testSameAppend(f Factory) func(*testing.T) {
	return func(t *testing.T) {
		l := open(t, f)
		for range 10 {
			s, rs := stream(), records(3)
			answers := make([]events.Appended, 8)
			together(len(answers), func(i int) {
				var err error
				if answers[i], err = l.Append(l.ctx, s, events.NoStream, rs...); err != nil {
					t.Errorf("append: %v", err)
				}
			})
			for _, a := range answers {
				if a != answers[0] {
					t.Errorf("answers %+v and %+v differ", a, answers[0])
				}
			}
			l.checkHolds(s, rs)
		}
	}
}

func testComeAndGo(f Factory) func(*testing.T) {
	return func(t *testing.T) {
		l := open(t, f)
		const writers, appends, followers = 8, 40, 4
		total := 0
		for i := range writers * appends {
			total += i%3 + 1
		}
		seen := make([][]events.Position, followers)
		var wg sync.WaitGroup
		for i := range seen {
			wg.Go(func() {
				var err error
				if seen[i], err = l.hop(total, i+1); err != nil {
					t.Errorf("follower %d after %d events: %v", i, len(seen[i]), err)
				}
			})
		}
		together(writers, func(w int) {
			s, at := stream(), events.NoStream
			for i := range appends {
				done, err := l.Append(l.ctx, s, at, records((w*appends+i)%3+1)...)
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				at = done.Revision
			}
		})
		wg.Wait()
		var want []events.Position
		for _, e := range l.all() {
			want = append(want, e.Position)
		}
		for i := range seen {
			if diff := cmp.Diff(want, seen[i]); diff != "" {
				t.Errorf("positions of follower %d (-log +seen):\n%s", i, diff)
			}
		}
	}
}

// hop follows the log until it has seen n events, and subscribes anew at its
// last position after a few pages each time.
func (l *log) hop(n, pages int) (seen []events.Position, err error) {
	at := l.start
	for len(seen) < n {
		sub := l.Subscribe(at)
		for range pages {
			page, err := sub.Next(l.ctx)
			if err != nil {
				return seen, errors.Join(err, sub.Close())
			}
			for _, e := range page {
				seen = append(seen, e.Position)
				at = e.Position
			}
			if len(seen) >= n {
				break
			}
		}
		if err := sub.Close(); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

func testWholeAppends(f Factory) func(*testing.T) {
	return func(t *testing.T) {
		l, s := open(t, f), stream()
		const appends, size = 20, 4
		var wg sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				for {
					if err := l.checkWhole(s, size); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for i := range appends {
			l.put(s, events.Revision(i*size-1), records(size)...)
			other := stream()
			l.put(other, events.NoStream, records(3)...)
			l.truncate(other, events.StreamEnd)
		}
		close(done)
		wg.Wait()
		if err := l.checkWhole(s, size); err != nil {
			t.Error(err)
		}
	}
}

// checkWhole reads a stream that is only appended to by size records at once.
func (l *log) checkWhole(s events.Stream, size int) error {
	es, err := l.Read(l.ctx, s, events.StreamStart, events.Forwards, 10_000)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if len(es)%size != 0 {
		return fmt.Errorf("read %d events, which are no whole appends of %d", len(es), size)
	}
	for i, e := range es {
		if e.Revision != events.Revision(i) {
			return fmt.Errorf("event %d has revision %d", i, e.Revision)
		}
	}
	if !increasing(es) {
		return fmt.Errorf("positions of %d events do not increase", len(es))
	}
	return nil
}

// together calls f with 0 to n-1 at the same time and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}
