package parley_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing/synctest"
	"time"
)

// trouble is one thing that happens to the node.
func (s *simulation) trouble(d *rand.Rand) {
	switch d.IntN(10) {
	case 0:
		s.crash("killed")
	case 1:
		s.crash("killed")
		for range 1 + d.IntN(3) {
			s.pass(time.Duration(d.Int64N(int64(50 * time.Millisecond))))
			s.crash("killed again")
		}
	case 2:
		s.restart(time.Duration(d.Int64N(int64(40 * time.Second))))
	case 3, 4:
		where := dooms[d.IntN(len(dooms))]
		s.tell("", "doomed: %s", where)
		s.doom.Store(where)
		s.pass(30 * time.Second)
	case 5, 6:
		s.disk.fail(moods[d.IntN(len(moods))])
		s.pass(time.Duration(d.Int64N(int64(45 * time.Second))))
		s.disk.fail("")
		if d.IntN(2) == 0 {
			s.crash("killed as soon as the disk was back")
		}
	case 7:
		s.disk.fail("loses its readers")
		s.pass(time.Duration(d.Int64N(int64(10 * time.Second))))
		s.disk.fail("")
	case 8:
		s.renewToken(time.Duration(d.Int64N(int64(3 * time.Minute))))
	case 9: // a quiet time
		s.pass(time.Duration(d.Int64N(int64(3 * time.Minute))))
	}
}

// renewToken lets Meta take another token than before. The operator hears of it
// after a while.
func (s *simulation) renewToken(after time.Duration) {
	token := fmt.Sprint(accessToken, "-", s.record.count("token"))
	s.tell("", "Meta takes another token")
	s.connect(token)
	s.pass(after)
	for range 50 {
		a := s.call(http.MethodPost, integrations+"/"+s.integration+"/update", apiSecret, object{"accessToken": token})
		if a.status == http.StatusOK {
			s.tell("", "the node knows the token")
			return
		}
		s.pass(time.Second)
	}
	s.fail("", "the token cannot be renewed")
}

// pass lets time go by. A node that was killed, or that cannot go on, is
// started anew, as a supervisor would do.
func (s *simulation) pass(d time.Duration) {
	over := time.NewTimer(d)
	defer over.Stop()
	for {
		select {
		case <-over.C:
			return
		case <-s.died:
			s.crash("killed by its doom")
		case err := <-s.node.Failed():
			s.tell("", "the node gives up: %v", err)
			s.restart(time.Second)
		}
	}
}

// crash kills the process and starts the next one. What the dead one had under
// way is at rest before: two of them never share a read model.
func (s *simulation) crash(how string) {
	s.tell("", "the node is %s", how)
	s.disk.fail("")
	s.kill()
	synctest.Wait()
	s.disk = &badDisk{Store: s.newLog(s.t, s.disk.Store), s: s}
	s.store, s.engine = s.disk, s.newMind()
	s.house.crash()
	s.rise()
}

// restart stops the node in good order and starts it after a while.
func (s *simulation) restart(after time.Duration) {
	s.tell("", "the node is stopped for %v", after)
	s.disk.fail("")
	s.stop()
	s.record.death(time.Now())
	time.Sleep(after)
	s.engine = s.newMind()
	s.start()
	s.rise()
}

// rise notes which process is up. What killed the one before counts no more.
func (s *simulation) rise() {
	s.process.Store(s.life)
	s.doom.Store("")
	select {
	case <-s.died:
	default:
	}
	s.tell("", "the node is up")
}

// kill ends the process that is up: nothing of it reaches the disk or the world
// from now on.
func (s *simulation) kill() {
	s.process.Load().over.Store(true)
	s.record.death(time.Now())
}

// dooms are the moments at which a process may be told to die.
var dooms = []string{"before an append", "after an append", "before a send", "after a send", "in a turn"}

// dies kills the process if its doom is to die here.
func (s *simulation) dies(where string) bool {
	if !s.doom.CompareAndSwap(where, "") {
		return false
	}
	s.kill()
	s.died <- struct{}{}
	s.record.tally.count("killed "+where, 1)
	s.tell("", "killed %s", where)
	return true
}
