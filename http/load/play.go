package load

import (
	"cmp"
	"time"

	"github.com/valyala/fasthttp"
)

// play is one drive of turns, with the people and the mail.
type play struct {
	Turns
	client *fasthttp.Client
	crowd  *crowd
	mail   *mail
	free   chan int // people who wait for nothing, by number
}

func newPlay(t Turns) *play {
	t.Patience = cmp.Or(t.Patience, usualPatience)
	p := &play{Turns: t, client: newClient(turnConnections), free: make(chan int, t.Webhooks.Senders)}
	p.client.MaxConnWaitTimeout = t.Patience
	for person := range t.Webhooks.Senders {
		p.free <- person
	}
	p.crowd = &crowd{model: t.World.model, turns: map[string]*turn{}}
	p.mail = &mail{client: p.client, target: t.Target, crowd: p.crowd, quit: make(chan struct{}), over: make(chan struct{})}
	p.crowd.mail = p.mail
	hear := p.crowd.hear
	t.World.hears.Store(&hear)
	go p.mail.run()
	return p
}

// turn lets the person who was idle longest write, and waits for the end of it.
func (p *play) turn(due time.Time) {
	person := <-p.free
	text, body, signature := p.Webhooks.New(person)
	t := p.crowd.begin(sender(person), text, due)
	defer func() { p.free <- person }()
	if err := p.post(p.client, body, signature); err != nil {
		p.crowd.lose(t, "the webhook with %q: %v", text, err)
		return
	}
	p.crowd.passed(t)
	timer := time.NewTimer(p.Patience + p.World.model)
	defer timer.Stop()
	select {
	case <-t.over:
	case <-timer.C:
		p.crowd.giveUp(t)
	}
}

// end listens for what nobody waits for, and then no longer.
func (p *play) end() {
	time.Sleep(after)
	p.World.hears.Store(nil)
	p.mail.stop()
	p.client.CloseIdleConnections()
}
