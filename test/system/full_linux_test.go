//go:build system

package system

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/test/process"
)

// While the disk is full, webhooks are refused so that Meta repeats them, and
// the process goes on. When there is room again, the repeats are taken in, and
// everything is answered. How much is left at first decides what finds no room:
// the log, or the read model. P1 P4
func TestFullDisk(t *testing.T) {
	for _, room := range []int64{0, 50, 200, 1000} {
		t.Run(fmt.Sprintf("%d KiB are left", room), func(t *testing.T) {
			t.Parallel()
			w, filler := newCramped(t, room)
			letters := w.fillUp(t)
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			w.takesIn(t, letters)
		})
	}
}

// A process that is started on a full disk says so, by waiting or by ending,
// and serves when there is room. P1 P4
func TestStartedOnAFullDisk(t *testing.T) {
	for _, room := range []int64{0, 100, 200} {
		t.Run(fmt.Sprintf("%d KiB are left", room), func(t *testing.T) { startOnFullDisk(t, room) })
	}
}

func startOnFullDisk(t *testing.T, room int64) {
	w := newWorld(t, options{data: mountSmall(t)})
	letters := []note{{"hello", text(alice, "wamid.1", "hello")}}
	w.takesIn(t, letters)
	if err := os.RemoveAll(filepath.Join(w.options.data, "read")); err != nil { // it has to be folded anew
		t.Fatal(err)
	}
	filler := filepath.Join(w.options.data, "filler")
	fill(t, filler, room<<10)
	w.launch()
	select {
	case <-w.process.Ended():
	case <-time.After(3 * time.Second):
	}
	if w.isReady() {
		t.Error("it is ready although it cannot be")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if !w.process.Alive() {
		w.launch() // as a supervisor does
	}
	w.ready()
	w.takesIn(t, letters)
}

// note is a message that somebody writes, and the webhook that brings it.
type note struct {
	text string
	body []byte
}

// newCramped makes a world on a small disk with only so much room left, and
// gives the file that takes up the rest.
func newCramped(t *testing.T, room int64) (w *world, filler string) {
	w = newWorld(t, options{data: mountSmall(t), settings: []string{"--settle", "20s"}})
	filler = filepath.Join(w.options.data, "filler")
	fill(t, filler, room<<10)
	return w, filler
}

// fillUp has people write until many messages in a row are refused.
func (w *world) fillUp(t *testing.T) (all []note) {
	t.Helper()
	acknowledged := 0
	for refused := 0; refused < 50; {
		if len(all) == 20_000 {
			t.Fatal("the disk does not fill up")
		}
		words := fmt.Sprint("message ", len(all))
		all = append(all, note{words, text(person(len(all)%20), "wamid."+words, words)})
		a, err := w.notify(appSecret, all[len(all)-1].body)
		switch {
		case err != nil:
			_ = w.process.Wait(process.StopWithin) // it is ending, and says why
			t.Fatalf("message %d is not answered: %v\n%s", len(all), err, w.output.Tail())
		case a.status == http.StatusOK:
			acknowledged, refused = acknowledged+1, 0
		case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
			refused++
		default:
			t.Fatalf("a webhook is answered %d %s", a.status, a.text)
		}
	}
	t.Logf("%d of %d messages are acknowledged", acknowledged, len(all))
	return all
}

// takesIn expects that every message is taken in now, and answered once.
func (w *world) takesIn(t *testing.T, letters []note) {
	t.Helper()
	want := map[string]int{}
	for _, l := range letters {
		want["You said "+l.text] = 1
		if a, err := w.notify(appSecret, l.body); err != nil || a.status != http.StatusOK {
			t.Fatalf("with room again, a webhook is answered %v, %d %s", err, a.status, a.text)
		}
	}
	process.Eventually(t, 40*time.Second, "everything is answered", func() bool { return len(w.sent("")) >= len(letters) })
	w.quiet()
	got := map[string]int{}
	for _, text := range w.sent("") {
		got[text]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.process.Terminate()
}

// mountSmall gives a directory on a file system of its own with little room.
func mountSmall(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("a small file system cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until only so much room is left, in bytes.
func fill(t *testing.T, path string, room int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := 1 << 20; chunk > 0; {
		if _, err = f.Write(make([]byte, chunk)); errors.Is(err, syscall.ENOSPC) {
			chunk /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(size-room), f.Close()); err != nil {
		t.Fatal(err)
	}
}
