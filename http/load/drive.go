package load

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Result is what a drive came to. Latencies are in milliseconds.
type Result struct {
	Scenario    string  `json:"scenario"`
	Connections int     `json:"connections"`
	Rate        int     `json:"rate,omitempty"` // asked for, per second; 0 is as fast as it goes
	Seconds     float64 `json:"seconds"`
	Requests    int     `json:"requests"`
	Errors      int     `json:"errors"`
	PerSecond   float64 `json:"requests_per_second"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	P999        float64 `json:"p99.9_ms"`
	Max         float64 `json:"max_ms"`
	// CPU is what the server's processes used per request, in microseconds.
	CPU        float64 `json:"server_cpu_us_per_request,omitempty"`
	FirstError string  `json:"first_error,omitempty"`
}

// Target is a callback that is driven.
type Target struct {
	// URLs are the callback's addresses, one a node; chance decides where a
	// webhook goes, as with a balancer without affinity.
	URLs     []string
	Webhooks *Webhooks
	// Processes are the server's, and Log those of a log of its own, for
	// measuring their CPU time.
	Processes, Log []int
}

// processTime is the CPU time of processes so far, without those of which it
// cannot be known. It comes in hundredths of a second, which is enough for
// seconds of load.
func processTime(processes ...int) (all time.Duration) {
	for _, pid := range processes {
		all += timeOf(pid)
	}
	return all
}

func timeOf(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// watched adds the server's CPU time to a drive.
func (t Target) watched(drive func() Result) Result {
	before := processTime(t.Processes...)
	r := drive()
	if len(t.Processes) > 0 && r.Requests > 0 {
		r.CPU = float64((processTime(t.Processes...) - before).Microseconds()) / float64(r.Requests)
	}
	return r
}

// Warm lets every sender write once, so that what follows measures webhooks and
// not the birth of conversations.
func (t Target) Warm(connections int) error {
	c := newClient(connections)
	runs := make([]run, connections)
	var workers sync.WaitGroup
	for i := range runs {
		workers.Go(func() {
			for n := i; n < t.Webhooks.Senders; n += connections {
				runs[i].post(c, t, time.Now())
			}
		})
	}
	workers.Wait()
	if r := sum("warm-up", connections, 0, time.Second, runs); r.Errors > 0 {
		return fmt.Errorf("warm-up: %d of %d webhooks failed, the first with %s", r.Errors, r.Requests, r.FirstError)
	}
	return nil
}

// Closed drives a target with connections that each post the next webhook when
// the one before is answered.
func (t Target) Closed(ctx context.Context, scenario string, connections int, d time.Duration) Result {
	return t.watched(func() Result { return t.closed(ctx, scenario, connections, d) })
}

func (t Target) closed(ctx context.Context, scenario string, connections int, d time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	c := newClient(connections)
	runs := make([]run, connections)
	began := time.Now()
	var workers sync.WaitGroup
	for i := range runs {
		workers.Go(func() {
			for ctx.Err() == nil {
				runs[i].post(c, t, time.Now())
			}
		})
	}
	workers.Wait()
	return sum(scenario, connections, 0, time.Since(began), runs)
}

// Open drives a target at a fixed rate, whatever the answers do. A latency is
// counted from when the request was due, so a stall counts for all that waited.
func (t Target) Open(ctx context.Context, scenario string, connections, rate int, d time.Duration) Result {
	return t.watched(func() Result { return t.open(ctx, scenario, connections, rate, d) })
}

func (t Target) open(ctx context.Context, scenario string, connections, rate int, d time.Duration) Result {
	c := newClient(connections)
	runs := make([]run, connections)
	took := openLoop(ctx, connections, rate, d, func(worker int, due time.Time) { runs[worker].post(c, t, due) })
	return sum(scenario, connections, rate, took, runs)
}

// openLoop lets workers do something at a fixed rate, and gives how long it
// took. What is due while all are busy waits, and is told when it was due.
func openLoop(ctx context.Context, connections, rate int, d time.Duration, do func(worker int, due time.Time)) time.Duration {
	due := make(chan time.Time, rate)
	began := time.Now()
	var workers sync.WaitGroup
	for i := range connections {
		workers.Go(func() {
			for at := range due {
				do(i, at)
			}
		})
	}
	interval := time.Second / time.Duration(rate)
	for next := began; next.Sub(began) < d && ctx.Err() == nil; next = next.Add(interval) {
		if wait := time.Until(next); wait > 0 {
			time.Sleep(wait)
		}
		due <- next
	}
	close(due)
	workers.Wait()
	return time.Since(began)
}

func newClient(connections int) *fasthttp.Client {
	return &fasthttp.Client{
		MaxConnsPerHost: connections, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		MaxIdemponentCallAttempts: 1, NoDefaultUserAgentHeader: true,
	}
}

// run is what one connection saw.
type run struct {
	latencies []time.Duration
	errors    int
	first     string
}

func (r *run) post(c *fasthttp.Client, t Target, due time.Time) {
	body, signature := t.Webhooks.Next()
	r.record(t.post(c, body, signature), due)
}

// record notes what became of a request that was due at some time.
func (r *run) record(err error, due time.Time) {
	if err != nil {
		r.errors++
		if r.first == "" {
			r.first = err.Error()
		}
		return
	}
	r.latencies = append(r.latencies, time.Since(due))
}

// post posts one webhook. The error says why it was not answered 200.
func (t Target) post(c *fasthttp.Client, body []byte, signature string) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(t.URLs[rand.IntN(len(t.URLs))])
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("X-Hub-Signature-256", signature)
	request.SetBodyRaw(body)
	err := c.Do(request, response)
	if err == nil && response.StatusCode() != fasthttp.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode(), response.Body())
	}
	return err
}

func sum(scenario string, connections, rate int, took time.Duration, runs []run) Result {
	var all []time.Duration
	result := Result{Scenario: scenario, Connections: connections, Rate: rate, Seconds: took.Seconds()}
	for _, r := range runs {
		all = append(all, r.latencies...)
		result.Errors += r.errors
		if result.FirstError == "" {
			result.FirstError = r.first
		}
	}
	result.Requests = len(all) + result.Errors
	result.PerSecond = float64(len(all)) / took.Seconds()
	if len(all) == 0 {
		return result
	}
	slices.Sort(all)
	at := func(q float64) float64 {
		return float64(all[min(int(q*float64(len(all))), len(all)-1)].Microseconds()) / 1000
	}
	result.P50, result.P99, result.P999, result.Max = at(0.5), at(0.99), at(0.999), at(1)
	return result
}
