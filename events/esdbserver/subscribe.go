package esdbserver

import (
	"context"
	"errors"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"parley/events"
)

// subscribe serves a subscription until its reader or the server leaves.
func (s *streams) subscribe(o *api.ReadReq_Options, to *reader) error {
	ctx, cancel := context.WithCancelCause(to.context())
	defer cancel(nil)
	stop := context.AfterFunc(s.closing, func() { cancel(errStopping) })
	defer stop()
	err := s.follow(ctx, o, to)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errStopping) {
		return cause
	}
	return err
}

func (s *streams) follow(ctx context.Context, o *api.ReadReq_Options, to *reader) error {
	if o.GetAll() != nil {
		f, err := filterOf(o.GetFilter())
		if err != nil {
			return err
		}
		return s.followAll(ctx, to, o.GetAll(), f)
	}
	stream, err := streamOf(o.GetStream().GetStreamIdentifier())
	if err != nil {
		return err
	}
	return s.followStream(ctx, to, stream, o.GetStream())
}

func (r *reader) confirm() error {
	return r.out.Send(&api.ReadResp{Content: &api.ReadResp_Confirmation{
		Confirmation: &api.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

func (r *reader) checkpoint(at events.Position) error {
	return r.out.Send(&api.ReadResp{Content: &api.ReadResp_Checkpoint_{
		Checkpoint: &api.ReadResp_Checkpoint{CommitPosition: uint64(at), PreparePosition: uint64(at)},
	}})
}

func (r *reader) caughtUp() error {
	return r.out.Send(&api.ReadResp{Content: &api.ReadResp_CaughtUp_{CaughtUp: &api.ReadResp_CaughtUp{}}})
}

// followAll sends the log behind a position as it grows. With a filter it sends
// a checkpoint for every window of events that were considered, wanted or not,
// and one when it has caught up.
func (s *streams) followAll(ctx context.Context, to *reader, o *api.ReadReq_Options_AllOptions, f *filter) error {
	at, err := s.store.Head(ctx)
	if err != nil {
		return err
	}
	if from := allFrom(o, events.Forwards); from < at && o.GetEnd() == nil {
		at = from
	}
	if err := to.confirm(); err != nil {
		return err
	}
	sub := s.store.Subscribe(at)
	defer sub.Close() // nothing is lost by it
	caughtUp, considered := false, int64(0)
	for {
		if !caughtUp {
			if caughtUp, err = s.tellCaughtUp(ctx, to, at, f); err != nil {
				return err
			}
		}
		es, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range es {
			if f.wants(e) {
				err = to.send(e)
			}
			if considered++; err == nil && f != nil && considered%f.window == 0 {
				err = to.checkpoint(e.Position)
			}
			if err != nil {
				return err
			}
		}
		at = es[len(es)-1].Position
	}
}

// tellCaughtUp tells the reader if there is nothing behind a position now.
func (s *streams) tellCaughtUp(ctx context.Context, to *reader, at events.Position, f *filter) (bool, error) {
	head, err := s.store.Head(ctx)
	if err != nil || at < head {
		return false, err
	}
	if f != nil && at > events.LogStart {
		if err := to.checkpoint(at); err != nil {
			return false, err
		}
	}
	return true, to.caughtUp()
}

// followStream sends a stream behind a revision as it grows.
func (s *streams) followStream(ctx context.Context, to *reader, stream events.Stream, o *api.ReadReq_Options_StreamOptions) error {
	from := events.Revision(0)
	switch c, err := s.condition(ctx, stream); {
	case err != nil:
		return err
	case c.tombstoned:
		return &deletedError{stream}
	case o.GetEnd() != nil:
		from = c.last + 1
	case o.GetStart() == nil:
		from = min(streamFrom(o, events.Forwards), events.StreamEnd-1) + 1
	}
	head, err := s.store.Head(ctx) // before reading: what comes meanwhile wakes
	if err != nil {
		return err
	}
	if err := to.confirm(); err != nil {
		return err
	}
	sub := s.store.Subscribe(head)
	defer sub.Close() // nothing is lost by it
	for first := true; ; first = false {
		if from, err = s.sendFrom(ctx, to, stream, from); err != nil {
			return err
		}
		if first {
			if err := to.caughtUp(); err != nil {
				return err
			}
		}
		if err := waitFor(ctx, sub, stream); err != nil {
			return err
		}
	}
}

// sendFrom sends what a stream holds from a revision on, and gives the next.
func (s *streams) sendFrom(ctx context.Context, to *reader, stream events.Stream, from events.Revision) (events.Revision, error) {
	for {
		v, err := s.visible(ctx, stream)
		if err != nil {
			return from, err
		}
		es, err := s.store.Read(ctx, stream, max(from, v.from), events.Forwards, page)
		if err != nil || len(es) == 0 {
			return from, err
		}
		for _, e := range es {
			if e.Type == tombstone {
				return from, &deletedError{stream}
			}
			if from = e.Revision + 1; v.shows(e) {
				if err := to.send(e); err != nil {
					return from, err
				}
			}
		}
	}
}

// waitFor waits until the log grows by events of a stream.
func waitFor(ctx context.Context, sub events.Subscription, stream events.Stream) error {
	for {
		es, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range es {
			if e.Stream == stream {
				return nil
			}
		}
	}
}
