package http

import (
	"context"
	"errors"
	"strconv"

	"parley/events"
	"parley/projections"
)

// positionHeader says where in the log the last write of a request stands. A
// request that carries it sees that write, whichever node answers.
const positionHeader = "X-Parley-Position"

// wrote takes in where a write of the request stands, and waits until lists on
// this node show it. When they take too long the answer is given all the same:
// the write itself is done.
func (c call) wrote(position events.Position) {
	if position == events.LogStart {
		return
	}
	c.Set(positionHeader, strconv.FormatUint(uint64(position), 10))
	c.server.shows(c.UserContext(), position)
}

// shows waits until lists show what stands at a position.
func (s *Server) shows(ctx context.Context, position events.Position) {
	ctx, cancel := context.WithTimeout(ctx, waitAfterWrite)
	defer cancel()
	if err := s.model.Wait(ctx, position); err != nil {
		s.logger.Warn("read model is late", "position", uint64(position), "err", err)
	}
}

// after waits for the write that the caller wants to see.
func (c call) after() error {
	header := c.Get(positionHeader)
	if header == "" {
		return nil
	}
	wanted, err := strconv.ParseUint(header, 10, 63)
	if err != nil {
		return invalid(positionHeader + " must be one that an answer had")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), waitForPosition)
	defer cancel()
	err = c.server.model.Reach(ctx, events.Position(wanted))
	switch {
	case errors.Is(err, projections.ErrBeyond):
		return invalid(positionHeader + " is not of this log")
	case err != nil:
		c.server.logger.Warn("read model is late", "position", wanted, "err", err)
		return errUnavailable
	}
	return nil
}

// sought looks for one thing. What is not there may just have been made through
// another node: before that is said, this one reads on to the end of the log.
func sought[R any](c call, find func() (R, error)) (R, error) {
	c.current()
	before := c.server.model.Position()
	x, err := find()
	if !errors.Is(err, projections.ErrNotFound) {
		return x, err
	}
	c.latest()
	if c.server.model.Position() == before {
		return x, err
	}
	return find()
}

// latest makes reads see all that is in the log, if that is soon.
func (c call) latest() {
	ctx, cancel := context.WithTimeout(c.UserContext(), waitBeforeRead)
	defer cancel()
	if err := c.server.model.CatchUp(ctx); err != nil {
		c.server.logger.Debug("read model is late", "err", err)
	}
}
