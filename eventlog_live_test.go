package parley_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
	api "parley/http"
	"parley/http/auth"
)

// doorbell is a network within a bubble: who dials gets one end of a pipe, and
// the server the other. A pipe holds nothing: what is not read is not written.
type doorbell struct {
	calls  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newDoorbell() *doorbell {
	return &doorbell{calls: make(chan net.Conn), closed: make(chan struct{})}
}

func (d *doorbell) Accept() (net.Conn, error) {
	select {
	case c := <-d.calls:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *doorbell) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *doorbell) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (d *doorbell) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case d.calls <- server:
		return client, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// clock starts what the HTTP library starts once for a process: its clock,
// which would never leave a bubble.
var clock = sync.OnceValue(func() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := api.New(api.Config{Metrics: prometheus.NewRegistry()})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	answer, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err == nil {
		err = answer.Body.Close()
	}
	if err == nil {
		err = s.Shutdown(context.Background())
	}
	if err == nil {
		err = <-done
	}
	return err
})

// inOpenHouse is inHouse with a network.
func inOpenHouse(t *testing.T, o options, test func(h *house)) {
	t.Helper()
	if err := clock(); err != nil {
		t.Fatal(err)
	}
	o.network = func() net.Listener { return newDoorbell() }
	synctest.Test(t, func(t *testing.T) {
		h := build(t, o)
		defer time.Sleep(time.Minute) // the library's workers leave when they look up next
		defer h.close()
		h.furnish()
		test(h)
	})
}

// subscriber reads an event log as it grows.
type subscriber struct {
	status int
	header http.Header
	body   io.ReadCloser
	hang   func()

	mutex sync.Mutex
	items []object
	bytes int
	ended bool
}

// subscribe opens a subscription. One that is not read holds up who writes.
func (h *house) subscribe(secret, body string, read bool, header ...string) *subscriber {
	h.t.Helper()
	transport := &http.Transport{DialContext: h.listener.(*doorbell).dial, DisableCompression: true}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://parley.test/api/v1/event/log/subscribe", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	s := &subscriber{status: answer.StatusCode, header: answer.Header, body: answer.Body}
	if s.hang = func() { _ = answer.Body.Close(); transport.CloseIdleConnections() }; read {
		go s.read(h.t)
	}
	return s
}

func (s *subscriber) read(t *testing.T) {
	lines := bufio.NewReader(s.body)
	for {
		line, err := lines.ReadString('\n')
		s.mutex.Lock()
		s.bytes += len(line)
		if err != nil {
			s.ended = true
			s.mutex.Unlock()
			return
		}
		var e struct {
			Type string
			Data object
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || len(line) >= 1<<20 {
			t.Errorf("line %.100q: %v", line, err)
		}
		if e.Type == "item" {
			s.items = append(s.items, e.Data)
		}
		s.mutex.Unlock()
	}
}

// got gives what has come, when all that can happen now has happened.
func (s *subscriber) got() (items []object, bytes int, ended bool) {
	synctest.Wait()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.items), s.bytes, s.ended
}

func (h *house) log() []object {
	h.t.Helper()
	return h.list("/event/log/list")
}

