package perform_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors"
	"parley/actors/perform"
	"parley/cluster"
	"parley/domain"
	"parley/domain/alias"
	"parley/domain/contact"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/events"
	"parley/events/memory"
)

// town is a log, and the nodes that work on it. Each believes that it owns
// every actor.
type town struct {
	t     *testing.T
	store events.Store
	nodes []*cluster.Node
}

// around stands between a performer and its world.
type around func(ctx context.Context, w actors.Work, perform actors.PerformerFunc) error

// plainly does nothing of its own.
func plainly(ctx context.Context, w actors.Work, perform actors.PerformerFunc) error {
	return perform(ctx, w)
}

// settled runs a test in virtual time.
func settled(t *testing.T, nodes int, task around, test func(*testing.T, *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, store: memory.New()}
		for range nodes {
			w.open(task)
		}
		defer func() {
			for _, n := range w.nodes {
				if err := n.Stop(context.Background(), time.Second); err != nil {
					t.Error(err)
				}
			}
		}()
		w.integrate("i1", "acme")
		w.integrate("i2", "acme")
		w.integrate("i3", "globex")
		test(t, w)
	})
}

func (w *town) open(task around) {
	w.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	host := actors.NewHost(w.store, actors.DefaultLimits(), logger, nil)
	performer := &perform.Conversation{Store: w.store, Logger: logger}
	node, err := cluster.Start(w.t.Context(), cluster.Config{
		Registry: &cluster.Alone{}, Host: host, Logger: logger,
		Kinds: []actors.Kind{
			actors.NewKind(host, alias.New(), nil),
			actors.NewKind(host, contact.New(), nil),
			actors.NewKind(host, integration.New(), nil),
			actors.NewKind(host, conversation.New(conversation.DefaultRules()), actors.PerformerFunc(
				func(ctx context.Context, work actors.Work) error { return task(ctx, work, performer.Perform) },
			)),
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.nodes = append(w.nodes, node)
}

func (w *town) ask(node int, kind, id, account string, body any) {
	w.t.Helper()
	c := domain.Command{ID: events.NewKey(), At: events.At(time.Now()), Account: account, Body: body}
	for range 100 { // others may write to the same stream
		_, err := w.nodes[node].Ask(w.t.Context(), domain.Address{Kind: kind, ID: id}, c)
		if err == nil {
			return
		}
		if !errors.Is(err, actors.ErrUnavailable) {
			w.t.Errorf("%s %s: %v", kind, id, err)
			return
		}
	}
	w.t.Errorf("%s %s cannot be reached", kind, id)
}

func (w *town) integrate(id, account string) {
	w.ask(0, events.IntegrationCategory, id, account, integration.Create{})
}

// message is somebody's writing to an integration. It starts a session, and
// wants no answer.
type message struct {
	integration string
	who         events.Person
	off         bool // contacts are not collected
}

// receive gives a node a message, in a session of its own, and returns the
// session.
func (w *town) receive(node int, m message) string {
	w.t.Helper()
	sender := m.who.Phone
	if sender == "" {
		sender = m.who.UserID
	}
	session := events.NewKey()
	w.ask(node, events.ConversationCategory, events.ConversationID(m.integration, sender), "", conversation.Receive{
		Policy: conversation.Policy{Allowed: true, ContactCollection: !m.off},
		Messages: []conversation.Inbound{{
			Message: events.NewKey(), Session: session, WAMID: "wamid." + session, Kind: "text", Text: "Hello",
			From: m.who.Phone, UserID: m.who.UserID, Profile: m.who.Name, Username: m.who.Username, At: events.At(time.Now()),
		}},
	})
	return session
}

// receiveAtOnce gives each message to one of the nodes, within milliseconds:
// a little further apart with every round.
func (w *town) receiveAtOnce(round int, messages []message) []string {
	sessions := make([]string, len(messages))
	var all sync.WaitGroup
	for i, m := range messages {
		all.Go(func() {
			time.Sleep(time.Duration(i*round) * time.Millisecond)
			sessions[i] = w.receive((i+round)%len(w.nodes), m)
		})
	}
	all.Wait()
	return sessions
}

// rest lets all that is owed be done.
func (w *town) rest() {
	time.Sleep(alias.Unproven + 5*time.Second)
	synctest.Wait()
}

// found is what the log holds of contacts.
type found struct {
	contacts map[string]contact.State // by ID
	made     int                      // how often one was created
	linked   map[string]string        // session → contact
	streams  []events.Stream
}

func (w *town) find() found {
	w.t.Helper()
	f := found{contacts: map[string]contact.State{}, linked: map[string]string{}}
	all, err := w.store.ReadAll(w.t.Context(), events.LogStart, events.Forwards, 100_000)
	if err != nil {
		w.t.Fatal(err)
	}
	streams := map[events.Stream]bool{}
	for _, r := range all {
		fact, err := events.Decode(r.Type, r.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		streams[r.Stream] = true
		if r.Stream.Category() == events.ContactCategory {
			f.contacts[r.Stream.ID()] = contact.New().Evolve(f.contacts[r.Stream.ID()], fact)
		}
		switch e := fact.(type) {
		case events.ContactCreated:
			f.made++
		case events.ContactLinked:
			f.linked[e.Session] = e.Contact
		}
	}
	f.streams = slices.Sorted(maps.Keys(streams))
	return f
}

// of gives the different contacts that sessions are linked with, in the
// order of the sessions. One that is not linked reads as "".
func (f found) of(sessions []string) []string {
	var contacts []string
	for _, s := range sessions {
		if c := f.linked[s]; !slices.Contains(contacts, c) {
			contacts = append(contacts, c)
		}
	}
	return contacts
}

// crash ends a task at one call of all that are made: before it, or after it.
type crash struct {
	mutex sync.Mutex
	calls int
	at    int
	after bool
}

var errCrashed = errors.New("the node is gone")

// reached counts a call and reports that it is the one.
func (c *crash) reached() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.calls++
	return c.calls == c.at
}

func (c *crash) during(ctx context.Context, w actors.Work, perform actors.PerformerFunc) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.Asker = crashing{w.Asker, c, cancel}
	return perform(ctx, w)
}

type crashing struct {
	actors.Asker
	crash *crash
	end   context.CancelFunc
}

func (a crashing) Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error) {
	if !a.crash.reached() {
		return a.Asker.Ask(ctx, to, c)
	}
	defer a.end()
	if a.crash.after {
		if _, err := a.Asker.Ask(ctx, to, c); err != nil {
			return domain.Result{}, err
		}
	}
	return domain.Result{}, errCrashed
}

func (a crashing) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	if a.crash.reached() {
		a.end()
		return nil, errCrashed
	}
	return a.Asker.Query(ctx, to, question)
}

// lag lets each call take its time, differently with every seed.
func lag(seed uint64) around {
	var mutex sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 0))
	wait := func() {
		mutex.Lock()
		d := time.Duration(chance.IntN(10)) * time.Millisecond
		if chance.IntN(4) == 0 {
			d *= 10
		}
		mutex.Unlock()
		time.Sleep(d)
	}
	return func(ctx context.Context, w actors.Work, perform actors.PerformerFunc) error {
		w.Asker = lagging{w.Asker, wait}
		return perform(ctx, w)
	}
}

type lagging struct {
	actors.Asker
	wait func()
}

func (a lagging) Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error) {
	a.wait()
	return a.Asker.Ask(ctx, to, c)
}

func (a lagging) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	a.wait()
	return a.Asker.Query(ctx, to, question)
}
