package http

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"parley/media"
)

// pipes is a listener whose connections are pipes: time passes in them as it
// does in the test.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// door is a server with operations that do things with their bodies.
type door struct {
	t     *testing.T
	pipes *pipes
	files *media.Memory
	// kept are the sizes of what was kept whole.
	kept []int64
	// answered is when the last answer began.
	answered time.Time
}

// uploaded is the size that the door expects of uploads.
const uploaded = 200_000

func atTheDoor(t *testing.T, test func(d *door)) {
	t.Helper()
	_, _ = (&fasthttp.Response{}).WriteTo(io.Discard) // starts the library's clock, which never ends
	synctest.Test(t, func(t *testing.T) {
		d := &door{t: t, pipes: &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}, files: media.NewMemory()}
		s := New(Config{Metrics: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Files: d.files})
		s.app.Put("/keep", func(c *fiber.Ctx) error {
			o, err := d.files.Put(t.Context(), arriving(c).patiently(uploaded), media.Limits{})
			if err == nil {
				d.kept = append(d.kept, o.Size)
			}
			return err
		})
		s.app.Post("/whole", wholly(func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(len(c.Body()))) }))
		s.app.Post("/ignore", func(c *fiber.Ctx) error { return c.SendString("not read") })
		served := make(chan error, 1)
		go func() { served <- s.Serve(d.pipes) }()
		synctest.Wait()
		test(d)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // until the library's workers have gone
	})
}

// dial connects. What is written goes out beside what is read.
func (d *door) dial() (in io.WriteCloser, out *bufio.Reader) {
	d.t.Helper()
	client, server := net.Pipe()
	d.pipes.incoming <- server
	return client, bufio.NewReader(client)
}

// answers reads answers until the server has no more to say.
func (d *door) answers(out *bufio.Reader) (all []string) {
	d.t.Helper()
	for {
		r, err := http.ReadResponse(out, nil)
		if err != nil {
			return all
		}
		d.answered = time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			d.t.Errorf("half an answer: %v", err)
		}
		text := fmt.Sprint(r.StatusCode, " ", string(body))
		if r.Close {
			text += " and closed"
		}
		all = append(all, text)
	}
}

func request(method, path string, size int) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: parley\r\nContent-Length: %d\r\n\r\n", method, path, size)
}

const last = "GET /healthz HTTP/1.1\r\nHost: parley\r\nConnection: close\r\n\r\n"

func (d *door) talk(write func(w io.Writer)) []string {
	d.t.Helper()
	in, out := d.dial()
	done := make(chan struct{})
	go func() {
		defer close(done)
		write(in)
	}()
	all := d.answers(out)
	_ = in.Close() // the server may have done so
	<-done
	return all
}

