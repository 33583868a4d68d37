package actors

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox bounds the library's unbounded mailbox and gives back what reaches a
// passivated grain, which the library would drop in silence.
type mailbox struct {
	actor.Mailbox
	limit  int
	closed atomic.Bool
}

func newMailbox(limit int) *mailbox {
	return &mailbox{Mailbox: actor.Unbounded()(), limit: limit}
}

// PostUserMessage refuses requests beyond the limit instead of blocking the
// sender: a blocked sender would hold up everybody else it serves.
func (m *mailbox) PostUserMessage(message any) {
	if r, ok := message.(*Request); ok && m.UserMessageCount() >= m.limit {
		r.Answer(Reply{Err: ErrBusy})
		return
	}
	m.Mailbox.PostUserMessage(message)
}

// RegisterHandlers puts the guard before the grain.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.Mailbox.RegisterHandlers(&guard{MessageInvoker: invoker, mailbox: m}, dispatcher)
}

// close makes every message that is processed from now on go back.
func (m *mailbox) close() { m.closed.Store(true) }

type guard struct {
	actor.MessageInvoker
	mailbox *mailbox
}

func (g *guard) InvokeUserMessage(message any) {
	if r, ok := message.(*Request); ok && g.mailbox.closed.Load() {
		r.Answer(Reply{Err: ErrGone})
		return
	}
	g.MessageInvoker.InvokeUserMessage(message)
}

// ReturnDeadLetters gives back the requests that were sent to a grain which is
// not there any more. It ends with the actor system.
func ReturnDeadLetters(system *actor.ActorSystem) {
	system.EventStream.Subscribe(func(event any) {
		dead, ok := event.(*actor.DeadLetterEvent)
		if !ok {
			return
		}
		if r, ok := dead.Message.(*Request); ok {
			r.Answer(Reply{Err: ErrGone})
		}
	})
}

// What reaches a grain that is gone is expected: a request is given back, the
// rest was for that grain alone. The library would log each, which costs a
// goroutine that outlives the node by up to a second.

// IgnoreDeadLetterLogging is called by the actor library only.
func (*Request) IgnoreDeadLetterLogging() {}

func (passivate) IgnoreDeadLetterLogging() {}
func (tick) IgnoreDeadLetterLogging()      {}
func (laneDone) IgnoreDeadLetterLogging()  {}

var _ = []actor.IgnoreDeadLetterLogging{(*Request)(nil), passivate{}, tick{}, laneDone{}}
