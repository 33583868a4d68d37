//go:build system

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// network is a bridge that leads nowhere else. Every node, etcd and the log has
// a namespace of its own on it, and the machine an address for the rest, so that
// each can be cut off from each. All of it goes with the test.
type network struct {
	t *testing.T
	// name is the bridge's, and what the names of all else begin with.
	name   string
	prefix string // of every address, "10.214.7."
}

// The places in a network. Node i is at firstNode+i.
const (
	atFront   = 1 // the balancer, Meta and the model, on the machine itself
	atEtcd    = 2
	atLog     = 3
	firstNode = 4
)

// newNetwork makes a network with a place for each of three nodes, or skips the
// test where that cannot be.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil || runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("skipped: links can only be cut by root, on Linux, with ip (Debian: iproute2)")
	}
	sweepNetworks(t)
	pid := os.Getpid()
	n := &network{t: t, name: fmt.Sprint("ply", pid), prefix: fmt.Sprintf("10.214.%d.", pid%256)}
	t.Cleanup(func() { removeNetwork(n.name) })
	if out, err := ip("link", "add", n.name, "type", "bridge"); err != nil {
		t.Skipf("skipped: nobody makes networks on this machine: %s", out)
	}
	n.ip("address", "add", n.at(atFront)+"/24", "dev", n.name)
	n.ip("link", "set", n.name, "up")
	for _, place := range all(atFront) {
		space, link := n.space(place), fmt.Sprint(n.name, "v", place)
		n.ip("netns", "add", space)
		n.ip("link", "add", link, "type", "veth", "peer", "name", "net0", "netns", space)
		n.ip("link", "set", link, "master", n.name, "up")
		n.ip("-n", space, "address", "add", n.at(place)+"/24", "dev", "net0")
		n.ip("-n", space, "link", "set", "net0", "up")
		n.ip("-n", space, "link", "set", "lo", "up")
	}
	return n
}

// at is the address of a place.
func (n *network) at(place int) string { return fmt.Sprint(n.prefix, place) }

// space is the namespace of a place.
func (n *network) space(place int) string { return fmt.Sprint(n.name, "n", place) }

// inside makes of a command one that runs at a place. It is the same process, so
// that signals reach it.
func (n *network) inside(place int, command ...string) []string {
	return append([]string{"ip", "netns", "exec", n.space(place)}, command...)
}

// lose has everything get lost on the way from one place to others, as a broken
// cable would: nobody is told. It goes to a card that nobody has.
func (n *network) lose(from int, to ...int) {
	for _, place := range to {
		n.ip(n.neighbour(from, "replace", place, "lladdr", "02:00:00:00:00:01", "nud", "permanent")...)
	}
}

// cut loses what goes between a place and others, both ways.
func (n *network) cut(a int, others ...int) {
	n.lose(a, others...)
	for _, b := range others {
		n.lose(b, a)
	}
}

// mend undoes cut and lose.
func (n *network) mend(a int, others ...int) {
	for _, b := range others {
		_, _ = ip(n.neighbour(a, "delete", b)...) // one way may not have been lost
		_, _ = ip(n.neighbour(b, "delete", a)...)
	}
}

// neighbour gives the command that changes what a place knows of the card of
// another.
func (n *network) neighbour(from int, verb string, to int, more ...string) []string {
	args := []string{"neighbour", verb, n.at(to), "dev", n.name}
	if from != atFront {
		args = []string{"-n", n.space(from), "neighbour", verb, n.at(to), "dev", "net0"}
	}
	return append(args, more...)
}

// all are the places in a network of three nodes, but for one.
func all(but int) (places []int) {
	for _, p := range []int{atFront, atEtcd, atLog, firstNode, firstNode + 1, firstNode + 2} {
		if p != but {
			places = append(places, p)
		}
	}
	return places
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := ip(args...); err != nil {
		n.t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

func ip(args ...string) (string, error) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// named is the name of a bridge, of a link or of a namespace. It holds the process that
// made it.
var named = regexp.MustCompile(`^ply([0-9]+)([nv][0-9])?$`)

// sweepNetworks removes what tests have left behind that were killed.
func sweepNetworks(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"/sys/class/net/ply*", "/run/netns/ply*"} {
		left, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			found := named.FindStringSubmatch(filepath.Base(path))
			if found == nil {
				continue
			}
			if _, err := os.Stat("/proc/" + found[1]); os.IsNotExist(err) {
				removeNetwork("ply" + found[1])
			}
		}
	}
}

// removeNetwork removes a bridge, its links and its namespaces, as far as they are there.
func removeNetwork(name string) {
	spaces, _ := filepath.Glob("/run/netns/" + name + "n*") // the pattern is a good one
	for _, s := range spaces {
		_, _ = ip("netns", "delete", filepath.Base(s))
	}
	links, _ := filepath.Glob("/sys/class/net/" + name + "*")
	for _, l := range links {
		_, _ = ip("link", "delete", filepath.Base(l))
	}
}
