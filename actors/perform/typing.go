package perform

import (
	"context"
	"time"

	"parley/actors"
)

// How the person is shown that an answer is being written. Meta shows it for
// 25 seconds. An answer that is ready waits a moment for a call to end: were
// the call overtaken, "typing" would stay on the screen.
const (
	typingEvery = 20 * time.Second
	typingTime  = 10 * time.Second
	typingGrace = time.Second
)

// showTyping marks the message as read and shows that an answer is being
// written, until the function it returns is called. Nothing depends on it. An
// integration that is deleted meanwhile shows nothing any more.
func (p *Conversation) showTyping(ctx context.Context, w actors.Work, l line, wamid string) (end func()) {
	if wamid == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var err error
		for err == nil {
			p.typing(ctx, l, wamid)
			select {
			case <-over:
				return
			case <-ctx.Done():
				return
			case <-time.After(typingEvery):
			}
			l, err = p.line(ctx, w)
		}
	}()
	return func() {
		defer cancel()
		close(over)
		select {
		case <-done:
		case <-time.After(typingGrace):
			cancel()
			<-done
		}
	}
}

func (p *Conversation) typing(ctx context.Context, l line, wamid string) {
	ctx, cancel := context.WithTimeout(ctx, typingTime)
	defer cancel()
	if err := p.Graph.MarkRead(ctx, l.credentials, wamid, true); err != nil {
		p.Logger.Debug("typing indicator failed", "err", err)
	}
}
