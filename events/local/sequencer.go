package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"parley/events"
)

const (
	// batchAppends and batchBytes bound what one transaction takes. The last
	// append of a batch may go beyond the bytes.
	batchAppends = 1024
	batchBytes   = 16 << 20
)

// job waits for the sequencer. It is an append, or a task that runs alone.
type job struct {
	stream   events.Stream
	expected events.Revision
	// records are the store's own copy.
	records []events.Record
	size    int
	task    func() error
	// result may be read after done was received from.
	result result
	done   chan struct{}
}

type result struct {
	outcome  outcome
	appended events.Appended
	err      error
}

// outcome is what became of an append, as metrics count it.
type outcome string

const (
	wasStored   outcome = "stored"
	wasRepeated outcome = "repeated" // an earlier try had stored it
	wasRefused  outcome = "refused"  // for its revision or its size
	wasFull     outcome = "full"
	wasFailed   outcome = "failed"
)

// sequencer is the goroutine that writes. It owns the writer, the witness and
// what follows from each commit.
type sequencer struct {
	writer  *writer
	mover   *mover
	witness *witness
	tail    *tail
	failure *failure
	metrics *metrics
	logger  *slog.Logger
	walPath string
	// walLimit is the size of the -wal file that calls for a checkpoint, in
	// bytes.
	walLimit int64
	// walDue is the size at which the next checkpoint is due, in bytes.
	walDue int64

	// paging is held by readers for the length of a query, and by a checkpoint,
	// which can only empty the -wal file while nobody reads it.
	paging sync.RWMutex

	jobs chan *job
	// closing asks the sequencer to end; stopped says that it has.
	closing, stopped chan struct{}
}

func newSequencer(path string, m *metrics, opts Options) *sequencer {
	return &sequencer{
		failure:  newFailure(),
		metrics:  m,
		logger:   opts.Logger,
		walPath:  path + "-wal",
		walLimit: opts.walLimit,
		jobs:     make(chan *job, batchAppends),
		closing:  make(chan struct{}),
		stopped:  make(chan struct{}),
	}
}

// openWitness compares the log with what was acknowledged.
func (q *sequencer) openWitness(path string) error {
	w, seen, known, err := openWitness(path)
	if err != nil {
		return err
	}
	q.witness = w
	last := q.writer.last
	switch {
	case !known && last > 0:
		q.logger.Warn("event log has no witness: a missing end would not be noticed", "path", path, "position", last)
	case known && seen > last:
		err := fmt.Errorf("%w: the log ends at position %d, but positions up to %d were acknowledged; "+
			"restore a backup, or remove %s to go on without the missing events", events.ErrCorrupt, last, seen, path)
		return errors.Join(err, q.writer.keepWAL())
	}
	q.metrics.position.Set(float64(last))
	return w.record(last)
}

// run serves jobs until closing is closed. Those that still wait then get no
// answer; their callers see that the sequencer has stopped.
func (q *sequencer) run() {
	defer close(q.stopped)
	for {
		batch, task := q.gather()
		if len(batch) == 0 && task == nil {
			return
		}
		if len(batch) > 0 {
			q.commit(batch)
		}
		if task != nil {
			task.result = result{err: q.failure.or(task.task)}
			task.done <- struct{}{}
		}
	}
}

// gather waits for a job and takes what else is waiting, up to a task. It
// returns nothing when the store closes.
func (q *sequencer) gather() (batch []*job, task *job) {
	select {
	case <-q.closing:
		return nil, nil
	default:
	}
	select {
	case <-q.closing:
		return nil, nil
	case j := <-q.jobs:
		if j.task != nil {
			return nil, j
		}
		batch = append(batch, j)
	}
	yields := 0
	for size := batch[0].size; len(batch) < batchAppends && size < batchBytes; {
		select {
		case j := <-q.jobs:
			if j.task != nil {
				return batch, j
			}
			batch = append(batch, j)
			size += j.size
		default:
			if yields == maxYields {
				return batch, nil
			}
			yields++
			runtime.Gosched()
		}
	}
	return batch, nil
}

