//go:build system

package cluster

import (
	"fmt"
	"testing"
	"time"

	"parley/test/process"
)

// crowdOf is how many people write in a scenario, and how fast.
func crowdOf() (people int, pace time.Duration) {
	if *long {
		return 60, time.Second
	}
	return 40, time.Second
}

func TestSteadyLoad(t *testing.T) {
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(10 * time.Second)
	c.undisturbed("on a quiet day")
	w.audit(t, c)
}

// The nodes of this one prove themselves to each other.
func TestANodeIsKilled(t *testing.T) {
	w := newWorld(t, proof(process.Authority(t, "127.0.0.2", "127.0.0.3", "127.0.0.4"))...)
	w.checkOnlyNodesAreLetIn(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(4 * time.Second)
	w.nodes[1].Kill()
	time.Sleep(5 * time.Second)
	w.nodes[1].Start()
	time.Sleep(5 * time.Second)
	w.audit(t, c)
}

// One node after the other is killed, each while the one before has hardly come
// back.
func TestNodesAreKilledAgainAndAgain(t *testing.T) {
	onlyLong(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	for i := range 12 {
		time.Sleep(2 * time.Second)
		n := w.nodes[i%len(w.nodes)]
		n.Kill()
		time.Sleep(time.Second)
		n.Start()
	}
	time.Sleep(5 * time.Second)
	w.audit(t, c)
	w.checkGap(t, c)
}

// Every node is told to stop and started anew, one after the other.
func TestAllNodesAreRestartedInTurn(t *testing.T) {
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(2 * time.Second)
	for _, n := range w.nodes {
		n.Terminate()
		time.Sleep(time.Second)
		n.Start()
		w.ready(n)
		time.Sleep(2 * time.Second)
	}
	c.undisturbed("because nodes are restarted")
	w.audit(t, c)
}

func TestANodeIsFrozen(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
	}{{"shortly", 4 * time.Second}, {"until it is taken for gone", 12 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			onlyLong(t)
			w := newWorld(t)
			crowd := w.newCrowd(crowdOf())
			time.Sleep(4 * time.Second)
			w.nodes[1].Freeze(c.pause)
			time.Sleep(5 * time.Second)
			w.audit(t, crowd)
			for _, code := range w.nodes[1].Exits() {
				if code != 3 {
					t.Errorf("a node that is taken for gone exits with %d", code)
				}
			}
		})
	}
}

func TestEtcdIsAway(t *testing.T) {
	onlyLong(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(4 * time.Second)
	w.etcd.Kill()
	time.Sleep(12 * time.Second)
	w.etcd.Start()
	time.Sleep(6 * time.Second)
	c.undisturbed("because etcd is away")
	w.audit(t, c)
}

// When etcd is frozen, all leases may be over when it goes on. Then all nodes
// end, and begin anew.
func TestEtcdIsFrozen(t *testing.T) {
	onlyLong(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(4 * time.Second)
	w.etcd.Freeze(12 * time.Second)
	time.Sleep(8 * time.Second)
	w.audit(t, c)
}

func TestTheLogIsAway(t *testing.T) {
	onlyLong(t)
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(4 * time.Second)
	w.log.Terminate()
	time.Sleep(5 * time.Second)
	w.log.Start()
	time.Sleep(6 * time.Second)
	w.audit(t, c)
}

// A number's rate holds for all nodes together, also when more is to be sent.
func TestTheRateOfANumber(t *testing.T) {
	const limit = 15
	w := newWorld(t, "--number-rate", fmt.Sprint(limit))
	c := w.newCrowd(40, time.Second) // more than twice as much
	time.Sleep(8 * time.Second)
	w.audit(t, c)
	accepted := w.meta.Accepted("")
	most := 0
	for i, first := range accepted {
		within := 0
		for _, a := range accepted[i:] {
			if a.At.Sub(first.At) < 5*time.Second {
				within++
			}
		}
		most = max(most, within)
	}
	t.Logf("%d messages went out, %d at most in 5 s", len(accepted), most)
	if most > 6*limit+2 { // what was saved up, too
		t.Errorf("%d messages in 5 s are more than %d a second", most, limit)
	}
}

// onlyLong leaves out what takes long.
func onlyLong(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("skipped: only with -long (make chaos)")
	}
}
