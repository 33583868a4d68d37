package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors"
	"parley/cluster"
	"parley/domain"
	"parley/events"
	"parley/events/memory"
)

// The rules of the tests: a counter whose facts are tokens. "add" counts, work
// is owed for each count that is not done yet.

type counter struct{ Added, Done int }

type (
	add  struct{ Name string }
	done struct{}
	size struct{}
	// finish is done, refused when nothing is left to be done.
	finish struct{}
	work   struct{ n int }
)

// leap is a fact that no version knows yet.
type leap struct{ Name string }

func (leap) EventType() string  { return "Leap" }
func (l leap) IsOptional() bool { return l.Name == "optional" }

func rules() domain.Decider[counter] {
	return domain.Decider[counter]{
		Kind: events.BotCategory,
		Decide: func(s counter, c domain.Command) ([]events.Event, error) {
			switch b := c.Body.(type) {
			case add:
				switch b.Name {
				case "refuse":
					return nil, domain.Refused(domain.Invalid, "name", "no")
				case "panic":
					panic("bad rule")
				case "nothing":
					return nil, nil
				}
				return []events.Event{events.TokenIssued{Token: b.Name}}, nil
			case novel:
				if b.Name == "x" {
					return []events.Event{events.TokenIssued{Token: b.Name}}, nil
				}
				return []events.Event{leap(b)}, nil
			case finish:
				if s.Done == s.Added {
					return nil, domain.Refused(domain.Stale, "", "nothing is left")
				}
				return []events.Event{events.TokenRevoked{}}, nil
			case done:
				return []events.Event{events.TokenRevoked{}}, nil
			}
			return nil, errors.New("unknown")
		},
		Evolve: func(s counter, fact events.Event) counter {
			switch fact.(type) {
			case events.TokenIssued:
				s.Added++
			case events.TokenRevoked:
				s.Done++
			}
			return s
		},
		Pending: func(s counter) []domain.Task {
			if s.Done < s.Added {
				return []domain.Task{{Lane: "work", Body: work{n: s.Done}}}
			}
			return nil
		},
		Answer: func(s counter, _ any) (any, error) { return s, nil },
	}
}

// world is one node with its store.
type world struct {
	t     *testing.T
	store events.Store
	node  *cluster.Node
}