// maxYields is how often the sequencer lets others run before it commits a
// batch: those that are about to append join it, and share its sync.
const maxYields = 16

// commit makes a batch durable, shows it and answers it.
func (q *sequencer) commit(batch []*job) {
	err := q.failure.or(func() error { return q.store(batch) })
	for _, j := range batch {
		if err != nil {
			j.result = result{err: err}
		}
		j.done <- struct{}{}
	}
	if err == nil {
		q.checkpointIfDue()
	}
}

func (q *sequencer) store(batch []*job) error {
	added, err := q.writer.append(batch, events.At(time.Now()))
	if err != nil {
		return q.judge(err)
	}
	if len(added) == 0 {
		return nil
	}
	// The events are durable: without a witness the store ends, but not they.
	if err := q.witness.record(q.writer.last); err != nil {
		q.failure.set(err)
	}
	q.tail.publish(added)
	q.metrics.committed(len(added), q.writer.last)
	return nil
}

// judge decides whether the store can go on after a failed write.
func (q *sequencer) judge(err error) error {
	if harmless(err) {
		return describe(err)
	}
	q.failure.set(describe(err))
	return q.failure.error()
}

// checkpointIfDue keeps the -wal file small. At half the limit the mover begins
// to move what is in it; when that is done, or the limit is reached, the rest is
// moved here and the file emptied.
func (q *sequencer) checkpointIfDue() {
	size, err := q.walSize()
	switch {
	case err != nil, size >= q.walDue, q.mover.moved != nil && !q.mover.busy():
		if err == nil {
			err = q.checkpoint()
		}
		if err != nil {
			q.failure.set(err)
		}
	case size >= q.walDue-q.walLimit/2 && q.mover.moved == nil:
		q.mover.start()
	}
}

func (q *sequencer) walSize() (int64, error) {
	wal, err := os.Stat(q.walPath)
	if err != nil {
		return 0, err
	}
	return wal.Size(), nil
}

// checkpoint empties the -wal file, or lets it grow for a while when something
// harmless is in the way.
func (q *sequencer) checkpoint() error {
	done, err := q.emptyWAL()
	switch {
	case err != nil && !harmless(err):
		return describe(err)
	case done:
		q.walDue = q.walLimit
	default:
		q.walDue += q.walLimit
		q.logger.Warn("write-ahead log could not be emptied and grows", "path", q.walPath, "limit", q.walDue, "err", err)
	}
	return nil
}

func (q *sequencer) emptyWAL() (done bool, err error) {
	if err := q.mover.wait(); err != nil {
		return false, err
	}
	q.paging.Lock()
	defer q.paging.Unlock()
	return q.writer.checkpoint()
}

// do runs a task between two batches and waits for it.
func (q *sequencer) do(ctx context.Context, task func() error) error {
	return q.put(ctx, &job{task: task, done: make(chan struct{}, 1)}).err
}

// put hands a job to the sequencer and waits for its result.
func (q *sequencer) put(ctx context.Context, j *job) result {
	if err := ctx.Err(); err != nil {
		return result{err: err}
	}
	select {
	case q.jobs <- j:
	case <-q.closing:
		return result{err: events.ErrClosed}
	case <-ctx.Done():
		return result{err: ctx.Err()}
	}
	select {
	case <-j.done:
		return j.result
	case <-ctx.Done():
		return result{err: ctx.Err()}
	case <-q.stopped:
	}
	select {
	case <-j.done: // it was served just before
		return j.result
	default:
		return result{err: events.ErrClosed}
	}
}

// release closes what the sequencer owns, once it has stopped.
func (q *sequencer) release() error {
	var errs []error
	if q.mover != nil {
		errs = append(errs, q.mover.close())
	}
	if q.writer != nil {
		errs = append(errs, q.writer.close())
	}
	if q.witness != nil {
		errs = append(errs, q.witness.close())
	}
	return errors.Join(errs...)
}
