package perform

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"parley/domain"
)

// share is what this node gets of a budget that another one owns. Those who
// want to send ask one after the other, each for all who wait behind it, so
// that one question serves many when there is much to send.
type share struct {
	limit   int
	cluster Cluster
	owner   domain.Address

	waiting atomic.Int64
	turn    chan struct{} // held by who asks, or takes of what was granted

	mutex sync.Mutex
	// stock is how many messages are granted, since from, and not sent yet.
	stock int
	from  time.Time
	// until is when to ask again whether the number is paused, away when to ask
	// an owner again that could not be reached.
	until, away time.Time
	// alone paces the messages meanwhile, for a cluster of size nodes.
	alone *rate.Limiter
	size  int
}

const (
	// askTime is how long a node waits for another one's grant.
	askTime = time.Second
	// askAgain is how long it believes that the owner cannot be reached, or
	// that the number is paused.
	askAgain = time.Second
	// stale is how long a grant is good.
	stale = time.Second
)

// take takes the right to send once more; at once or not at all if now is set.
// may is false while the number is paused.
func (s *share) take(ctx context.Context, now bool) (may bool, err error) {
	from, may, err := s.next(ctx, now)
	if err != nil || !may {
		return false, err
	}
	wait := time.NewTimer(time.Until(from))
	defer wait.Stop()
	select {
	case <-wait.C:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// next gives the time from which one message more may be sent.
func (s *share) next(ctx context.Context, now bool) (from time.Time, may bool, err error) {
	s.waiting.Add(1)
	defer s.waiting.Add(-1)
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return from, false, ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.paused() {
		return from, false, nil
	}
	if from, ok := s.spend(); ok {
		return from, !now || !from.After(time.Now()), nil
	}
	if s.isAway() {
		return s.ownPace(now)
	}
	asked, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	want := max(1, min(int(s.waiting.Load()), s.limit/4))
	answer, err := s.cluster.Query(asked, s.owner, Grant{Want: want, Now: now})
	granted, ok := answer.(Granted)
	switch {
	case ctx.Err() != nil:
		return from, false, ctx.Err()
	case err != nil || !ok:
		s.lose()
		return s.ownPace(now)
	}
	s.store(granted)
	from, may = s.spend()
	return from, may, nil
}

// store keeps what was granted.
func (s *share) store(g Granted) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.stock, s.from = g.Many, time.Now().Add(g.Wait)
	if g.Paused > 0 {
		s.until = time.Now().Add(min(g.Paused, askAgain))
	}
}

// spend takes one of what was granted, and tells from when it may be sent.
func (s *share) spend() (from time.Time, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.stock == 0 || time.Since(s.from) > stale {
		s.stock = 0
		return s.from, false
	}
	s.stock--
	return s.from, true
}

// ownPace is that of a node which cannot reach the owner: all nodes together
// then send no more than the number may.
func (s *share) ownPace(now bool) (from time.Time, may bool, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if size := s.cluster.Size(); s.alone == nil || s.size != size {
		each := float64(s.limit) / float64(size)
		s.alone, s.size = rate.NewLimiter(rate.Limit(each), max(1, int(each))), size
		s.alone.AllowN(time.Now(), s.alone.Burst())
	}
	if now {
		return time.Now(), s.alone.Allow(), nil
	}
	r := s.alone.Reserve()
	return time.Now().Add(r.Delay()), r.OK(), nil
}

// pause tells the owner that nothing is to be sent for a while. If it cannot be
// told, this node at least keeps to it. 0 ends a pause.
func (s *share) pause(ctx context.Context, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if _, err := s.cluster.Query(ctx, s.owner, Pause{For: wait}); err == nil {
		wait = min(wait, askAgain)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.until, s.stock = time.Now().Add(wait), 0
}

func (s *share) paused() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Now().Before(s.until)
}

func (s *share) isAway() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Now().Before(s.away)
}

// lose takes in that the owner cannot be reached.
func (s *share) lose() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.away = time.Now().Add(askAgain)
}

// reach takes in that there may be another owner.
func (s *share) reach() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.away = time.Time{}
}
