//go:build system

package system

import (
	"strings"
	"testing"
	"time"

	"parley/test/process"
	"parley/whatsapp/simulator"
)

// A log that is served by a process of its own, which is killed again and again
// while many people write, as is the one that uses it: nothing that was
// acknowledged is lost, nothing is answered twice, and the log is whole.
// P1 P2 P3 P4 P5 P6
func TestAServedLogIsKilledUnderLoad(t *testing.T) {
	random := dice(t)
	var said process.Record
	dir, address := t.TempDir(), freeAddress(t)
	log := func(args ...string) *process.Process {
		return launch(t, &said, nil, append([]string{"log"}, append(args, "--data", dir)...)...)
	}
	serving := log("serve", "--log-listen", address)
	w := newWorld(t, options{
		settings: []string{"--settle", "12s", "--events", "esdb://" + address + "?tls=false"},
		faults:   &simulator.Faults{Repeat: 0.2, Reorder: 0.2, Delay: 0.2, Batch: 0.2, Early: 0.2, MaxDelay: 300 * time.Millisecond},
	})
	const kills = 5
	c := w.crowd(80, 6)
	c.mortal = true
	done := c.write(random)
	every := int64(c.people*c.letters) / (kills + 1)
	for i := range int64(kills) {
		c.await(t, i*every+1+random.Int64N(every))
		serving.Kill()
		if i == kills/2 { // both at once
			w.process.Kill()
			w.launch()
		}
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // sometimes beyond what is only waited for
		serving = log("serve", "--log-listen", address)
	}
	w.ready()
	done()
	c.answered(t, 45*time.Second)
	c.checkHistories(t)
	w.checkFoldedAnew(t)
	if !w.process.Alive() {
		t.Errorf("the process did not outlive its log:\n%s", w.output.Tail())
	}
	w.process.Terminate()
	serving.Terminate()
	verify := log("verify")
	if code := verify.Wait(30 * time.Second); code != 0 || !strings.Contains(said.String(), "Nothing is wrong.") {
		t.Errorf("verify ends with %d:\n%s", code, said.Tail())
	}
}
