package perform

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"parley/actors"
	"parley/domain/conversation"
	"parley/events"
)

// bare overwrites the facts of an erased session by bare ones. Doing it twice
// changes nothing. In a log that cannot be overwritten they stay.
func (p *Conversation) bare(ctx context.Context, w actors.Work, task conversation.Bare) error {
	kept, err := overwrite(ctx, p.Store, w.Address.Stream(), func(fact events.Event) (events.Event, bool) {
		erased, ok := fact.(events.SessionErased)
		return events.Bare(fact, task.Session), ok && erased.Session == task.Session
	})
	if err != nil {
		return fmt.Errorf("overwrite an erased session: %w", err)
	}
	return w.Report(ctx, "", conversation.ReportBared{Session: task.Session, Kept: kept})
}

// overwriteAtOnce bounds the bytes that are overwritten in one call.
const overwriteAtOnce = 1 << 20

// overwrite makes the facts of a stream bare, from the first one up to the end:
// what makes them bare reports it. kept says that the log cannot be overwritten.
func overwrite(ctx context.Context, store events.Store, stream events.Stream, bare func(events.Event) (is events.Event, end bool)) (kept bool, err error) {
	var with []events.Replacement
	size := 0
	flush := func() error {
		err := store.Overwrite(ctx, stream, with...)
		with, size = nil, 0
		return err
	}
	for from, end := events.StreamStart, false; !end && err == nil; {
		var page []events.Recorded
		if page, err = store.Read(ctx, stream, from, events.Forwards, historyPage); err != nil {
			return false, err
		}
		for i := 0; i < len(page) && !end; i++ {
			r := page[i]
			var data []byte
			if data, end, err = bared(r, bare); err != nil {
				return false, err
			}
			if data != nil {
				with, size = append(with, events.Replacement{Revision: r.Revision, Data: data}), size+len(r.Data)
			}
			from = r.Revision + 1
		}
		end = end || len(page) < historyPage
		if size >= overwriteAtOnce {
			err = flush()
		}
	}
	if err == nil {
		err = flush() // also of nothing, to finish what an earlier try left undone
	}
	if errors.Is(err, events.ErrFixed) {
		return true, nil
	}
	return false, err
}

// bared encodes what is left of a fact; nil if that is all there is.
func bared(r events.Recorded, bare func(events.Event) (events.Event, bool)) (data []byte, end bool, err error) {
	fact, err := events.Decode(r.Type, r.Data)
	if err != nil {
		return nil, false, err
	}
	is, end := bare(fact)
	if end || reflect.DeepEqual(is, fact) {
		return nil, end, nil
	}
	data, err = events.Encode(is)
	return data, false, err
}
