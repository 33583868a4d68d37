//go:build system

package system

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/test/process"
)

// crowded is more people than turns may be under way at a time.
const crowded = 400

// While the model hangs, and then Meta does, webhooks are acknowledged, and the
// process stops in time. What is owed is done when they are back. P4 P5 P10
func TestTheModelAndMetaHang(t *testing.T) {
	model, url := newModel(t)
	var meta *gate
	w := newWorld(t, options{
		settings: []string{"--openai-base-url", url, "--settle", "8s", "--gather", "0"}, env: []string{"OPENAI_API_KEY=sk-unused"},
		model: "repeat", backstory: "Repeat what you are told.",
		between: func(h http.Handler) http.Handler {
			meta = newGate(h)
			return meta
		},
	})
	meta.open()
	w.tell(t, 1)
	process.Eventually(t, 20*time.Second, "the model is asked", func() bool { return model.waiting() > 100 })
	w.process.Terminate()
	w.start()
	w.tell(t, 2)
	if got := len(w.meta.Accepted("")); got != 0 {
		t.Errorf("%d answers while the model hangs", got)
	}

	meta.close()
	model.open()
	process.Eventually(t, 20*time.Second, "answers wait for Meta", func() bool { return meta.waiting() > 100 })
	w.tell(t, 3)
	w.process.Terminate()
	if got := len(w.meta.Accepted("")); got != 0 {
		t.Errorf("%d messages were accepted while Meta hangs", got)
	}
	meta.open()
	w.start()
	process.Eventually(t, 60*time.Second, "everybody is answered", func() bool { return len(w.meta.Accepted("")) >= 2*crowded })
	w.quiet()
	for i := range crowded { // what waits together is answered together
		if diff := cmp.Diff([]string{"You said 1", "You said 3"}, w.sent(person(i))); diff != "" {
			t.Errorf("%s got %s", person(i), diff)
		}
	}
}

// tell has everybody write the n-th message, and expects that each is
// acknowledged.
func (w *world) tell(t *testing.T, n int) {
	t.Helper()
	for i := range crowded {
		a, err := w.notify(appSecret, text(person(i), fmt.Sprintf("wamid.%d.%d", i, n), fmt.Sprint(n)))
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("%v, %d %s", err, a.status, a.text)
		}
	}
}
