package simulator

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Faults are how likely Meta misbehaves, each from 0 to 1. The zero Faults are
// a perfect day.
type Faults struct {
	// Repeat delivers a webhook once more although it was answered.
	Repeat float64
	// Reorder lets an update overtake others of the same person.
	Reorder float64
	// Delay holds an update back, by up to MaxDelay.
	Delay float64
	// Batch holds an update back until it can share a webhook with another
	// one of the number, of whomever.
	Batch float64
	// Early delivers the statuses of a message before the send is answered.
	Early float64
	// Throttle refuses a send with one of the codes for too many.
	Throttle float64
	// MaxDelay bounds every wait that a fault causes.
	MaxDelay time.Duration
}

// Hostile is the default: everything that Meta was seen to do, often.
func Hostile() Faults {
	return Faults{Repeat: 0.3, Reorder: 0.3, Delay: 0.3, Batch: 0.3, Early: 0.3, Throttle: 0.1, MaxDelay: 3 * time.Second}
}

// Calm is a perfect day, for people who try the thing out.
func Calm() *Faults { return &Faults{} }

// dice are the random numbers of one thing that may go wrong. They depend on
// the seed and the thing's name only, not on what happens meanwhile.
type dice struct{ *rand.Rand }

func (s *Simulator) dice(name ...string) dice {
	h := fnv.New64a()
	for _, part := range name {
		_, _ = h.Write([]byte(part)) // a hash takes everything
		_, _ = h.Write([]byte{0})
	}
	return dice{rand.New(rand.NewPCG(s.seed, h.Sum64()))}
}

// happens reports whether something of a likelihood happens.
func (d dice) happens(likelihood float64) bool { return d.Float64() < likelihood }

// upTo is a time from 1 ms to most.
func (d dice) upTo(most time.Duration) time.Duration {
	if most <= time.Millisecond {
		return time.Millisecond
	}
	return time.Millisecond + time.Duration(d.Int64N(int64(most-time.Millisecond)))
}

// fate is what goes wrong with one update.
type fate struct {
	repeat, alone, shared bool
	// delay is before the first delivery, again before the repeated one.
	delay, again time.Duration
}

func (s *Simulator) fate(name ...string) fate {
	d, f := s.dice(name...), s.faults
	// Every number is drawn each time, so that one likelihood does not change
	// what another one does.
	fate := fate{repeat: d.happens(f.Repeat), alone: d.happens(f.Reorder), shared: d.happens(f.Batch)}
	delayed, delay := d.happens(f.Delay), d.upTo(f.MaxDelay)
	fate.again = d.upTo(f.MaxDelay)
	if delayed || fate.alone {
		fate.delay = delay
	}
	return fate
}
