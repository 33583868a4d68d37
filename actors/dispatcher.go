package actors

import (
	"sync"
	"time"
)

// workers run the actors' messages on goroutines that are kept for a while. The
// library's own dispatcher starts one for every burst of messages, and each has
// to grow its stack anew.
type workers struct {
	jobs chan func()
	quit chan struct{}
	busy sync.WaitGroup
}

// The bounds of the workers: how long one waits for more to do, and how many
// messages an actor handles before it lets others run.
const (
	workerIdle       = time.Second
	workerThroughput = 300
)

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), quit: make(chan struct{})}
}

// stop ends the workers that wait, and waits for those that work. What is
// scheduled afterwards still runs.
func (w *workers) stop() {
	close(w.quit)
	w.busy.Wait()
}

// Schedule runs a function soon, on a waiting worker or a new one.
func (w *workers) Schedule(run func()) {
	select {
	case w.jobs <- run:
	default:
		w.busy.Go(func() { w.work(run) })
	}
}

// Throughput is how many messages an actor handles in a row.
func (w *workers) Throughput() int { return workerThroughput }

func (w *workers) work(run func()) {
	idle := time.NewTimer(workerIdle)
	defer idle.Stop()
	for {
		run()
		idle.Reset(workerIdle)
		select {
		case run = <-w.jobs:
		case <-idle.C:
			return
		case <-w.quit:
			return
		}
	}
}
