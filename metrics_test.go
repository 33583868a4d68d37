package parley_test

import (
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
