package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/events"
	"parley/events/local"
)

// crashAppends is how many appends of one record stand in a crash image.
const crashAppends = 40

// crashImage gives the files of a log whose process died after crashAppends
// acknowledged appends, which all stand in the -wal file.
func crashImage(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	for i := range crashAppends {
		put(t, s, "fact-1", events.Revision(i-1), makeRecords(1, fmt.Sprintf("fact %d", i))...)
	}
	image := make(map[string][]byte)
	for _, name := range []string{"log.db", "log.db-wal", "log.witness"} {
		image[name] = readFile(t, filepath.Join(dir, name))
	}
	return image
}

// restore writes an image to a new directory after something happened to it.
func restore(t *testing.T, image map[string][]byte, change func(map[string][]byte)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	changed := make(map[string][]byte)
	for name, b := range image {
		changed[name] = bytes.Clone(b)
	}
	change(changed)
	for name, b := range changed {
		writeFile(t, filepath.Join(dir, name), b)
	}
	return dir
}

func TestLostTail(t *testing.T) {
	image := crashImage(t)
	size := len(image["log.db-wal"])
	t.Run("an image without damage is complete", func(t *testing.T) {
		s := openStore(t, restore(t, image, func(map[string][]byte) {}))
		if got := readStream(t, s, "fact-1"); len(got) != crashAppends {
			t.Errorf("stream holds %d events, expected %d", len(got), crashAppends)
		}
	})
	t.Run("a -wal file that was removed is noticed", func(t *testing.T) {
		checkLost(t, restore(t, image, func(files map[string][]byte) { delete(files, "log.db-wal") }))
	})
	t.Run("a -wal file that was cut anywhere is noticed", func(t *testing.T) {
		for range 30 {
			at := rand.IntN(size)
			t.Logf("cut to %d of %d bytes", at, size)
			checkLost(t, restore(t, image, func(files map[string][]byte) { files["log.db-wal"] = files["log.db-wal"][:at] }))
		}
	})
	t.Run("a bit that flipped anywhere in the -wal file is noticed", func(t *testing.T) {
		for range 30 {
			at, bit := rand.IntN(size), rand.IntN(8)
			t.Logf("bit %d of byte %d of %d", bit, at, size)
			checkLost(t, restore(t, image, func(files map[string][]byte) { files["log.db-wal"][at] ^= 1 << bit }))
		}
	})
	t.Run("a database that was put back to an older state is noticed", func(t *testing.T) {
		dir := t.TempDir()
		s := openStore(t, dir)
		put(t, s, "fact-1", events.NoStream, makeRecords(1, "fact 0")...)
		closeStore(t, s)
		writeFile(t, filepath.Join(dir, "log.witness"), image["log.witness"])
		checkLost(t, dir)
	})
}

// checkLost checks that a log is refused because its end is missing, that
// refusing changes nothing about that, and that the loss can be accepted.
func checkLost(t *testing.T, dir string) {
	t.Helper()
	wal := filepath.Join(dir, "log.db-wal")
	before, _ := os.ReadFile(wal) // it may be what is missing
	witness := filepath.Join(dir, "log.witness")
	for range 2 {
		_, err := local.Open(dir, local.Options{})
		if !errors.Is(err, events.ErrCorrupt) {
			t.Fatalf("error %v, expected ErrCorrupt", err)
		}
		for _, says := range []string{fmt.Sprintf("positions up to %d", crashAppends), "restore a backup", "remove " + witness} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("error %q does not say %q", err, says)
			}
		}
	}
	if after, _ := os.ReadFile(wal); len(before) > 0 && !bytes.Equal(before, after) {
		t.Error("refusing changed the -wal file")
	}
	if err := os.Remove(witness); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	defer closeStore(t, s)
	left := readStream(t, s, "fact-1")
	if len(left) >= crashAppends {
		t.Errorf("%d events are left, expected fewer than %d", len(left), crashAppends)
	}
	for i, e := range left {
		if want := fmt.Sprintf("fact %d", i); string(e.Data) != want {
			t.Errorf("event %d holds %q, expected %q", i, e.Data, want)
		}
	}
	put(t, s, "fact-1", events.Revision(len(left)-1), makeRecords(1, "goes on")...)
}

func TestWitness(t *testing.T) {
	image := crashImage(t)
	older := olderWitness(t)
	tolerated := []struct {
		rule   string
		change func(files map[string][]byte)
	}{
		{"a witness that is older than the log is fine", func(f map[string][]byte) { f["log.witness"] = older }},
		{"a log without a witness is fine", func(f map[string][]byte) { delete(f, "log.witness") }},
		{"an empty witness is fine", func(f map[string][]byte) { f["log.witness"] = nil }},
		{"a witness of noise is fine", func(f map[string][]byte) { f["log.witness"] = bytes.Repeat([]byte("noise"), 300) }},
		{"a witness with two torn slots is fine", func(f map[string][]byte) {
			f["log.witness"][9] ^= 1
			f["log.witness"][512+9] ^= 1
		}},
	}
	for _, c := range tolerated {
		t.Run(c.rule, func(t *testing.T) {
			s := openStore(t, restore(t, image, c.change))
			if got := readStream(t, s, "fact-1"); len(got) != crashAppends {
				t.Errorf("stream holds %d events, expected %d", len(got), crashAppends)
			}
		})
	}
}

func TestWitnessTestifies(t *testing.T) {
	image := crashImage(t)
	t.Run("a log without a witness says so", func(t *testing.T) {
		var out bytes.Buffer
		dir := restore(t, image, func(f map[string][]byte) { delete(f, "log.witness") })
		closeStore(t, openWith(t, dir, local.Options{Logger: slog.New(slog.NewTextHandler(&out, nil))}))
		if !strings.Contains(out.String(), "level=WARN") || !strings.Contains(out.String(), "no witness") {
			t.Errorf("log %q does not warn", out.String())
		}
	})
	t.Run("a witness with one torn slot still testifies", func(t *testing.T) {
		for slot := range 2 {
			dir := restore(t, image, func(f map[string][]byte) {
				delete(f, "log.db-wal")
				f["log.witness"][slot*512+9] ^= 1
			})
			_, err := local.Open(dir, local.Options{})
			// The other slot holds this append or the one before it.
			if !errors.Is(err, events.ErrCorrupt) {
				t.Errorf("slot %d: error %v, expected ErrCorrupt", slot, err)
			}
		}
	})
	t.Run("a witness is made anew and testifies again", func(t *testing.T) {
		dir := restore(t, image, func(f map[string][]byte) { delete(f, "log.witness") })
		closeStore(t, openStore(t, dir))
		tamper(t, filepath.Join(dir, "log.db"), fmt.Sprintf("DELETE FROM events WHERE pos = %d", crashAppends))
		if _, err := local.Open(dir, local.Options{}); !errors.Is(err, events.ErrCorrupt) {
			t.Errorf("error %v, expected ErrCorrupt", err)
		}
	})
	t.Run("erasing the newest events is no loss", func(t *testing.T) {
		dir := restore(t, image, func(map[string][]byte) {})
		s := openStore(t, dir)
		if err := s.Truncate(t.Context(), "fact-1", events.StreamEnd); err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
		openStore(t, dir)
	})
}

// olderWitness gives the witness of a log that ends before a crash image does.
func olderWitness(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	put(t, s, "fact-1", events.NoStream, makeRecords(3, "")...)
	closeStore(t, s)
	return readFile(t, filepath.Join(dir, "log.witness"))
}
