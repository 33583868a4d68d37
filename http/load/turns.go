package load

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// Turns drives whole turns: people write, each of them one message at a time,
// the server asks the model, gives the answer to Meta, and is told that it was
// sent, delivered and read. A turn is over when the last of these is taken in.
// Many people must share the turns, or Meta's pair rate limits what they get.
type Turns struct {
	Target
	World *World
	// Patience is how long a turn may take, beside the model's time; 0 is 20
	// seconds.
	Patience time.Duration
}

// TurnResult is what a drive of turns came to. Times are in milliseconds.
type TurnResult struct {
	Scenario  string  `json:"scenario"`
	InFlight  int     `json:"in_flight,omitempty"` // people who wait for their turn's end; 0 is as many as there are
	Rate      int     `json:"rate,omitempty"`      // asked for, per second; 0 is as fast as it goes
	ModelTime float64 `json:"model_ms"`
	Seconds   float64 `json:"seconds"`
	Turns     int     `json:"turns"`
	PerSecond float64 `json:"turns_per_second"`
	// Statuses were taken in, in so many POSTs.
	Statuses    int `json:"statuses"`
	StatusPosts int `json:"status_posts"`
	// The times are from when a webhook was due until its answer reached Meta,
	// without the model's time.
	P50 float64 `json:"added_p50_ms"`
	P95 float64 `json:"added_p95_ms"`
	P99 float64 `json:"added_p99_ms"`
	Max float64 `json:"added_max_ms"`
	// CPU is what the server's processes used per turn, LogCPU what a log of
	// its own did, LoadCPU what this one did, which is people, Meta and the
	// model. In microseconds.
	CPU     float64 `json:"server_cpu_us_per_turn,omitempty"`
	LogCPU  float64 `json:"log_cpu_us_per_turn,omitempty"`
	LoadCPU float64 `json:"load_cpu_us_per_turn,omitempty"`
	// Troubles are webhooks without a 200, answers that did not come, came
	// twice or to the wrong person, and statuses that were not taken in.
	Troubles int    `json:"troubles"`
	First    string `json:"first_trouble,omitempty"`
}

// Err says that not everything was as it has to be.
func (r TurnResult) Err() error {
	if r.Troubles == 0 && r.Turns > 0 {
		return nil
	}
	return fmt.Errorf("%s: %d turns, %d troubles, the first: %s", r.Scenario, r.Turns, r.Troubles, r.First)
}

const (
	usualPatience = 20 * time.Second
	// after is how long answers that nobody waits for are listened for.
	after = time.Second
	// turnConnections bounds the webhooks that are posted at a time.
	turnConnections = 512
)

// Warm lets everybody write once, so that what follows measures turns and not
// the birth of conversations.
func (t Turns) Warm(inFlight int) error {
	left := make(chan struct{}, t.Webhooks.Senders)
	for range t.Webhooks.Senders {
		left <- struct{}{}
	}
	close(left)
	return t.drive("warm-up", inFlight, func() bool {
		_, more := <-left
		return more
	}).Err()
}

// Closed keeps so many people waiting: when the turn of one is over, the next
// one writes.
func (t Turns) Closed(ctx context.Context, scenario string, inFlight int, d time.Duration) TurnResult {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return t.drive(scenario, inFlight, func() bool { return ctx.Err() == nil })
}

func (t Turns) drive(scenario string, inFlight int, more func() bool) TurnResult {
	r := t.watched(func(p *play) {
		var people sync.WaitGroup
		for range inFlight {
			people.Go(func() {
				for more() {
					p.turn(time.Now())
				}
			})
		}
		people.Wait()
	})
	r.Scenario, r.InFlight = scenario, inFlight
	return r
}

// Open lets people write at a fixed rate, whatever the answers do. If all of
// them wait for their answers, the next one is late, and that counts.
func (t Turns) Open(ctx context.Context, scenario string, rate int, d time.Duration) TurnResult {
	r := t.watched(func(p *play) {
		var turns sync.WaitGroup
		began, interval := time.Now(), time.Second/time.Duration(rate)
		for next := began; next.Sub(began) < d && ctx.Err() == nil; next = next.Add(interval) {
			time.Sleep(time.Until(next))
			turns.Go(func() { p.turn(next) })
		}
		turns.Wait()
	})
	r.Scenario, r.Rate = scenario, rate
	return r
}

// watched runs a drive and tells what came of it.
func (t Turns) watched(drive func(*play)) TurnResult {
	p := newPlay(t)
	began, server, log, own := time.Now(), processTime(t.Processes...), processTime(t.Log...), processTime(os.Getpid())
	drive(p)
	took := time.Since(began)
	server, log, own = processTime(t.Processes...)-server, processTime(t.Log...)-log, processTime(os.Getpid())-own
	p.end()
	c := p.crowd
	r := TurnResult{
		ModelTime: float64(t.World.model.Microseconds()) / 1000, Seconds: took.Seconds(),
		Turns: c.count.over, PerSecond: float64(c.count.over) / took.Seconds(),
		Statuses: c.count.statuses, StatusPosts: p.mail.posts,
		Troubles: c.count.troubles, First: c.first,
	}
	q := c.quantiles(0.5, 0.95, 0.99, 1)
	r.P50, r.P95, r.P99, r.Max = q[0], q[1], q[2], q[3]
	if r.Turns > 0 {
		perTurn := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(r.Turns) }
		r.CPU, r.LogCPU, r.LoadCPU = perTurn(server), perTurn(log), perTurn(own)
	}
	return r
}