func TestSubscribingToTheEventLog(t *testing.T) { // A25
	inOpenHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		before := h.log()
		lengths := []int{0, 1, 2, 3, 4, 5, len(before) - 1, len(before), len(before) + 1, 10000}
		var all []*subscriber
		for _, n := range lengths {
			all = append(all, h.subscribe(apiSecret, fmt.Sprintf(`{"historyLength":%d}`, n), true))
		}
		all, lengths = append(all, h.subscribe(apiSecret, "", true)), append(lengths, 0)
		other := h.subscribe(otherSecret, `{"historyLength":10000}`, true)
		h.rule("the newest events come at once, oldest first", func(t rule) {
			for i, s := range all {
				items, _, ended := s.got()
				if diff := cmp.Diff(before[max(0, len(before)-lengths[i]):], items, cmpopts.EquateEmpty()); diff != "" || ended || s.status != 200 {
					t.Errorf("%d wanted: status %d, ended %v %s", lengths[i], s.status, ended, diff)
				}
				if got := s.header.Get("Content-Type"); got != "application/jsonl" {
					t.Errorf("content type %s", got)
				}
			}
		})
		h.rule("while nothing happens nothing is sent, and nothing ends", func(t rule) {
			_, was, _ := all[0].got()
			time.Sleep(24 * time.Hour)
			if _, is, ended := all[0].got(); is != was || ended {
				t.Errorf("%d bytes, there were %d; ended %v", is, was, ended)
			}
		})
		h.rule("what happens comes within a second", func(t rule) {
			h.create("/bot", object{"name": "Bob"})
			time.Sleep(time.Second)
			items, _, _ := all[0].got()
			if len(items) != 1 || items[0]["type"] != "bot.create" {
				t.Errorf("%v", items)
			}
		})
		h.rule("history and what came later are the list, without gap or repeat", func(t rule) {
			for i := range 20 {
				h.person(bob).Write(fmt.Sprint("Message ", i))
				time.Sleep(time.Duration(i) * 37 * time.Millisecond)
			}
			h.settle()
			log := h.log()
			for i, s := range all {
				items, _, _ := s.got()
				if diff := cmp.Diff(log[max(0, len(before)-lengths[i]):], items); diff != "" {
					t.Errorf("%d wanted: %s", lengths[i], diff)
				}
			}
		})
		h.rule("others get nothing of it", func(t rule) { // P8
			if items, _, _ := other.got(); len(items) != 0 {
				t.Errorf("%v", items)
			}
		})
		h.rule("a server that stops ends them at once", func(t rule) {
			h.stop()
			for _, s := range append(all, other) {
				if _, _, ended := s.got(); !ended {
					t.Error("one is open still")
				}
			}
			h.start()
		})
		for _, s := range append(all, other) {
			s.hang()
		}
	})
}

