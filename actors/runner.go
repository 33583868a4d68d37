package actors

import (
	"context"
	"sync"
	"time"
)

// runner carries out tasks, at most limit at a time and in the order they were
// handed in.
type runner struct {
	limit   int
	context context.Context
	cancel  context.CancelFunc

	mutex   sync.Mutex
	running int
	waiting []waitingJob
	stopped bool
	jobs    sync.WaitGroup
}

type waitingJob struct {
	since time.Time
	run   func(context.Context)
}

func newRunner(limit int) *runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &runner{limit: limit, context: ctx, cancel: cancel}
}

// submit hands a job in. After drain it is dropped: its work is still owed and
// will be found at the next start.
func (r *runner) submit(run func(context.Context)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.stopped {
		return
	}
	r.waiting = append(r.waiting, waitingJob{since: time.Now(), run: run})
	r.startLocked()
}

func (r *runner) startLocked() {
	for r.running < r.limit && len(r.waiting) > 0 {
		job := r.waiting[0]
		r.waiting[0] = waitingJob{}
		r.waiting = r.waiting[1:]
		r.running++
		r.jobs.Go(func() {
			defer r.done()
			job.run(r.context)
		})
	}
}

func (r *runner) done() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.running--
	if !r.stopped {
		r.startLocked()
	}
}

// drain starts no more jobs, gives those under way the grace to end, and then
// ends their context and waits for them.
func (r *runner) drain(grace time.Duration) {
	r.mutex.Lock()
	r.stopped, r.waiting = true, nil
	r.mutex.Unlock()
	ended := make(chan struct{})
	go func() {
		r.jobs.Wait()
		close(ended)
	}()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	r.cancel()
	<-ended
}

// load says how many jobs run and wait, and for how long the oldest has waited.
func (r *runner) load() (running, waiting int, oldest time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.waiting) > 0 {
		oldest = time.Since(r.waiting[0].since)
	}
	return r.running, len(r.waiting), oldest
}
