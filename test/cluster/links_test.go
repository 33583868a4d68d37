//go:build system

package cluster

import (
	"testing"
	"time"
)

// The places of the nodes.
const (
	first  = firstNode
	second = firstNode + 1
	third  = firstNode + 2
)

// TestLinksAreCut loses what goes between some places for a while, without
// telling anybody.
func TestLinksAreCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		long  bool
		cut   func(*network)
		ends  bool // the second node is taken for gone
	}{
		{"a node reaches nobody, shortly", 6 * time.Second, false, func(n *network) { n.cut(second, all(second)...) }, true},
		{"a node reaches nobody", 15 * time.Second, true, func(n *network) { n.cut(second, all(second)...) }, true},
		{"a node does not reach etcd", 12 * time.Second, true, func(n *network) { n.cut(second, atEtcd) }, true},
		{"two nodes do not reach each other", 15 * time.Second, true, func(n *network) { n.cut(second, third) }, false},
		{"a node does not reach another, but is reached", 15 * time.Second, true, func(n *network) { n.lose(second, third) }, false},
		{"a node does not reach the log", 12 * time.Second, false, func(n *network) { n.cut(second, atLog) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long {
				onlyLong(t)
			}
			network := newNetwork(t)
			w := newWorldIn(t, network)
			crowd := w.newCrowd(crowdOf())
			time.Sleep(4 * time.Second)
			c.cut(network)
			time.Sleep(c.pause)
			network.mend(second, all(second)...)
			time.Sleep(6 * time.Second)
			w.audit(t, crowd)
			w.checkGap(t, crowd)
			w.checkExits(t, 1, c.ends)
		})
	}
}

// How long nobody's message may be acknowledged, and how long a single one may
// take: until the others have taken over, and once more if its answer got lost.
const (
	longestGap  = 5 * time.Second
	longestWait = 2 * longestGap
)

// checkGap expects that the people hardly notice.
func (w *world) checkGap(t *testing.T, c *crowd) {
	t.Helper()
	if c.gap > longestGap {
		t.Errorf("for %v no message was acknowledged", c.gap.Round(time.Millisecond))
	}
	if c.slowest > longestWait {
		t.Errorf("a message was acknowledged only after %v", c.slowest.Round(time.Millisecond))
	}
}

// checkExits expects that no node ends by itself, but for one that is taken for
// gone: that one ends once, and says so.
func (w *world) checkExits(t *testing.T, lost int, ends bool) {
	t.Helper()
	for i, n := range w.nodes {
		codes := n.Exits()
		if want := i == lost && ends; want && (len(codes) != 1 || codes[0] != 3) || !want && len(codes) > 0 {
			t.Errorf("%s ends by itself with %v", n.Name(), codes)
		}
	}
}
