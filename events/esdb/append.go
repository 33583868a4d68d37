package esdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// Append implements [events.Store]. An append without an answer is put again as
// it is, until the context ends or the server has been away for a while.
func (s *Store) Append(ctx context.Context, stream events.Stream, expected events.Revision, records ...events.Record) (events.Appended, error) {
	if err := events.CheckAppend(records); err != nil {
		return events.Appended{}, err
	}
	options := client.AppendToStreamOptions{ExpectedRevision: revision(expected)}
	data := proposed(records)
	tries := 0
	done, err := try(ctx, s, func(ctx context.Context, c *client.Client) (*client.WriteResult, error) {
		tries++
		return c.AppendToStream(ctx, string(stream), options, data...)
	})
	var appended events.Appended
	switch {
	case err == nil:
		appended, err = s.settled(ctx, stream, done)
	case isCode(err, client.ErrorCodeWrongExpectedVersion):
		appended, err = s.judge(ctx, &events.WrongRevision{Stream: stream, Expected: expected, Actual: actualOf(err)}, data, tries)
	}
	if err != nil {
		return events.Appended{}, fmt.Errorf("append to %s: %w", stream, describe(err))
	}
	return appended, nil
}

// unreached is a revision that no stream is at. What no stream can be expected
// at is asked for as this: as a number of its own it could mean "any" to the
// server.
const unreached = 1 << 62

func revision(expected events.Revision) client.ExpectedRevision {
	switch {
	case expected == events.NoStream:
		return client.NoStream{}
	case expected < events.NoStream, expected > unreached:
		return client.Revision(unreached)
	}
	return client.Revision(uint64(expected))
}

// actualOf reads where a stream is from the client's words, the only place that
// says it: "… expecting 'x' but got 'y'".
func actualOf(err error) events.Revision {
	_, got, _ := strings.Cut(err.Error(), "but got '")
	got, _, _ = strings.Cut(got, "'")
	n, err := strconv.ParseInt(got, 10, 64)
	if err != nil {
		return events.NoStream
	}
	return events.Revision(n)
}

// settled gives the place of an append's last event. A server that recognised a
// retry need not tell the position; the event does.
func (s *Store) settled(ctx context.Context, stream events.Stream, done *client.WriteResult) (events.Appended, error) {
	appended := events.Appended{Revision: events.Revision(done.NextExpectedVersion), Position: events.Position(done.CommitPosition)}
	if done.CommitPosition != 0 {
		return appended, nil
	}
	last, err := s.readStream(ctx, stream, appended.Revision, events.Forwards, 1)
	if err != nil {
		return appended, err
	}
	if len(last) > 0 && last[0].Revision == appended.Revision {
		appended.Position = last[0].Position
	}
	return appended, nil
}

// judge decides whether a refusal is one. When an earlier try got no answer, it
// may be that try which moved the stream, and the stream itself tells.
func (s *Store) judge(ctx context.Context, wrong *events.WrongRevision, data []client.EventData, tries int) (events.Appended, error) {
	if tries == 1 || wrong.Expected < events.NoStream || wrong.Expected > unreached {
		return events.Appended{}, wrong
	}
	stored, err := s.readStream(ctx, wrong.Stream, wrong.Expected+1, events.Forwards, len(data))
	if err != nil {
		return events.Appended{}, err
	}
	if len(stored) < len(data) {
		return events.Appended{}, wrong
	}
	for i, e := range stored {
		if e.ID != data[i].EventID || e.Revision != wrong.Expected+1+events.Revision(i) {
			return events.Appended{}, wrong
		}
	}
	last := stored[len(stored)-1]
	return events.Appended{Revision: last.Revision, Position: last.Position}, nil
}

// describe gives what the server refuses in the contract's words.
func describe(err error) error {
	var e *client.Error
	if !errors.As(err, &e) {
		return err
	}
	switch text := e.Error(); {
	case strings.Contains(text, "Maximum Append Size"):
		return fmt.Errorf("%w: the server takes less than it does by default", events.ErrTooLarge)
	case strings.Contains(text, events.ErrFull.Error()):
		return events.ErrFull
	case status.Code(err) == codes.DataLoss:
		return fmt.Errorf("%w: %w", events.ErrCorrupt, err)
	}
	return err
}
