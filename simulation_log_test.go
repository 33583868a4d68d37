package parley_test

import (
	"context"
	"sync/atomic"
	"time"

	"parley/events"
)

// badDisk is a log that fails now and then, and for whole stretches of time.
type badDisk struct {
	events.Store
	s    *simulation
	mood atomic.Value // string
}

// moods are how a log fails for a while: it does not answer, it stores and then
// does not answer, it does that once and is away from then on, or it takes
// longer than anybody waits.
var moods = []string{"is away", "forgets to answer", "breaks off", "is slow"}

func (b *badDisk) fail(mood string) {
	if was := b.mood.Swap(mood); was != mood && was != nil {
		b.s.tell("", "the log %s", map[bool]string{true: mood, false: "is well"}[mood != ""])
	}
}

func (b *badDisk) is(mood string) bool { return b.mood.Load() == mood }

// Append fails before or after it stores, or takes its time.
func (b *badDisk) Append(ctx context.Context, stream events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	_, name := events.SplitConversationID(stream.ID())
	try := b.s.record.count("append", name, r)
	mine := stream.Category() == events.ConversationCategory
	switch {
	case mine && b.s.dies("before an append"):
		return events.Appended{}, errDead
	case b.is("is away"), b.s.strikes("append fails", 0.2, name, r, try):
		return events.Appended{}, events.ErrUnavailable
	case b.is("is slow"), b.s.strikes("append is slow", 0.2, name, r, try):
		if err := sleep(ctx, time.Duration(b.s.dice("slow", name, r, try).Int64N(int64(7*time.Second)))); err != nil {
			return events.Appended{}, err
		}
	}
	at, err := b.Store.Append(ctx, stream, r, records...)
	switch {
	case err != nil:
		return at, err
	case mine && b.s.dies("after an append"):
		return events.Appended{}, errDead
	case mine && b.mood.CompareAndSwap("breaks off", "is away"):
		b.s.tell("", "the log breaks off in an append of %s", name)
		return events.Appended{}, events.ErrUnavailable
	case b.is("forgets to answer"), b.s.strikes("append forgets", 0.2, name, r, try):
		return events.Appended{}, events.ErrUnavailable
	}
	return at, nil
}

// Read fails when the log is away, and now and then.
func (b *badDisk) Read(ctx context.Context, stream events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	_, name := events.SplitConversationID(stream.ID())
	if b.is("is away") || b.s.strikes("read fails", 0.1, name, from, b.s.record.count("read", name, from)) {
		return nil, events.ErrUnavailable
	}
	return b.Store.Read(ctx, stream, from, dir, limit)
}

// Subscribe gives a reader that the log may lose.
func (b *badDisk) Subscribe(after events.Position) events.Subscription {
	return &badReader{Subscription: b.Store.Subscribe(after), disk: b}
}

type badReader struct {
	events.Subscription
	disk *badDisk
	held []events.Recorded // what it could not give yet
}

func (b *badReader) Next(ctx context.Context) ([]events.Recorded, error) {
	if len(b.held) == 0 {
		page, err := b.Subscription.Next(ctx)
		if err != nil {
			return nil, err
		}
		b.held = page
	}
	if b.disk.is("loses its readers") {
		return nil, events.ErrUnavailable
	}
	page := b.held
	b.held = nil
	return page, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
