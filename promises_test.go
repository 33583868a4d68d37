package parley_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
	"parley/whatsapp"
)

// text is the body of a webhook with one text, as Meta sends it.
func text(from, wamid, body string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":"Alice"},"wa_id":%q}],`+
		`"messages":[{"from":%q,"id":%q,"timestamp":"946684800","type":"text","text":{"body":%q}}]}}]}]}`,
		phoneNumber, from, from, wamid, body)
}

// notify posts a signed webhook and gives the status of the answer.
func (h *house) notify(body string) int {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "http://parley.test"+h.callback(), strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.RequestURI = h.callback()
	r.Header.Set("X-Hub-Signature-256", whatsapp.Sign(appSecret, []byte(body)))
	return h.do(r).status
}

// switched is a store that can be made to fail.
type switched struct {
	events.Store
	broken atomic.Pointer[error]
}

func (s *switched) Append(ctx context.Context, stream events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	if err := s.broken.Load(); err != nil {
		return events.Appended{}, *err
	}
	return s.Store.Append(ctx, stream, r, records...)
}

func TestP1AcknowledgedMeansStored(t *testing.T) {
	for _, failure := range []error{events.ErrFull, events.ErrUnavailable, errors.New("disk on fire")} {
		t.Run(failure.Error(), func(t *testing.T) {
			inHouse(t, options{store: func() events.Store { return &switched{Store: memory.New()} }}, func(h *house) {
				store := h.store.(*switched)
				store.broken.Store(&failure)
				if status := h.notify(text(alice, "wamid.1", "Hello")); status != 503 {
					h.t.Errorf("a store that cannot write answers %d", status)
				}
				h.person(bob).Write("I am repeated by Meta until I am stored")
				time.Sleep(time.Second)
				store.broken.Store(nil)
				if status := h.notify(text(alice, "wamid.1", "Hello")); status != 200 {
					h.t.Errorf("the repeat answers %d", status)
				}
				h.settle()
				if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
					h.t.Error(diff)
				}
				if diff := cmp.Diff([]string{"You said: I am repeated by Meta until I am stored"}, h.texts(bob)); diff != "" {
					h.t.Error(diff)
				}
			})
		})
	}
}

func TestP2OneWamidOneTurn(t *testing.T) { // F180 F181
	t.Run("32 times at once", func(t *testing.T) {
		inHouse(t, options{}, func(h *house) {
			var posts sync.WaitGroup
			for range 32 {
				posts.Go(func() {
					if status := h.notify(text(alice, "wamid.1", "Hello")); status != 200 {
						h.t.Errorf("status %d", status)
					}
				})
			}
			posts.Wait()
			h.settle()
			if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
				h.t.Error(diff)
			}
			if got := h.history(h.conversations()[0]["id"].(string)); len(got) != 2 {
				h.t.Errorf("history %q", got)
			}
		})
	})
	t.Run("again after minutes, a restart and seven days", func(t *testing.T) {
		inHouse(t, options{}, func(h *house) {
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			h.stop()
			h.start()
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			time.Sleep(7*24*time.Hour - time.Minute)
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(alice)); diff != "" {
				h.t.Error(diff)
			}
		})
	})
	t.Run("the placeholder 131060 does not count as the message", func(t *testing.T) {
		inHouse(t, options{}, func(h *house) {
			h.person("15550001060").Write("I come as a ghost first")
			h.settle()
			if diff := cmp.Diff([]string{"You said: I come as a ghost first"}, h.texts("15550001060")); diff != "" {
				h.t.Error(diff)
			}
		})
	})
	t.Run("another integration with the same wamid is separate", func(t *testing.T) {
		inHouse(t, options{}, func(h *house) {
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			first := h.integration
			h.furnish()
			if h.integration == first {
				h.t.Fatal("no second integration")
			}
			h.notify(text(alice, "wamid.1", "Hello"))
			h.settle()
			if got := h.texts(alice); len(got) != 2 {
				h.t.Errorf("alice got %q", got)
			}
		})
	})
}

// overlap is an engine that takes its time and watches whether turns of one
// sender run side by side.
type overlap struct {
	takes time.Duration

	sync.Mutex
	running map[string]int
	doubled bool
	most    int
}

func (o *overlap) Answer(ctx context.Context, t engine.Turn) iter.Seq2[engine.Act, error] {
	return func(yield func(engine.Act, error) bool) {
		o.step(t.Sender, 1)
		defer o.step(t.Sender, -1)
		select {
		case <-ctx.Done():
			yield(nil, ctx.Err())
			return
		case <-time.After(o.takes):
		}
		var said []string
		for _, m := range t.Unanswered() {
			said = append(said, m.Text)
		}
		yield(engine.Say{Text: strings.Join(said, ",")}, nil)
	}
}

func (o *overlap) step(sender string, by int) {
	o.Lock()
	defer o.Unlock()
	if o.running == nil {
		o.running = map[string]int{}
	}
	o.running[sender] += by
	o.doubled = o.doubled || o.running[sender] > 1
	total := 0
	for _, n := range o.running {
		total += n
	}
	o.most = max(o.most, total)
}

