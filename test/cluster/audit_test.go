//go:build system

package cluster

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/esdb"
	"parley/projections"
)

// audit ends a life: the people stop writing, every message that was
// acknowledged is answered once and in order, and all nodes have read the same
// from the log, which is what it reads as anew. P1 P2 P3 P4 P5 P6
func (w *world) audit(t *testing.T, c *crowd) {
	t.Helper()
	c.stop()
	began := time.Now()
	for int64(len(w.answers(""))) < c.total() && time.Since(began) < time.Minute { // what is missing is told below
		time.Sleep(20 * time.Millisecond)
	}
	answered := time.Since(began)
	w.quiet(t)
	for i := range c.people {
		var want []string
		for n := range int(c.letters[i].Load()) {
			want = append(want, "You said "+letter(person(i), n))
		}
		if diff := cmp.Diff(want, w.answers(person(i))); diff != "" {
			t.Errorf("%s got: %s", person(i), diff)
		}
	}
	t.Logf("%d messages, %d posts not acknowledged, longest time without an acknowledgement %v, slowest message %v, last answer after %v, %d answers twice, exits %v",
		c.total(), c.failed.Load(), c.gap.Round(time.Millisecond), c.slowest.Round(time.Millisecond), answered.Round(time.Millisecond),
		w.duplicates(t), w.exits())
	w.ready(w.nodes...)
	for _, n := range w.nodes {
		n.Terminate()
	}
	w.checkModels(t)
}

// answers are the lines that Meta accepted for a person, in order; for
// everybody if person is "".
func (w *world) answers(person string) (lines []string) {
	for _, a := range w.meta.Accepted(person) {
		lines = append(lines, strings.Split(a.Text(), "\n\n")...)
	}
	return lines
}

// duplicates counts the parts that Meta accepted twice.
func (w *world) duplicates(t *testing.T) (twice int) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range w.meta.Accepted("") {
		if a.Opaque == "" || seen[a.Opaque] {
			twice++
			t.Errorf("Meta accepted %q with the ID %q, which it had before", a.Text(), a.Opaque)
		}
		seen[a.Opaque] = true
	}
	return twice
}

// exits are the codes of the processes that ended by themselves.
func (w *world) exits() map[string][]int {
	all := map[string][]int{}
	for _, n := range w.nodes {
		if codes := n.Exits(); len(codes) > 0 {
			all[n.Name()] = codes
		}
	}
	return all
}

// quiet waits until Meta has no webhook left to deliver.
func (w *world) quiet(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := w.meta.Idle(ctx); err != nil {
		t.Errorf("webhooks are still under way: %v", err)
	}
}

// checkModels compares what the nodes have read with each other, and with the
// log read anew. The nodes have ended; what they had not read yet is read here,
// on top of what they had.
func (w *world) checkModels(t *testing.T) {
	t.Helper()
	store, err := esdb.Open(events.NewSecret(w.events), esdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	anew := fingerprint(t, store, filepath.Join(w.dir, "anew.db"))
	for _, n := range w.nodes {
		if got := fingerprint(t, store, filepath.Join(n.data, "read", "model.db")); got != anew {
			t.Errorf("%s has read something else than the log says: %s, not %s", n.Name(), got, anew)
		}
	}
}

func fingerprint(t *testing.T, store events.Store, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// What is not fit to go on with is folded anew, and that would prove nothing.
	model, err := projections.Open(ctx, projections.Config{Path: path, Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	live := model.Position()
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- model.Run(run) }()
	if err := model.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("%s: folded to %d live, then to %d", filepath.Base(filepath.Dir(filepath.Dir(path))), live, model.Position())
	print, err := model.Fingerprint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Close(); err != nil {
		t.Error(err)
	}
	return print
}
