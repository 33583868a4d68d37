package esdb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// The waits between tries of a call.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = 500 * time.Millisecond
)

// try calls the server until it answers, the context ends, or the server has
// been away for a while. The last two are the context's error and
// ErrUnavailable: the outcome is then unknown.
func try[T any](ctx context.Context, s *Store, call func(context.Context, *client.Client) (T, error)) (result T, err error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		if err := s.usable(ctx); err != nil {
			return result, err
		}
		if !s.breaker.admits(time.Now()) {
			return result, events.ErrUnavailable
		}
		result, err = once(ctx, s, call)
		if err == nil || answered(err) {
			return result, err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-ctx.Done():
		case <-s.life.Done():
		}
		if ended := s.usable(ctx); ended != nil {
			return result, ended
		}
		if s.breaker.isOpen(time.Now()) {
			return result, fmt.Errorf("%w: %w", events.ErrUnavailable, err)
		}
	}
}

// outcome is what a call came to.
type outcome[T any] struct {
	result T
	err    error
}

// once calls the server. The caller is let go of when its context ends or the
// store closes; the call then ends in its own time, and is forgotten.
func once[T any](ctx context.Context, s *Store, call func(context.Context, *client.Client) (T, error)) (none T, err error) {
	select {
	case s.pool.slots <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.life.Done():
		return none, events.ErrClosed
	}
	if !s.begin() {
		<-s.pool.slots
		return none, events.ErrClosed
	}
	ended := make(chan outcome[T], 1)
	go func() {
		defer s.work.Done()
		defer func() { <-s.pool.slots }()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.life, cancel)()
		result, err := use(ctx, s, call)
		ended <- outcome[T]{result, err}
	}()
	select {
	case o := <-ended:
		return o.result, o.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-s.life.Done():
		return none, events.ErrClosed
	}
}

// use makes a call with a client that nobody else uses, and keeps the client if
// the server answered.
func use[T any](ctx context.Context, s *Store, call func(context.Context, *client.Client) (T, error)) (result T, err error) {
	began := time.Now()
	c, err := s.pool.take()
	if err != nil {
		return result, err
	}
	defer func() {
		if r := recover(); r != nil { // the client panics at messages it does not expect
			err = fmt.Errorf("the client panicked: %v", r)
		}
		good := err == nil || answered(err)
		s.pool.give(c, good)
		s.metrics.called(good)
		if good || ctx.Err() == nil || isUnreachable(err) {
			s.breaker.note(good, time.Now())
		} else {
			s.breaker.left(began, time.Now())
		}
	}()
	return call(ctx, c.Client)
}

// answered reports that an error is the server's answer. Any other leaves open
// what became of the call: no connection, a lost one, a stopping server, a
// change of the leader, a deadline.
func answered(err error) bool {
	var e *client.Error
	if !errors.As(err, &e) {
		return errors.Is(err, errNoPosition)
	}
	switch e.Code() {
	case client.ErrorCodeWrongExpectedVersion, client.ErrorCodeStreamDeleted, client.ErrorCodeResourceNotFound,
		client.ErrorCodeUnauthenticated, client.ErrorCodeAccessDenied, client.ErrorCodeUnsupportedFeature:
		return true
	}
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.ResourceExhausted, codes.DataLoss:
		return true
	}
	return false
}

// isUnreachable reports that there was no server to ask, or none any more.
func isUnreachable(err error) bool {
	return isCode(err, client.ErrorUnavailable) || strings.Contains(err.Error(), "maximum discovery attempt count reached")
}

// isCode reports that an error is a certain one of the client. Most are
// wrapped, so that the client's own way to tell misses them.
func isCode(err error, code client.ErrorCode) bool {
	var e *client.Error
	return errors.As(err, &e) && e.IsErrorCode(code)
}
