package engine

import (
	"context"
	"errors"
	"net"
	"time"
)

// Error is why a turn could not be answered.
type Error struct {
	// Reason tells a person what is wrong and, where it can be said, what to
	// do. It holds no secret.
	Reason string
	// Transient means that running the turn again may help, after RetryAfter
	// at the earliest; 0 leaves the time to the caller.
	Transient  bool
	RetryAfter time.Duration
	// Invalid means that the turn is to blame: its model, its script, or a
	// message that the script does not know. Reason then is in our own words,
	// for whoever asked.
	Invalid bool
	// Err is the cause, or nil.
	Err error
}

// Error is the reason, followed by the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Transient reports whether running the turn again may help. An *Error says so
// itself; a timeout and a cancelled context are transient; whatever else an
// engine returns is not.
func Transient(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Transient
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
