//go:build system

package system

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/test/process"
	"parley/whatsapp"
)

// A process that is told to stop while many people write ends in time and
// without complaint, finishes what it accepted, and the next one answers what
// is left. P1 P2 P4
func TestStoppedUnderLoad(t *testing.T) {
	random := dice(t)
	w := newWorld(t, options{settings: []string{"--settle", "12s"}})
	c := w.crowd(100, 10)
	done := c.write(random)
	for i := range int64(3) {
		c.await(t, 100+300*i)
		w.process.Terminate()
		w.checkAcknowledged(t, c)
		w.start()
	}
	done()
	t.Logf("%d acknowledged, %d posts without an answer", c.acknowledged.Load(), c.unanswered.Load())
	c.answered(t, 45*time.Second)
	c.checkHistories(t)
}

// checkAcknowledged expects that who wrote what a stopped process has stored
// was told so.
func (w *world) checkAcknowledged(t *testing.T, c *crowd) {
	t.Helper()
	stored := 0
	for _, r := range w.log() {
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := fact.(events.MessageReceived); ok {
			stored++
			process.Eventually(t, 5*time.Second, m.WAMID+" is stored and acknowledged", func() bool {
				_, ok := c.known.Load(m.WAMID)
				return ok
			})
		}
	}
	t.Logf("%d messages are stored", stored)
}

// accepted is a connection on which the process has accepted a webhook, and
// waits for its body.
type accepted struct {
	net.Conn
	body []byte
	in   *bufio.Reader
}

// accept sends the head of a webhook and waits until the process asks for the
// rest.
func (w *world) accept(body []byte) accepted {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: parley\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		w.callback()[len(w.base()):], whatsapp.SignatureHeader, whatsapp.Sign(appSecret, body), len(body))
	a := accepted{Conn: conn, body: body, in: bufio.NewReader(conn)}
	if got := a.answer(w); got != http.StatusContinue {
		w.t.Fatalf("an offered webhook is answered %d", got)
	}
	return a
}

// answer gives the status of the answer, once it is whole.
func (a accepted) answer(w *world) int {
	w.t.Helper()
	response, err := http.ReadResponse(a.in, nil)
	if err != nil {
		w.t.Errorf("an accepted webhook gets no answer: %v", err)
		return 0
	}
	defer response.Body.Close() // read to the end below
	if _, err := bytes.NewBuffer(nil).ReadFrom(response.Body); err != nil {
		w.t.Errorf("an answer is cut off: %v", err)
	}
	return response.StatusCode
}

// What was accepted before the stop is answered, also when its body comes
// after it. P1
func TestAStopFinishesWhatWasAccepted(t *testing.T) {
	w := newWorld(t, options{})
	var offered []accepted
	for i := range 20 {
		offered = append(offered, w.accept(text(person(i), fmt.Sprint("wamid.", i), "hello")))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.process.Terminate()
	}()
	process.Eventually(t, 5*time.Second, "nobody new is let in", func() bool {
		conn, err := net.Dial("tcp", w.address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	for _, a := range offered {
		if _, err := a.Write(a.body); err != nil {
			t.Errorf("the body of an accepted webhook cannot be sent: %v", err)
		}
	}
	for _, a := range offered {
		if status := a.answer(w); status != http.StatusOK {
			t.Errorf("an accepted webhook is answered %d", status)
		}
	}
	<-stopped
	w.start()
	for i := range offered {
		process.Eventually(t, 20*time.Second, "what was accepted is answered", func() bool { return len(w.sent(person(i))) > 0 })
		if diff := cmp.Diff([]string{"You said hello"}, w.sent(person(i))); diff != "" {
			t.Error(diff)
		}
	}
}

// Clients that never finish what they begin do not hold up a stop.
func TestAStopWaitsForNoIdler(t *testing.T) {
	for _, c := range []struct{ name, sends string }{
		{"one who says nothing", ""},
		{"one in the middle of the head", "GET /healthz HTTP/1.1\r\nHost: "},
		{"one in the middle of the body", "POST /api/v1/bot/create HTTP/1.1\r\nHost: parley\r\nContent-Length: 100\r\n\r\n{"},
		{"one who keeps the connection", "GET /healthz HTTP/1.1\r\nHost: parley\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, options{})
			conn, err := net.Dial("tcp", w.address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() }) // the process may have closed it
			if _, err := conn.Write([]byte(c.sends)); err != nil {
				t.Fatal(err)
			}
			w.get("/bot/list") // by now the process has seen the other one
			w.process.Terminate()
		})
	}
}