// Proxies cut streams that are silent. Lines have no form for "still here".
func TestASilentSubscriptionSaysThatItLives(t *testing.T) { // A25
	inOpenHouse(t, options{}, func(h *house) {
		// Of two that are read alike, only one wants server-sent events.
		s, lines := h.subscribe(apiSecret, `{}`, false, "Accept", "text/event-stream"), h.subscribe(apiSecret, `{}`, true)
		said := make(chan string, 100)
		go func() {
			defer close(said)
			for r := bufio.NewReader(s.body); ; {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line = strings.TrimSpace(line); line != "" {
					said <- line
				}
			}
		}()
		heard := func(during time.Duration) (all []string) {
			time.Sleep(during)
			synctest.Wait()
			for len(said) > 0 {
				line, _, _ := strings.Cut(<-said, " {")
				all = append(all, line)
			}
			return all
		}
		h.rule("by a comment every 20 seconds", func(t rule) {
			if diff := cmp.Diff([]string{":", ":", ":"}, heard(61*time.Second)); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("also while there are events, which are not torn", func(t rule) {
			h.create("/bot", object{"name": "Bob"})
			if diff := cmp.Diff([]string{"event: item", "data:", ":"}, heard(20*time.Second)); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("and lines have no such thing", func(t rule) {
			items, bytes, ended := lines.got()
			if len(items) != 1 || bytes > 1000 || ended {
				t.Errorf("%d events, %d bytes, ended %v", len(items), bytes, ended)
			}
		})
		s.hang()
		lines.hang()
	})
}

func TestSubscribersUnderLoad(t *testing.T) { // A25 P8
	inOpenHouse(t, options{}, func(h *house) {
		var all []*subscriber
		for range 3 {
			all = append(all, h.subscribe(apiSecret, `{"historyLength":10000}`, true))
		}
		stalled := h.subscribe(apiSecret, `{"historyLength":10000}`, false)
		var people sync.WaitGroup
		for p := range 20 {
			people.Go(func() {
				for i := range 10 {
					h.person(fmt.Sprintf("1555200%04d", p)).Write(fmt.Sprintf("Message %d of %d", i, p))
					time.Sleep(time.Duration(p*7+i) * time.Millisecond)
				}
			})
		}
		late := h.subscribe(apiSecret, `{"historyLength":10000}`, true) // in the middle of it
		people.Wait()
		h.settle()
		log := h.log()
		for i, s := range append(all, late) {
			items, _, ended := s.got()
			if diff := cmp.Diff(log, items); diff != "" || ended {
				h.t.Errorf("subscriber %d got %d of %d events, ended %v", i, len(items), len(log), ended)
			}
			s.hang()
		}
		if rest, err := io.ReadAll(stalled.body); err == nil {
			h.t.Errorf("who never reads is kept: it could read %d bytes after the end", len(rest))
		}
		stalled.hang()
	})
}

func TestPlacesOfSubscribers(t *testing.T) { // A25
	inOpenHouse(t, options{}, func(h *house) {
		var open []*subscriber
		for range 100 {
			s := h.subscribe(apiSecret, `{"historyLength":0}`, len(open) > 0) // the first one never reads
			if open = append(open, s); s.status != http.StatusOK {
				h.t.Fatalf("subscription %d: %d", len(open), s.status)
			}
		}
		full := func() bool {
			h.t.Helper()
			synctest.Wait()
			s := h.subscribe(apiSecret, `{}`, true)
			if s.status == http.StatusOK {
				open = append(open, s)
				return false
			}
			if s.status != 429 || s.header.Get("Retry-After") == "" {
				h.t.Errorf("one too many: %d", s.status)
			}
			s.hang()
			return true
		}
		h.rule("there are so many and no more, of each account", func(t rule) {
			for range 2 {
				if !full() {
					t.Error("one more was let in")
				}
			}
			s := h.subscribe(otherSecret, `{}`, true)
			if s.status != http.StatusOK {
				t.Errorf("another account: %d", s.status)
			}
			s.hang()
		})
		h.rule("who leaves makes room, though nothing happens", func(t rule) {
			open[50].hang()
			if full() || !full() {
				t.Error("the place is not free again, or free for two")
			}
		})
		h.rule("who does not read is let go, and makes room", func(t rule) {
			h.create("/bot", object{"name": "Bob"})
			time.Sleep(time.Second)
			if items, _, _ := open[1].got(); len(items) != 1 || !full() {
				t.Errorf("others got %d events", len(items))
			}
			time.Sleep(time.Minute)
			if full() || !full() {
				t.Error("the place is not free again, or free for two")
			}
		})
		for _, s := range open {
			s.hang()
		}
	})
}

func TestSubscribingWrongly(t *testing.T) { // A12 A13 A25
	inOpenHouse(t, options{}, func(h *house) {
		const path = "/event/log/subscribe"
		for _, body := range []string{
			`{"historyLength":-1}`, `{"historyLength":10001}`, `{"historyLength":"many"}`, `{"historyLength":1.5}`,
			`{"historyLength":[]}`, `{"history":1}`, `[]`, `{`,
		} {
			s := h.subscribe(apiSecret, body, true)
			if s.status != 400 || s.header.Get("Content-Type") != "application/json" {
				h.t.Errorf("%s: %d %s", body, s.status, s.header.Get("Content-Type"))
			}
			s.hang()
		}
		if s := h.subscribe("nobody", `{}`, true); s.status != 401 {
			h.t.Errorf("without a secret: %d", s.status)
		} else {
			s.hang()
		}
		if a := h.call(http.MethodGet, path, apiSecret, nil); a.status != 405 {
			h.t.Errorf("GET: %d", a.status)
		}
		for accept, want := range map[string]string{
			"application/json": "application/jsonl", "*/*": "application/jsonl", "text/event-stream": "text/event-stream", "text/csv": "application/json",
		} {
			s := h.subscribe(apiSecret, `{}`, true, "Accept", accept)
			if got := s.header.Get("Content-Type"); got != want {
				h.t.Errorf("%s gets %s", accept, got)
			}
			s.hang()
		}
	})
}

func TestARevokedSecretHearsNothingMore(t *testing.T) { // A25
	inOpenHouse(t, options{}, func(h *house) {
		const secret = "sk-test-secret-to-be-revoked"
		hash := auth.Hash(secret)
		put := func(fact events.Event) {
			h.t.Helper()
			to := events.StreamOf(events.AccountCategory, "acme")
			meta := events.Metadata{Command: events.NewKey(), Correlation: "desk", Causation: "desk", Account: "acme", At: events.At(time.Now())}
			records, err := events.Records(to, meta, fact)
			expected := events.NoStream
			if _, revoked := fact.(events.TokenRevoked); revoked {
				expected = events.StreamStart
			}
			if err == nil {
				_, err = h.store.Append(h.t.Context(), to, expected, records...)
			}
			if err != nil {
				h.t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		put(events.TokenIssued{Token: "t1", Hash: hash})
		s := h.subscribe(secret, `{"historyLength":1}`, true)
		if items, _, ended := s.got(); s.status != 200 || ended || len(items) != 1 {
			h.t.Errorf("status %d, %d events, ended %v", s.status, len(items), ended)
		}
		put(events.TokenRevoked{Token: "t1"})
		h.create("/bot", object{"name": "Bob"})
		time.Sleep(time.Second)
		if items, _, ended := s.got(); !ended || len(items) != 1 {
			h.t.Errorf("%d events, ended %v", len(items), ended)
		}
		s.hang()
	})
}
