package perform

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"parley/actors"
	"parley/domain"
	"parley/events"
)

// Pacer keeps each phone number within what Meta takes from it, whichever nodes
// send: the node that owns an integration owns the budget of its number, and
// the others ask it for grants. It is a courtesy, not a rule: what it lets
// through too much, Meta refuses, and that is seen to. It may be used
// concurrently.
type Pacer struct {
	limit   int
	cluster atomic.Pointer[Cluster]

	mutex sync.Mutex
	// By integration, which has one phone number: the budgets that are this
	// node's to spend, and what it gets of others'.
	budgets map[string]*budget
	shares  map[string]*share
}

// Cluster is what a pacer must know of the nodes.
type Cluster interface {
	// Owns reports that an actor belongs to this node.
	Owns(to domain.Address) bool
	// Size is how many nodes there are, this one among them.
	Size() int
	// Query asks a question of the node that owns an actor.
	Query(ctx context.Context, to domain.Address, question any) (any, error)
}

// NewPacer makes a pacer that lets each phone number send so many messages a
// second. Until it joins others it works alone.
func NewPacer(limit int) *Pacer {
	return &Pacer{limit: limit, budgets: map[string]*budget{}, shares: map[string]*share{}}
}

// Join lets the pacer share budgets with those of other nodes.
func (p *Pacer) Join(c Cluster) { p.cluster.Store(&c) }

// Beside lets a kind, that of the integrations, answer other nodes' pacers.
func (p *Pacer) Beside(kind actors.Kind) actors.Kind {
	kind.Messages = append(kind.Messages, Grant{}, Granted{}, Pause{})
	kind.Aside = p.answer
	return kind
}

// Grant asks the owner of a budget for the right to send.
type Grant struct {
	// Want is how many messages are to be sent. Now wants only what may be sent
	// at once, which may be none; otherwise the owner says how long to wait.
	Want int  `msgpack:"w"`
	Now  bool `msgpack:"n,omitempty"`
}

// Granted answers a Grant.
type Granted struct {
	// Many messages may be sent once Wait is over.
	Many int           `msgpack:"m,omitempty"`
	Wait time.Duration `msgpack:"w,omitempty"`
	// Paused is how long nothing may be sent; 0 if the number is not paused.
	Paused time.Duration `msgpack:"p,omitempty"`
}

// Pause tells the owner of a budget that Meta takes nothing for a while; 0 ends
// a pause. The answer is a Granted without meaning.
type Pause struct {
	For time.Duration `msgpack:"f,omitempty"`
}

// answer answers the pacers of other nodes.
func (p *Pacer) answer(to domain.Address, question any) (any, bool) {
	switch q := question.(type) {
	case Grant:
		return p.budget(to.ID).grant(q), true
	case Pause:
		p.budget(to.ID).pause(q.For)
		return Granted{}, true
	}
	return nil, false
}

// Moved takes in that integrations may have other owners now. A budget that
// comes back later begins anew, and owners that could not be reached are asked
// again.
func (p *Pacer) Moved() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for id := range p.budgets {
		if !p.owns(id) {
			delete(p.budgets, id)
		}
	}
	for _, s := range p.shares {
		s.reach()
	}
}

// wait waits until an integration may send once more. may is false while it is
// paused.
func (p *Pacer) wait(ctx context.Context, conversation domain.Address) (may bool, err error) {
	id, _ := events.SplitConversationID(conversation.ID)
	if !p.owns(id) {
		return p.share(id).take(ctx, false)
	}
	b := p.budget(id)
	if b.paused() > 0 {
		return false, nil
	}
	err = b.rate.Wait(ctx)
	return err == nil, err
}

// may takes the right to send once more, if that is possible at once.
func (p *Pacer) may(ctx context.Context, conversation domain.Address) bool {
	id, _ := events.SplitConversationID(conversation.ID)
	if !p.owns(id) {
		may, err := p.share(id).take(ctx, true)
		return may && err == nil
	}
	return p.budget(id).grant(Grant{Want: 1, Now: true}).Many > 0
}

// pause lets nothing more of an integration go out for a while.
func (p *Pacer) pause(ctx context.Context, conversation domain.Address, wait time.Duration) {
	id, _ := events.SplitConversationID(conversation.ID)
	if !p.owns(id) {
		p.share(id).pause(ctx, wait)
		return
	}
	p.budget(id).pause(wait)
}

// resume ends the pause of an integration.
func (p *Pacer) resume(ctx context.Context, integration string) {
	if !p.owns(integration) {
		p.share(integration).pause(ctx, 0)
		return
	}
	p.budget(integration).pause(0)
}

func (p *Pacer) owns(integration string) bool {
	c := p.cluster.Load()
	return c == nil || (*c).Owns(owner(integration))
}

// owner is the actor whose node owns a budget.
func owner(integration string) domain.Address {
	return domain.Address{Kind: events.IntegrationCategory, ID: integration}
}

func (p *Pacer) budget(integration string) *budget {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	b := p.budgets[integration]
	if b == nil {
		b = &budget{rate: rate.NewLimiter(rate.Limit(p.limit), p.limit)}
		if c := p.cluster.Load(); c != nil && (*c).Size() > 1 {
			b.rate.AllowN(time.Now(), p.limit) // the owner before may just have spent it
		}
		p.budgets[integration] = b
	}
	return b
}

func (p *Pacer) share(integration string) *share {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	s := p.shares[integration]
	if s == nil {
		s = &share{limit: p.limit, cluster: *p.cluster.Load(), owner: owner(integration), turn: make(chan struct{}, 1)}
		p.shares[integration] = s
	}
	return s
}

// budget is what a phone number may send.
type budget struct {
	rate  *rate.Limiter
	mutex sync.Mutex
	until time.Time // the end of a pause
}

// grant gives away a part of the budget.
func (b *budget) grant(g Grant) Granted {
	want := max(1, min(g.Want, b.rate.Burst()))
	now := time.Now()
	switch paused := b.paused(); {
	case paused > 0:
		return Granted{Paused: paused}
	case !g.Now:
		return Granted{Many: want, Wait: b.rate.ReserveN(now, want).DelayFrom(now)}
	}
	want = max(0, min(want, int(b.rate.TokensAt(now))))
	if !b.rate.AllowN(now, want) { // somebody else was faster
		want = 0
	}
	return Granted{Many: want}
}

// pause begins a pause, or makes it longer; 0 ends it.
func (b *budget) pause(wait time.Duration) {
	until := time.Now().Add(wait)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if wait == 0 || until.After(b.until) {
		b.until = until
	}
}

// paused is how long the pause still lasts.
func (b *budget) paused() time.Duration {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return max(0, time.Until(b.until))
}
