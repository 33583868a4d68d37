package parley_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/domain/conversation"
	"parley/events"
	"parley/events/memory"
	"parley/whatsapp/simulator"
)

var (
	lives = flag.Int("lives", 25, "how many lives TestLives leads")
	seed  = flag.Uint64("seed", 0, "lead the life of this seed alone, and tell it")
)

// TestLives leads whole lives: people write, everything around the node fails
// now and then, the node itself is killed and started anew, and all of it is
// drawn from a seed. Then the troubles end, time passes, and what is left must
// be what was promised. P1 P2 P3 P4 P5 P6 P9
//
// A life that fails prints its seed and its story. The troubles of a seed are
// the same every time; what goroutines do at the same instant is not.
func TestLives(t *testing.T) {
	if *seed != 0 {
		lead(t, newSimulation(*seed))
		return
	}
	var all tally
	t.Cleanup(func() { t.Logf("what %d lives met:\n%s", *lives, &all) })
	for n := range *lives {
		t.Run(fmt.Sprintf("seed %d", n+1), func(t *testing.T) {
			t.Parallel()
			s := newSimulation(uint64(n + 1))
			lead(t, s)
			all.add(s.record.tally)
		})
	}
}

// simulation is one life: a house in a world that means harm, and what
// happened there.
type simulation struct {
	*house
	seed   uint64
	people []*character
	// newLog makes the log, or makes it anew from what is left of one whose
	// process was killed. Memory is left as it is.
	newLog func(t *testing.T, dead events.Store) events.Store
	// left looks at what is left when everything is closed.
	left func(t *testing.T)

	// peace ends the troubles. doom is where the process is killed next.
	peace atomic.Bool
	doom  atomic.Value // string
	// process is the one that is up; died tells that it was killed.
	process atomic.Pointer[life]
	died    chan struct{}
	disk    *badDisk

	record record
	story  story
}

func newSimulation(seed uint64) *simulation {
	s := &simulation{seed: seed, record: newRecord(), newLog: logInMemory, left: func(*testing.T) {}}
	s.peace.Store(true)
	s.doom.Store("")
	s.cast()
	return s
}

// logInMemory is a log that a crash does no harm to.
func logInMemory(_ *testing.T, dead events.Store) events.Store {
	if dead != nil {
		return dead
	}
	return memory.New()
}

// lead runs a life from its beginning to the audit.
func lead(t *testing.T, s *simulation) {
	synctest.Test(t, func(t *testing.T) {
		s.died = make(chan struct{}, 1)
		s.story.began = time.Now()
		s.house = build(t, s.options(t))
		defer s.tellIfFailed()
		defer s.left(t)
		defer s.close()
		s.process.Store(s.life)
		s.furnish()
		s.settings()
		s.live()
		s.audit()
	})
}

func (s *simulation) options(t *testing.T) options {
	d := s.dice("simulator")
	harm := func(most float64) float64 { return max(0, d.Float64()*1.5-0.5) * most }
	return options{
		engine: s.newMind(),
		seed:   s.seed,
		faults: &simulator.Faults{
			Repeat: harm(0.5), Reorder: harm(0.5), Delay: harm(0.6), Batch: harm(0.7), Early: harm(0.6), Throttle: harm(0.3),
			MaxDelay: time.Second + time.Duration(d.Int64N(int64(8*time.Second))),
		},
		rules: func(r *conversation.Rules) {
			r.SnapshotEvery = []int{6, 24, 256}[d.IntN(3)]
			r.Gather = []time.Duration{0, time.Second}[d.IntN(2)]
		},
		store: func() events.Store {
			s.disk = &badDisk{Store: s.newLog(t, nil), s: s}
			return s.disk
		},
		way:  func(way http.RoundTripper) http.RoundTripper { return badWay{way, s} },
		door: func(door http.Handler) http.Handler { return badDoor{door, s} },
	}
}

// settings are what differs from house to house.
func (s *simulation) settings() {
	lifetimes := []any{nil, 0, 20_000, 3_600_000}
	chosen := lifetimes[s.dice("lifetime").IntN(len(lifetimes))]
	s.post(integrations+"/"+s.integration+"/update", object{"sessionDuration": chosen})
	s.tell("", "a session lives for %v ms", chosen)
}

// live lets the people write and the troubles come, and then time pass until
// nothing is owed any more.
func (s *simulation) live() {
	s.peace.Store(false)
	var writing sync.WaitGroup
	for _, c := range s.people {
		writing.Go(func() { s.write(c) })
		writing.Go(func() { s.ask(c) })
	}
	d := s.dice("troubles")
	for range d.IntN(9) {
		s.pass(wait(d))
		s.trouble(d)
	}
	writing.Wait()
	s.pass(time.Second)
	s.doom.Store("")
	s.peace.Store(true)
	s.tell("", "— the troubles end —")
	for range 500 {
		s.pass(5 * time.Minute)
		if s.owing() == "" {
			break
		}
	}
	if err := s.sim.Idle(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	s.pass(time.Minute)
}

// dice are the random numbers of one thing in this life.
func (s *simulation) dice(thing ...any) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, thing...) // a hash takes everything
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// strikes reports whether a trouble strikes a thing. How likely that is, up to
// most, differs from life to life; some know nothing of it.
func (s *simulation) strikes(trouble string, most float64, thing ...any) bool {
	if s.peace.Load() {
		return false
	}
	likely := max(0, s.dice("likely", trouble).Float64()*1.6-0.6) * most
	if s.dice(trouble, thing).Float64() >= likely {
		return false
	}
	s.record.tally.count(trouble, 1)
	return true
}

// wait is a time as people and troubles take it: often hardly any, at times
// a long one.
func wait(d *rand.Rand) time.Duration {
	most := []time.Duration{time.Millisecond, 100 * time.Millisecond, 3 * time.Second, 20 * time.Second, time.Minute}
	return time.Duration(d.Int64N(int64(most[d.IntN(len(most))])))
}
