package parley_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/engine"
	"parley/engine/script"
)

// What is owed is counted while a model thinks, with the time since it was due,
// and is nothing once somebody has the answer.
func TestOwedWorkIsCounted(t *testing.T) { // F090
	slow := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Wait(50 * time.Second), script.Say("Well.")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		if members := h.metric("cluster_members"); members != 1 {
			t.Errorf("%v nodes do the work of one", members)
		}
		if n, late := h.metric("owed_streams"), h.metric("owed_overdue_seconds"); n != 0 || late != 0 {
			t.Errorf("%v streams owe work for %v s before anybody wrote", n, late)
		}
		h.person(alice).Write("Hello")
		h.person(bob).Write("Hello")
		time.Sleep(5 * time.Second)
		h.metric("owed_streams") // somebody looks now and then
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if n, late := h.metric("owed_streams"), h.metric("owed_overdue_seconds"); n != 2 || late != 30 {
			t.Errorf("%v streams owe work for %v s, and two people are seen to wait for 30", n, late)
		}
		h.settle()
		if n, late := h.metric("owed_streams"), h.metric("owed_overdue_seconds"); n != 0 || late != 0 {
			t.Errorf("%v streams owe work for %v s after everybody is answered", n, late)
		}
		h.person(alice).Write("And now?")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n, late := h.metric("owed_streams"), h.metric("owed_overdue_seconds"); n != 1 || late != 0 {
			t.Errorf("%v streams owe work for %v s when somebody writes again", n, late)
		}
	})
}

// Alerts watch what never happens, and Prometheus sees a rise only from a figure
// that was there before.
func TestWhatNeverHappenedIsCountedAsZero(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		metrics := h.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).text
		for _, kind := range []string{"conversation", "callback", "integration", "bot"} {
			if line := `parley_actors_panics_total{kind="` + kind + `"} 0`; !strings.Contains(metrics, line+"\n") {
				t.Errorf("there is no %s", line)
			}
		}
	})
}
