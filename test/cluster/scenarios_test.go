//go:build system

package cluster

import (
	"testing"
	"time"
)

// crowdOf is how many people write in a scenario, and how fast.
func crowdOf() (people int, pace time.Duration) {
	if *long {
		return 120, time.Second
	}
	return 40, time.Second
}

func TestSteadyLoad(t *testing.T) {
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(10 * time.Second)
	if n := c.failed.Load(); n > 0 {
		t.Errorf("%d posts are not acknowledged on a quiet day", n)
	}
	w.audit(t, c)
}

func TestANodeIsKilled(t *testing.T) {
	w := newWorld(t)
	c := w.newCrowd(crowdOf())
	time.Sleep(4 * time.Second)
	w.nodes[1].kill()
	time.Sleep(5 * time.Second)
	w.nodes[1].start()
	time.Sleep(5 * time.Second)
	w.audit(t, c)
}