func TestP3OneSenderInOrderOthersInParallel(t *testing.T) { // F183 F184 F185 F186 F247 F248
	o := &overlap{takes: 5 * time.Second}
	inHouse(t, options{engine: o}, func(h *house) {
		for i := range 10 {
			h.notify(text(alice, fmt.Sprintf("wamid.a%d", i), fmt.Sprint(i)))
			h.notify(text(bob, fmt.Sprintf("wamid.b%d", i), fmt.Sprint(i)))
		}
		began := time.Now()
		for len(h.sim.Accepted(alice)) == 0 || len(h.sim.Accepted(bob)) == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 6*time.Second {
			h.t.Errorf("two senders took %v", took)
		}
		h.settle()
		for _, person := range []string{alice, bob} {
			if got := strings.Join(h.texts(person), ","); got != "0,1,2,3,4,5,6,7,8,9" {
				h.t.Errorf("%s was answered %q", person, got)
			}
		}
		if o.doubled || o.most < 2 {
			h.t.Errorf("turns of one sender overlap: %v; most at a time: %d", o.doubled, o.most)
		}
	})
}

func TestP10TheAcknowledgementDependsOnNobody(t *testing.T) { // F064 F065 F066 F080 F088 F167 F178 F179 F244
	inHouse(t, options{engine: script.Func(func(engine.Turn) []script.Step { return []script.Step{script.Hang()} })}, func(h *house) {
		began := time.Now()
		for i := range 500 {
			if status := h.notify(text(fmt.Sprintf("1555%07d", i), fmt.Sprintf("wamid.%d", i), "Hello")); status != 200 {
				h.t.Fatalf("status %d", status)
			}
		}
		if took := time.Since(began); took > time.Second {
			h.t.Errorf("500 webhooks took %v while the model hangs", took)
		}
	})
}

func TestP4ATurnGoesOnAfterACrash(t *testing.T) { // F171
	var calls atomic.Int64
	slow := script.Func(func(t engine.Turn) []script.Step {
		calls.Add(1)
		return []script.Step{script.Wait(20 * time.Second), script.Say("Sorry for the delay")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		h.crash()
		h.notify(text(alice, "wamid.2", "Are you there?"))
		h.settle()
		if diff := cmp.Diff([]string{"Sorry for the delay", "Sorry for the delay"}, h.texts(alice)); diff != "" {
			h.t.Error(diff)
		}
		if calls.Load() != 3 {
			h.t.Errorf("the engine was asked %d times", calls.Load())
		}
	})
}

func TestP5WhatMetaAcceptedIsNotSentAgain(t *testing.T) { // F182
	for _, c := range []struct{ name, person, does string }{
		{"no answer, but accepted: a status settles it", "15550000408", "accepted"},
		{"no answer, and lost: it is sent once more", "15550000409", "lost"},
		{"a 200 without an ID: a status settles it", "15550000200", "accepted"},
		{"a proxy's error page, but accepted", "15550000502", "accepted"},
		{"a proxy's error page, and lost", "15550000500", "lost"},
		{"no connection: it is sent again at once", "15550000503", "lost"},
		{"throttled twice, then accepted", "15550000429", "lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHouse(t, options{}, func(h *house) {
				h.person(c.person).Write("Hello")
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if diff := cmp.Diff([]string{"You said: Hello"}, h.texts(c.person)); diff != "" {
					h.t.Error(diff)
				}
			})
		})
	}
	t.Run("a crash between the attempt and its report", func(t *testing.T) {
		inHouse(t, options{}, func(h *house) {
			h.person("15550000408").Write("Hello") // accepted, and then silence
			time.Sleep(2 * time.Second)
			synctest.Wait()
			h.crash()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if diff := cmp.Diff([]string{"You said: Hello"}, h.texts("15550000408")); diff != "" {
				h.t.Error(diff)
			}
		})
	})
}

func TestP7DeletionStopsEverythingAtOnce(t *testing.T) { // F099 F117 F120 F121 F116
	slow := script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Wait(20 * time.Second), script.Say("Too late")}
	})
	inHouse(t, options{engine: slow}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.notify(text(bob, "wamid.2", "Hello"))
		time.Sleep(5 * time.Second)
		before := h.eventTypes()
		calls := len(h.sim.Calls())
		h.post(integrations+"/"+h.integration+"/delete", object{})
		if status := h.notify(text(alice, "wamid.3", "Still there?")); status != 404 {
			h.t.Errorf("the callback answers %d", status)
		}
		h.settle()
		if got := len(h.sim.Calls()); got != calls {
			h.t.Errorf("%d calls to Meta after the deletion", got-calls) // F102 F114
		}
		if diff := cmp.Diff(before, h.eventTypes()); diff != "" {
			h.t.Errorf("events changed: %s", diff) // F108 F109
		}
		if got := h.conversations(); len(got) != 2 {
			h.t.Errorf("%d conversations are left", len(got)) // F110
		}
		for _, stream := range []events.Stream{"secret-" + events.Stream(h.integration), "integration-" + events.Stream(h.integration)} {
			left, err := h.store.Read(h.t.Context(), stream, events.StreamStart, events.Forwards, 100)
			if err != nil {
				h.t.Fatal(err)
			}
			for _, r := range left {
				if r.Type != "IntegrationDeleted" && r.Type != "IntegrationPurged" {
					h.t.Errorf("%s still holds %s", stream, r.Type) // F101 F105
				}
			}
		}
	})
}

func TestP9NoSecretIsStoredInClear(t *testing.T) { // F154
	inHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		all, err := h.store.ReadAll(h.t.Context(), events.LogStart, events.Forwards, 1000)
		if err != nil || len(all) == 0 {
			h.t.Fatalf("%d events, %v", len(all), err)
		}
		for _, r := range all {
			for _, secret := range []string{accessToken, appSecret, apiSecret} {
				if strings.Contains(string(r.Data)+string(r.Metadata), secret) {
					h.t.Errorf("%s of %s holds a secret", r.Type, r.Stream)
				}
			}
		}
	})
}
