//go:build system

package system

import (
	"fmt"
	"testing"
	"time"

	"parley/test/process"
)

// A copy of a log that is killed again and again comes to its end, and both logs
// are then the same, as the command itself makes sure. The log may be served by
// another process.
func TestALogCopyIsKilled(t *testing.T) {
	random := dice(t)
	w := newWorld(t, options{settings: []string{"--gather", "0"}})
	c := w.crowd(60, 6)
	c.write(random)()
	c.answered(t, 30*time.Second)
	w.process.Terminate()
	address := process.FreeAddress(t, "127.0.0.1")
	process.Launch(t, process.Config{Name: "the log", Args: []string{binary, "log", "serve", "--data", t.TempDir(), "--log-listen", address}})
	for _, to := range []string{t.TempDir(), "esdb://" + address + "?tls=false"} {
		kills := 0
		for range 15 {
			p := process.Launch(t, process.Config{Name: "the copy", Args: []string{binary, "log", "copy", "--from", w.options.data, "--to", to}})
			time.Sleep(time.Duration(random.Int64N(int64(250 * time.Millisecond))))
			if p.Alive() {
				kills++
			}
			p.Kill()
		}
		t.Logf("killed %d times", kills)
		w.tool(t, "log", "copy", "--from", w.options.data, "--to", to)
		p := process.Launch(t, process.Config{Name: "the copy", Args: []string{binary, "log", "copy", "--from", w.options.data, "--to", to}})
		if code := p.Wait(time.Minute); code != 0 {
			t.Fatalf("%d: %s", code, p.Output.Tail())
		}
		var again, held int
		if _, err := fmt.Sscanf(p.Output.String(), "%d events copied. Both logs hold the same %d events.", &again, &held); err != nil || again != 0 || held < 60*6*3 {
			t.Errorf("%v: %s", err, p.Output.String())
		}
	}
}
