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
	err := p.overwrite(ctx, w.Address.Stream(), task.Session)
	p.Tails.drop(w.Address.Stream())
	kept := errors.Is(err, events.ErrFixed)
	if err != nil && !kept {
		return fmt.Errorf("overwrite an erased session: %w", err)
	}
	return w.Report(ctx, task.Session, conversation.ReportBared{Session: task.Session, Kept: kept})
}

// overwriteAtOnce bounds the bytes that are overwritten in one call.
const overwriteAtOnce = 1 << 20

// overwrite makes bare what stands in a stream before a session was erased.
func (p *Conversation) overwrite(ctx context.Context, stream events.Stream, session string) error {
	var with []events.Replacement
	size := 0
	for from, over := events.StreamStart, false; !over; {
		page, err := p.Store.Read(ctx, stream, from, events.Forwards, historyPage)
		if err != nil {
			return err
		}
		over = len(page) < historyPage
		for _, r := range page {
			from = r.Revision + 1
			fact, err := events.Decode(r.Type, r.Data)
			if err != nil {
				return err
			}
			if erased, ok := fact.(events.SessionErased); ok && erased.Session == session {
				over = true
				break
			}
			data, err := bared(fact, session)
			if err != nil {
				return err
			}
			if data != nil {
				with, size = append(with, events.Replacement{Revision: r.Revision, Data: data}), size+len(r.Data)
			}
		}
		if size >= overwriteAtOnce {
			if err := p.Store.Overwrite(ctx, stream, with...); err != nil {
				return err
			}
			with, size = nil, 0
		}
	}
	return p.Store.Overwrite(ctx, stream, with...) // also without any, to finish what an earlier try left undone
}

// bared encodes what is left of a fact; nil if that is all there is.
func bared(fact events.Event, session string) ([]byte, error) {
	bare := events.Bare(fact, session)
	if reflect.DeepEqual(bare, fact) {
		return nil, nil
	}
	return events.Encode(bare)
}
