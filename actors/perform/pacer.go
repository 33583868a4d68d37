package perform

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/domain"
	"parley/events"
)

// Pacer keeps each phone number within what Meta takes from it. It is a
// courtesy, not a rule: what it lets through too much, Meta refuses, and that
// is seen to. It may be used concurrently.
type Pacer struct {
	limit int
	mutex sync.Mutex
	// By integration, which has one phone number.
	rates  map[string]*rate.Limiter
	pauses map[string]time.Time
}

// NewPacer makes a pacer that lets each phone number send so many messages a
// second.
func NewPacer(limit int) *Pacer {
	return &Pacer{limit: limit, rates: map[string]*rate.Limiter{}, pauses: map[string]time.Time{}}
}

// wait waits until an integration may send once more.
func (p *Pacer) wait(ctx context.Context, conversation domain.Address) error {
	return p.limiter(conversation).Wait(ctx)
}

// may takes the right to send once more, if that is possible at once.
func (p *Pacer) may(conversation domain.Address) bool {
	return !p.paused(conversation) && p.limiter(conversation).Allow()
}

func (p *Pacer) limiter(conversation domain.Address) *rate.Limiter {
	id, _ := events.SplitConversationID(conversation.ID)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	limiter := p.rates[id]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(p.limit), p.limit)
		p.rates[id] = limiter
	}
	return limiter
}

// pause lets nothing more of an integration go out for a while.
func (p *Pacer) pause(conversation domain.Address, wait time.Duration) {
	id, _ := events.SplitConversationID(conversation.ID)
	until := time.Now().Add(wait)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if until.After(p.pauses[id]) {
		p.pauses[id] = until
	}
}

// resume ends the pause of an integration.
func (p *Pacer) resume(integration string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.pauses, integration)
}

func (p *Pacer) paused(conversation domain.Address) bool {
	id, _ := events.SplitConversationID(conversation.ID)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	until, ok := p.pauses[id]
	if ok && !time.Now().Before(until) {
		delete(p.pauses, id)
		return false
	}
	return ok
}
