//go:build system

package system

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/simulator"
)

// A process that is killed again and again while many people write loses
// nothing that it acknowledged, answers nothing twice and keeps everybody's
// order. P1 P2 P3 P4 P5 P6 F171 F181 F182
func TestKilledUnderLoad(t *testing.T) {
	random := dice(t)
	w := newWorld(t, options{
		// Longer than all the kills take: then a part is in doubt once at most.
		settings: []string{"--settle", "12s"},
		faults:   &simulator.Faults{Repeat: 0.2, Reorder: 0.2, Delay: 0.2, Batch: 0.2, Early: 0.2, MaxDelay: 300 * time.Millisecond},
	})
	const kills = 6
	c := w.crowd(150, 8)
	c.mortal = true
	done := c.write(random)
	every := int64(c.people*c.letters) / (kills + 1)
	for i := range int64(kills) {
		c.await(t, i*every+1+random.Int64N(every))
		w.process.Kill()
		if random.IntN(3) == 0 { // and once more, while it starts
			w.launch()
			time.Sleep(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
			w.process.Kill()
		}
		w.launch()
	}
	w.ready()
	done()
	t.Logf("%d acknowledged, %d repeated, %d posts without an answer", c.acknowledged.Load(), c.repeated.Load(), c.unanswered.Load())
	if c.unanswered.Load() == 0 {
		t.Error("nobody noticed that the process was killed")
	}
	c.answered(t, 45*time.Second)
	c.checkHistories(t)
	w.checkFoldedAnew(t)
}

// checkFoldedAnew stops the process, deletes its read model, and expects the
// same answers of the next one, and no more sends. P6
func (w *world) checkFoldedAnew(t *testing.T) {
	t.Helper()
	before, sends := w.everything(), len(w.meta.Accepted(""))
	w.process.Terminate()
	if err := os.RemoveAll(filepath.Join(w.options.data, "read")); err != nil {
		t.Fatal(err)
	}
	w.start()
	if diff := cmp.Diff(before, w.everything()); diff != "" {
		t.Errorf("the read model is another one when it is folded anew: %s", diff)
	}
	if now := len(w.meta.Accepted("")); now != sends {
		t.Errorf("%d messages are sent by a restart", now-sends)
	}
}

// everything is all that the API can tell.
func (w *world) everything() map[string][]object {
	w.t.Helper()
	all := map[string][]object{}
	for _, path := range []string{"/bot/list", integrations + "/list", "/conversation/list", "/event/log/list"} {
		all[path] = w.list(path)
	}
	for _, c := range all["/conversation/list"] {
		path := "/conversation/" + c["id"].(string) + "/message/list"
		all[path] = w.list(path)
	}
	return all
}
