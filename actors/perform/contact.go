package perform

import (
	"context"
	"fmt"

	"parley/actors"
	"parley/domain/contact"
	"parley/events"
)

// Contact performs what contacts owe: that the facts of deleted ones are made
// bare.
type Contact struct{ Store events.Store }

// Perform implements actors.Performer.
func (p *Contact) Perform(ctx context.Context, w actors.Work) error {
	switch task := w.Task.Body.(type) {
	case contact.Bare:
		return p.bare(ctx, w, task)
	}
	return fmt.Errorf("no performer for %T", w.Task.Body)
}

// bare overwrites the facts before a deletion by bare ones. Doing it twice
// changes nothing. In a log that cannot be overwritten they stay.
func (p *Contact) bare(ctx context.Context, w actors.Work, task contact.Bare) error {
	deletions := 0
	kept, err := overwrite(ctx, p.Store, w.Address.Stream(), func(fact events.Event) (events.Event, bool) {
		if _, ok := fact.(events.ContactDeleted); ok {
			deletions++
		}
		return events.BareContact(fact), deletions == task.Deletions
	})
	if err != nil {
		return fmt.Errorf("overwrite a deleted contact: %w", err)
	}
	return w.Report(ctx, "", contact.ReportBared{Deletions: task.Deletions, Kept: kept})
}
