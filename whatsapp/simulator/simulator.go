package simulator

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"parley/whatsapp"
)

// Config is what a simulator needs. The zero Config is a good one for tests.
type Config struct {
	// Seed chooses the faults.
	Seed uint64
	// Faults are what goes wrong; nil means Hostile.
	Faults *Faults
	// Deliver carries the webhooks. nil means the network; Through(handler)
	// calls a handler in this process.
	Deliver http.RoundTripper
	// Window refuses messages to people who have not written for 24 hours.
	// Meta: customer service windows.
	Window bool
}

// Number is a phone number of a business. All fields matter.
type Number struct {
	// ID is the phone number ID, WABAID the account's, Display the number.
	ID, WABAID, Display string
	// Token is the access token that sends must carry.
	Token string
	// Callback is where webhooks go; without it there are none. AppSecret
	// signs them.
	Callback, AppSecret string
}

// Simulator plays Meta. It is the http.Handler of the Graph API. All its
// methods may be called concurrently.
type Simulator struct {
	faults  Faults
	seed    uint64
	window  bool
	deliver http.RoundTripper

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	numbers map[string]*number
	threads map[threadKey]*thread
	// written finds the chat that a person's message is in, by wamid.
	written map[string]*thread
	// files are what people sent, by media ID.
	files  map[string]*file
	record record
	// open counts the webhooks that are still to be delivered or given up.
	open int
	// changed is closed and replaced whenever anything happened.
	changed chan struct{}
}

// number is a phone number with the updates that wait for company.
type number struct {
	Number
	held []update
	// dashboard is nil until it is changed.
	dashboard *Dashboard
}

// threadKey names the chat of a person with a number.
type threadKey struct{ number, person string }

// New starts a simulator. It must be closed.
func New(c Config) *Simulator {
	faults := Hostile()
	if c.Faults != nil {
		faults = *c.Faults
	}
	deliver := c.Deliver
	if deliver == nil {
		deliver = http.DefaultTransport
	}
	s := &Simulator{
		faults: faults, seed: c.Seed, window: c.Window, deliver: deliver,
		numbers: make(map[string]*number), threads: make(map[threadKey]*thread),
		written: make(map[string]*thread), files: make(map[string]*file),
		changed: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Connect adds a phone number, or replaces the one with the same ID, for
// example to give it another token.
func (s *Simulator) Connect(n Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.numbers[n.ID]; known != nil {
		known.Number = n
		return
	}
	s.numbers[n.ID] = &number{Number: n}
}

// Credentials are those of a connected number.
func (s *Simulator) Credentials(numberID string) whatsapp.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := whatsapp.Credentials{PhoneNumberID: numberID}
	if n := s.numbers[numberID]; n != nil {
		c.Token = whatsapp.NewToken(n.Token)
	}
	return c
}

// Close stops everything and waits until it has stopped. Webhooks that are
// under way are dropped, and calls that hang come back.
func (s *Simulator) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.tasks.Wait()
}

// Idle waits until every webhook is delivered or given up. The error is the
// context's, or says that the simulator was closed.
func (s *Simulator) Idle(ctx context.Context) error {
	return s.await(ctx, func() bool { return s.open == 0 })
}

var errClosed = errors.New("the simulator is closed")

// await waits until a condition holds, which is called with the lock held.
func (s *Simulator) await(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		changed, done := s.changed, holds()
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return errClosed
		}
	}
}

// notify wakes those who await. The lock is held.
func (s *Simulator) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// start runs a task that Close waits for. The lock is held.
func (s *Simulator) start(task func()) {
	if !s.closed {
		s.tasks.Go(task)
	}
}

// sleep waits, and reports false if something ended first.
func (s *Simulator) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return false
}
