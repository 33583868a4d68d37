package load_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/http/load"
)

// between passes requests on to a base address, after a meddler saw them. What
// the meddler gives is passed on instead; without any of it the answer is an
// empty 200.
func between(t *testing.T, base string, meddle func(path, body string) []string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for i, b := range meddle(r.URL.Path, string(body)) {
			again, err := http.NewRequest(r.Method, base+r.URL.Path, bytes.NewReader([]byte(b)))
			if err != nil {
				t.Error(err)
				return
			}
			again.Header = r.Header.Clone()
			answer, err := http.DefaultClient.Do(again)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if i == 0 {
				w.WriteHeader(answer.StatusCode)
			}
			if _, err := io.Copy(w, answer.Body); err != nil {
				t.Error(err)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func pass(_, body string) []string { return []string{body} }

// first meddles with the first request that holds a word.
func first(word string, change func(body string) []string) func(path, body string) []string {
	var found atomic.Bool
	return func(path, body string) []string {
		if strings.Contains(body, word) && found.CompareAndSwap(false, true) {
			return change(body)
		}
		return pass(path, body)
	}
}

// theatre is a bound that writes into a directory and its world, with a meddler
// before each of them.
func theatre(t *testing.T, dir string, callback, world func(path, body string) []string) load.Turns {
	t.Helper()
	w, err := load.NewWorld(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := load.NewBound(dir, "secret", between(t, w.URL(), world), logger)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(l) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return load.Turns{
		Target: load.Target{
			URLs:     []string{between(t, "http://"+l.Addr().String(), callback) + "/"},
			Webhooks: &load.Webhooks{PhoneNumberID: "1000", AppSecret: "secret", Senders: 20, Run: "test"},
		},
		World: w,
	}
}

func TestTurns(t *testing.T) {
	const toPerson, message, statuses = `"biz_opaque_callback_data"`, `"messages":[`, `"statuses":[`
	for _, row := range []struct {
		name            string
		callback, world func(path, body string) []string
		trouble         string
	}{
		{name: "all is well"},
		{
			name:    "an answer that comes twice is noticed",
			world:   first(toPerson, func(body string) []string { return []string{body, body} }),
			trouble: "was answered twice",
		},
		{
			name:    "an answer that is lost is noticed",
			world:   first(toPerson, func(string) []string { return nil }),
			trouble: "waited in vain for its answer",
		},
		{
			name: "an answer to somebody else is noticed",
			world: first(toPerson, func(body string) []string {
				return []string{strings.ReplaceAll(body, `"to":"155`, `"to":"144`)}
			}),
			trouble: "nobody waits for",
		},
		{
			name: "an answer to something else is noticed",
			world: first(toPerson, func(body string) []string {
				return []string{strings.ReplaceAll(body, "another color", "red")}
			}),
			trouble: "nobody waits for",
		},
		{
			name:     "a webhook that is refused is noticed",
			callback: first(message, func(body string) []string { return []string{body + " "} }),
			trouble:  "status 403",
		},
		{
			name:     "statuses that are refused are noticed",
			callback: first(statuses, func(body string) []string { return []string{body + " "} }),
			trouble:  "statuses: status 403",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if row.callback == nil {
				row.callback = pass
			}
			if row.world == nil {
				row.world = pass
			}
			turns := theatre(t, t.TempDir(), row.callback, row.world)
			if row.trouble != "" {
				turns.Patience = 3 * time.Second
			}
			err := turns.Warm(7)
			switch {
			case row.trouble == "" && err != nil:
				t.Error(err)
			case row.trouble != "" && (err == nil || !strings.Contains(err.Error(), row.trouble)):
				t.Errorf("%v, and not %q", err, row.trouble)
			}
		})
	}
}

func TestTurnsAreCounted(t *testing.T) {
	dir := t.TempDir()
	turns := theatre(t, dir, pass, pass)
	r := turns.Open(t.Context(), "open", 500, 100*time.Millisecond)
	if r.Err() != nil || r.Turns != 50 || r.Statuses != 3*r.Turns || r.StatusPosts == 0 || r.Max < r.P50 || r.P50 <= 0 {
		t.Errorf("%+v", r)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "bound.log"))
	if err != nil {
		t.Fatal(err)
	}
	// The message, its answer, what Meta said to it, and its statuses.
	if got, want := bytes.Count(saved, []byte("\n")), 6*r.Turns; got != want {
		t.Errorf("the bound saved %d records of %d", got, want)
	}
}
