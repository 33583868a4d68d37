package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"parley/domain"
)

// Asker speaks to actors wherever they live. It may be called concurrently.
type Asker interface {
	// Ask puts a command and returns where the stream stands after it. It
	// ends by the context's deadline. Errors: a refusal (*domain.Error); else
	// the outcome is open and the same command, with the same ID, may be put
	// again (ErrUnavailable, ErrBusy, the context's error).
	Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error)

	// Query asks a question that changes nothing.
	Query(ctx context.Context, to domain.Address, question any) (any, error)
}

var (
	// ErrUnavailable says that the command could not be carried out now, or
	// that nobody knows whether it was.
	ErrUnavailable = errors.New("actor is unavailable")
	// ErrNewer says that this version does not know the request, or what the
	// actor's stream holds, and leaves it to nodes that do. It comes with
	// ErrUnavailable.
	ErrNewer = errors.New("a newer version is needed")
	// ErrBusy says that too many messages wait for the actor; nothing was done.
	ErrBusy = errors.New("actor is busy")
	// ErrGone says that the actor was passivated before it saw the message:
	// send it again, and a new one will answer.
	ErrGone = errors.New("actor is passivated")
)

// Request is what grains receive: a command, or a question when Question is
// set. It is never changed after it is sent, and is answered exactly once.
type Request struct {
	To       domain.Address
	Command  domain.Command
	Question any
	// Until is when whoever asks stops waiting. Nothing is done for it after that:
	// those behind it are still there. Zero is never.
	Until time.Time
	// Answer is called once, from any goroutine, and must not block.
	Answer func(Reply)
}

// Reply is the answer to a Request.
type Reply struct {
	Result domain.Result
	Answer any
	Err    error
}

// Wake is a question that only makes sure that an actor is awake and sees to
// the work it owes. Every kind answers it with nil.
type Wake struct{}

// LogValue shows whom the request is for, and nothing of what it says.
func (r *Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("to", r.To.String()), slog.String("command", r.Command.ID))
}
