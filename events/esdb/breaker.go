package esdb

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// grace is how long calls go on trying when the server is away: a restart
	// shorter than that is only waited for.
	grace = 2 * time.Second
	// probeEvery is how often a call tries, after that, whether the server is
	// back. All others fail at once.
	probeEvery = 250 * time.Millisecond
)

// breaker knows since when the server does not answer.
type breaker struct {
	logger *slog.Logger

	mutex sync.Mutex
	since time.Time // zero while the server answers
	last  time.Time // of an answer
	probe time.Time // when the next call may try
	told  bool
}

// admits reports that a call may try now.
func (b *breaker) admits(now time.Time) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !b.open(now) {
		return true
	}
	if now.Before(b.probe) {
		return false
	}
	b.probe = now.Add(probeEvery)
	return true
}

// isOpen reports that the server has been away for longer than is waited for.
func (b *breaker) isOpen(now time.Time) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.open(now)
}

func (b *breaker) open(now time.Time) bool { return !b.since.IsZero() && now.Sub(b.since) >= grace }

// left takes in that a caller has left who began to wait at a time. If nobody
// else was answered meanwhile, that says something of the server: packets that
// are lost on the way tell nobody.
func (b *breaker) left(began, now time.Time) {
	if now.Sub(began) < grace {
		return
	}
	b.mutex.Lock()
	if b.since.IsZero() && b.last.Before(began) {
		b.since = began
	}
	silent := !b.since.IsZero()
	b.mutex.Unlock()
	if silent {
		b.note(false, now)
	}
}

// note takes in whether the server answered a call.
func (b *breaker) note(answered bool, now time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if answered {
		b.last = now
	}
	switch {
	case answered && b.told:
		b.logger.Info("the event store answers again", "away", now.Sub(b.since).Round(time.Millisecond))
		fallthrough
	case answered:
		b.since, b.told = time.Time{}, false
	case b.since.IsZero():
		b.since = now
	case b.open(now) && !b.told:
		b.told = true
		b.logger.Error("the event store does not answer; what needs it is refused until it does", "since", b.since)
	}
}