func check(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %q, want %q", name, got, want)
		return
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestBodiesComeIn(t *testing.T) {
	atTheDoor(t, func(d *door) {
		body := bytes.Repeat([]byte("0123456789"), uploaded/10)
		check(d.t, "one after the other", d.talk(func(w io.Writer) {
			for _, size := range []int{uploaded, 1, 8 << 10, 8<<10 + 1} {
				_, _ = io.WriteString(w, request("PUT", "/keep", size))
				_, _ = w.Write(body[:size])
			}
			_, _ = io.WriteString(w, request("POST", "/whole", 100_000))
			_, _ = w.Write(body[:100_000])
			_, _ = io.WriteString(w, last)
		}), "200", "200", "200", "200", "200 100000", "200 ok")
		if got := fmt.Sprint(d.kept); got != "[200000 1 8192 8193]" {
			d.t.Errorf("kept %s", got)
		}
		check(d.t, "in chunks", d.talk(func(w io.Writer) {
			for _, path := range []string{"PUT /keep", "POST /whole"} {
				fmt.Fprintf(w, "%s HTTP/1.1\r\nHost: parley\r\nTransfer-Encoding: chunked\r\n\r\n", path)
				for range 20 {
					fmt.Fprintf(w, "%x\r\n%s\r\n", 10_000, body[:10_000])
				}
				_, _ = io.WriteString(w, "0\r\n\r\n")
			}
			_, _ = io.WriteString(w, last)
		}), "200", "200 200000", "200 ok")
		check(d.t, "expected", d.talk(func(w io.Writer) {
			_, _ = io.WriteString(w, "PUT /keep HTTP/1.1\r\nHost: parley\r\nContent-Length: 10000\r\nExpect: 100-continue\r\n\r\n")
			_, _ = w.Write(body[:10_000])
			_, _ = io.WriteString(w, last)
		}), "100", "200", "200 ok")
	})
}

// What is left of a body is no request. A12
func TestTheRestOfABodyIsNoRequest(t *testing.T) {
	atTheDoor(t, func(d *door) {
		hidden := strings.Repeat("x", 8<<10) + last
		for _, path := range []string{"/ignore", "/not-there"} {
			check(d.t, "a long one to "+path, d.talk(func(w io.Writer) {
				_, _ = io.WriteString(w, request("POST", path, len(hidden)))
				_, _ = io.WriteString(w, hidden)
			}), "and closed")
			check(d.t, "in chunks to "+path, d.talk(func(w io.Writer) {
				fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: parley\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", path, len(last), last)
			}), "and closed")
			check(d.t, "a short one to "+path, d.talk(func(w io.Writer) {
				_, _ = io.WriteString(w, request("POST", path, len(last)))
				_, _ = io.WriteString(w, last)
				_, _ = io.WriteString(w, last)
			}), "", "200 ok")
		}
		check(d.t, "a body of a GET", d.talk(func(w io.Writer) {
			_, _ = io.WriteString(w, request("GET", "/healthz", len(hidden)))
			_, _ = io.WriteString(w, hidden)
		}), "and closed")
		check(d.t, "too large a body", d.talk(func(w io.Writer) {
			_, _ = io.WriteString(w, request("POST", "/whole", maxBody+1))
			_, _ = io.WriteString(w, hidden)
		}), "413")
	})
}

func TestSlowUploadsEnd(t *testing.T) { // A12 A23
	atTheDoor(t, func(d *door) {
		slow := func(name string, pause time.Duration, piece int, want time.Duration) {
			d.t.Helper()
			began := time.Now()
			check(d.t, name, d.talk(func(w io.Writer) {
				_, _ = io.WriteString(w, request("PUT", "/keep", uploaded))
				for {
					if _, err := w.Write(make([]byte, piece)); err != nil {
						return
					}
					time.Sleep(pause)
				}
			}), `408 {"code":"TIMEOUT","message":"Timeout"} and closed`)
			if took := d.answered.Sub(began); took != want {
				d.t.Errorf("%s: it took %v", name, took)
			}
		}
		slow("a pause at the start", time.Hour, 100, 30*time.Second)
		slow("a pause in the middle", time.Hour, 100_000, 30*time.Second)
		slow("a byte at a time", time.Second, 1, 30*time.Second)
		slow("too slow all in all", 10*time.Second, 10_000, 33*time.Second)
		if len(d.kept) > 0 {
			d.t.Errorf("kept %v", d.kept)
		}
	})
}

func TestUploadsThatBreakOffLeaveNothing(t *testing.T) { // A23
	atTheDoor(t, func(d *door) {
		for _, sent := range []int{0, 1, 8 << 10, 8<<10 + 1, uploaded - 1} {
			in, _ := d.dial()
			_, _ = io.WriteString(in, request("PUT", "/keep", uploaded))
			_, _ = in.Write(make([]byte, sent))
			_ = in.Close()
			synctest.Wait()
		}
		in, _ := d.dial()
		fmt.Fprintf(in, "PUT /keep HTTP/1.1\r\nHost: parley\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\nhalf", 100)
		_ = in.Close()
		synctest.Wait()
		err := d.files.Walk(d.t.Context(), func(media.Hash, time.Time) error { return errors.New("something was kept") })
		if err != nil || len(d.kept) > 0 {
			d.t.Errorf("%v, %v", err, d.kept)
		}
	})
}