func start(t *testing.T, store events.Store, limits actors.Limits, p actors.Performer) *world {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	host := actors.NewHost(store, limits, logger, nil)
	node, err := cluster.Start(t.Context(), cluster.Config{
		Registry: &cluster.Alone{}, Host: host, Logger: logger, Kinds: []actors.Kind{actors.NewKind(host, rules(), p)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, store: store, node: node}
}

func (w *world) stop() {
	w.t.Helper()
	if err := w.node.Stop(context.Background(), time.Second); err != nil {
		w.t.Error(err)
	}
}

func address(id string) domain.Address { return domain.Address{Kind: events.BotCategory, ID: id} }

func (w *world) ask(id, command string, body any) (domain.Result, error) {
	return w.node.Ask(w.t.Context(), address(id), domain.Command{ID: command, At: events.At(time.Now()), Body: body})
}

func (w *world) size(id string) counter {
	w.t.Helper()
	answer, err := w.node.Query(w.t.Context(), address(id), size{})
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.(counter)
}

func (w *world) stream(id string) []events.Recorded {
	w.t.Helper()
	all, err := w.store.Read(w.t.Context(), address(id).Stream(), events.StreamStart, events.Forwards, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// bubble runs a test in virtual time with a fresh store.
func bubble(t *testing.T, limits actors.Limits, p actors.Performer, test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := start(t, memory.New(), limits, p)
		defer w.stop()
		test(t, w)
	})
}

func TestAsk(t *testing.T) {
	limits := actors.DefaultLimits()

	t.Run("a command is decided, appended and answered", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			result, err := w.ask("a", "c1", add{"x"})
			if err != nil || result.Revision != 0 || result.Position == 0 {
				t.Fatalf("%+v, %v", result, err)
			}
			if got := w.size("a"); got.Added != 1 {
				t.Errorf("state %+v", got)
			}
		})
	})
	t.Run("the same command twice changes nothing and gets the same answer", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			first, err := w.ask("a", "c1", add{"x"})
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.ask("a", "c1", add{"x"})
			if err != nil || again != first || len(w.stream("a")) != 1 {
				t.Errorf("%+v, %v; %d facts", again, err, len(w.stream("a")))
			}
		})
	})
	t.Run("a refusal reaches the caller and changes nothing", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			_, err := w.ask("a", "c1", add{"refuse"})
			if !domain.IsRefusal(err, domain.Invalid) || len(w.stream("a")) != 0 {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("what can never be stored is refused", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{strings.Repeat("x", events.MaxAppend)}); !domain.IsRefusal(err, domain.Invalid) {
				t.Errorf("got %v", err)
			}
			if result, err := w.ask("a", "c2", add{"x"}); err != nil || result.Revision != 0 {
				t.Errorf("%+v, %v", result, err)
			}
		})
	})
	t.Run("a panic is answered, and the actor goes on with what the stream says", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.ask("a", "c2", add{"panic"}); !errors.Is(err, actors.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
			if result, err := w.ask("a", "c3", add{"x"}); err != nil || result.Revision != 1 {
				t.Errorf("%+v, %v", result, err)
			}
		})
	})
	t.Run("an unknown kind and a command without ID are errors", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			if _, err := w.node.Query(t.Context(), domain.Address{Kind: "none", ID: "a"}, size{}); err == nil {
				t.Error("an unknown kind answers")
			}
			if _, err := w.ask("a", "", add{"x"}); err == nil {
				t.Error("a command without ID is taken")
			}
		})
	})
	t.Run("when another activation wrote meanwhile the command is decided anew", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			other := start(t, w.store, limits, nil) // believes that it owns the actor, too
			defer other.stop()
			for i := range 10 {
				for _, side := range []*world{w, other} {
					if _, err := side.ask("a", fmt.Sprintf("c%d-%p", i, side), add{"x"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := w.size("a"); got.Added < 20 || len(w.stream("a")) != 21 {
				t.Errorf("state %+v, %d facts", got, len(w.stream("a")))
			}
		})
	})
	t.Run("what another activation wrote is known before a command is refused", func(t *testing.T) {
		bubble(t, limits, nil, func(t *testing.T, w *world) {
			other := start(t, w.store, limits, nil)
			defer other.stop()
			other.size("a") // it has the actor in memory
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			if _, err := other.ask("a", "c2", finish{}); err != nil {
				t.Errorf("an outcome is lost: %v", err)
			}
			if _, err := w.ask("a", "c3", finish{}); !domain.IsRefusal(err, domain.Stale) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("an actor that is woken looks for what another activation owes", func(t *testing.T) {
		began := make(chan struct{}, 1)
		p := actors.PerformerFunc(func(ctx context.Context, w actors.Work) error {
			began <- struct{}{}
			return w.Report(ctx, "", done{})
		})
		bubble(t, limits, p, func(t *testing.T, w *world) {
			other := start(t, w.store, limits, nil) // does nothing of it
			defer other.stop()
			w.size("a")
			if _, err := other.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.node.Query(t.Context(), address("a"), actors.Wake{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if len(began) == 0 {
				t.Error("nobody does the work")
			}
		})
	})
	t.Run("every stopped node answers that it is unavailable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, memory.New(), limits, nil)
			w.stop()
			if _, err := w.ask("a", "c1", add{"x"}); !errors.Is(err, actors.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// faulty is a store whose appends may do what they should and yet fail.
type faulty struct {
	events.Store
	lose atomic.Bool
}

func (f *faulty) Append(ctx context.Context, s events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	appended, err := f.Store.Append(ctx, s, r, records...)
	if f.lose.Swap(false) && err == nil {
		return events.Appended{}, errors.New("connection lost")
	}
	return appended, err
}

func TestAnUnknownOutcomeIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &faulty{Store: memory.New()}
		w := start(t, store, actors.DefaultLimits(), nil)
		defer w.stop()
		store.lose.Store(true)
		if _, err := w.ask("a", "c1", add{"x"}); !errors.Is(err, actors.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
		result, err := w.ask("a", "c1", add{"x"})
		if err != nil || result.Revision != 0 || len(w.stream("a")) != 1 {
			t.Errorf("%+v, %v; %d facts", result, err, len(w.stream("a")))
		}
	})
}

func TestPassivationLosesNoMessage(t *testing.T) {
	limits := actors.DefaultLimits()
	limits.Idle = 2 * time.Millisecond
	bubble(t, limits, nil, func(t *testing.T, w *world) {
		var callers sync.WaitGroup
		for caller := range 30 {
			callers.Go(func() {
				for i := range 50 {
					id := fmt.Sprintf("a%d", (caller+i)%7)
					if _, err := w.ask(id, fmt.Sprintf("%d-%d", caller, i), add{"x"}); err != nil {
						t.Errorf("caller %d: %v", caller, err)
					}
					time.Sleep(time.Duration(caller%5) * time.Millisecond)
				}
			})
		}
		callers.Wait()
		total := 0
		for i := range 7 {
			total += len(w.stream(fmt.Sprintf("a%d", i)))
		}
		if total != 1500 {
			t.Errorf("%d facts, want 1500", total)
		}
	})
}

func TestABusyActorRefusesInsteadOfQueueingForEver(t *testing.T) {
	limits := actors.DefaultLimits()
	limits.Mailbox = 5
	synctest.Test(t, func(t *testing.T) {
		slow := &slowStore{Store: memory.New()}
		w := start(t, slow, limits, nil)
		defer w.stop()
		var busy, ok atomic.Int64
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				_, err := w.ask("a", fmt.Sprint(i), add{"x"})
				switch {
				case err == nil:
					ok.Add(1)
				case errors.Is(err, actors.ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if busy.Load() == 0 || ok.Load() < 5 || int(ok.Load()) != len(w.stream("a")) {
			t.Errorf("%d busy, %d answered, %d facts", busy.Load(), ok.Load(), len(w.stream("a")))
		}
	})
}

func TestWhoWaitsNoLongerKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, &slowStore{Store: memory.New()}, actors.DefaultLimits(), nil)
		defer w.stop()
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for i := range 50 { // five seconds of work
			go func() {
				_, _ = w.node.Ask(brief, address("a"), domain.Command{ID: fmt.Sprint(i), At: events.At(time.Now()), Body: add{"x"}})
			}()
		}
		synctest.Wait()
		began := time.Now()
		if _, err := w.ask("a", "last", add{"x"}); err != nil {
			t.Fatal(err)
		}
		if took, facts := time.Since(began), len(w.stream("a")); took > 1200*time.Millisecond || facts > 12 {
			t.Errorf("who came last waited %v, for %d facts", took, facts)
		}
	})
}

type slowStore struct{ events.Store }

func (s *slowStore) Append(ctx context.Context, stream events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	time.Sleep(100 * time.Millisecond)
	return s.Store.Append(ctx, stream, r, records...)
}

// worker does the counter's work, and notes how it was asked to.
type worker struct {
	sync.Mutex
	takes    time.Duration
	running  map[string]int
	most     int // at a time
	calls    int
	doubled  bool
	failures int
	when     []time.Time
}

func (p *worker) Perform(ctx context.Context, w actors.Work) error {
	p.Lock()
	if p.running == nil {
		p.running = map[string]int{}
	}
	p.calls++
	p.when = append(p.when, time.Now())
	p.running[w.Address.ID]++
	p.doubled = p.doubled || p.running[w.Address.ID] > 1
	p.most = max(p.most, len(p.running))
	fail := p.failures > 0
	p.failures--
	p.Unlock()
	defer func() {
		p.Lock()
		defer p.Unlock()
		if p.running[w.Address.ID]--; p.running[w.Address.ID] == 0 {
			delete(p.running, w.Address.ID)
		}
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.takes):
	}
	if fail {
		return errors.New("the world is down")
	}
	return w.Report(ctx, "", done{})
}

func TestTasks(t *testing.T) {
	limits := actors.DefaultLimits()
	limits.Tasks = 4

	t.Run("one at a time of a lane, a bounded number of all", func(t *testing.T) { // F243 F248
		p := &worker{takes: time.Second}
		bubble(t, limits, p, func(t *testing.T, w *world) {
			for i := range 20 {
				for n := range 3 {
					if _, err := w.ask(fmt.Sprintf("a%d", i), fmt.Sprintf("%d-%d", i, n), add{"x"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if p.doubled || p.most != 4 || p.calls != 60 {
				t.Errorf("doubled %v, most %d, calls %d", p.doubled, p.most, p.calls)
			}
			for i := range 20 {
				if got := w.size(fmt.Sprintf("a%d", i)); got.Done != 3 {
					t.Errorf("a%d: %+v", i, got)
				}
			}
		})
	})
	t.Run("a failed task is tried again after a growing while", func(t *testing.T) { // F240
		p := &worker{failures: 4}
		bubble(t, limits, p, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if p.calls != 5 || w.size("a").Done != 1 {
				t.Fatalf("%d calls, %+v", p.calls, w.size("a"))
			}
			first, last := p.when[1].Sub(p.when[0]), p.when[4].Sub(p.when[3])
			if last < 2*first {
				t.Errorf("waited %v first and %v at last", first, last)
			}
		})
	})
	t.Run("a panic in a task is a failure", func(t *testing.T) { // F241
		calls := 0
		p := actors.PerformerFunc(func(ctx context.Context, w actors.Work) error {
			if calls++; calls == 1 {
				panic("bad performer")
			}
			return w.Report(ctx, "", done{})
		})
		bubble(t, limits, p, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if calls != 2 || w.size("a").Done != 1 {
				t.Errorf("%d calls, %+v", calls, w.size("a"))
			}
		})
	})
	t.Run("an actor with a task under way is not passivated", func(t *testing.T) {
		limits := limits
		limits.Idle = time.Millisecond
		p := &worker{takes: time.Minute}
		bubble(t, limits, p, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if p.calls != 1 || w.size("a").Done != 1 {
				t.Errorf("%d calls, %+v", p.calls, w.size("a"))
			}
		})
	})
	t.Run("work whose outcome another activation recorded is not done again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := memory.New()
			owner := start(t, store, limits, nil)
			defer owner.stop()
			calls := 0
			forced := start(t, store, limits, actors.PerformerFunc(func(ctx context.Context, w actors.Work) error {
				calls++
				w.Asker = owner.node // who belongs elsewhere reports there
				return w.Report(ctx, "", finish{})
			}))
			defer forced.stop()
			if _, err := forced.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if got := owner.size("a"); calls != 1 || got.Done != 1 {
				t.Errorf("done %d times, %+v", calls, got)
			}
		})
	})
	t.Run("what a stopped node owed goes on when another one wakes the actor", func(t *testing.T) { // P4
		synctest.Test(t, func(t *testing.T) {
			store := memory.New()
			hanging := start(t, store, limits, &worker{takes: time.Hour})
			if _, err := hanging.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			hanging.stop()
			after := start(t, store, limits, &worker{})
			defer after.stop()
			if _, err := after.node.Query(t.Context(), address("a"), actors.Wake{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if got := after.size("a"); got.Done != 1 {
				t.Errorf("%+v", got)
			}
		})
	})
	t.Run("metadata says whether work is owed", func(t *testing.T) {
		bubble(t, limits, &worker{}, func(t *testing.T, w *world) {
			if _, err := w.ask("a", "c1", add{"x"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			var owes []bool
			for _, r := range w.stream("a") {
				m, err := events.DecodeMetadata(r.Metadata)
				if err != nil {
					t.Fatal(err)
				}
				owes = append(owes, m.Owes != 0)
			}
			if fmt.Sprint(owes) != "[true false]" {
				t.Errorf("owes %v", owes)
			}
		})
	})
}

func TestStopGivesWorkAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &worker{takes: 500 * time.Millisecond}
		store := memory.New()
		w := start(t, store, actors.DefaultLimits(), p)
		if _, err := w.ask("a", "c1", add{"x"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.stop()
		if n := len(w.stream("a")); n != 2 {
			t.Errorf("%d facts: the work under way was not finished", n)
		}
	})
}
