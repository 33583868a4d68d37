package perform

import (
	"context"
	"fmt"

	"parley/actors"
	"parley/domain/integration"
	"parley/events"
)

// Integration performs what deleted integrations owe: that their credentials
// and settings are erased.
type Integration struct {
	Store events.Store
	Vault Vault
}

// Perform implements actors.Performer.
func (p *Integration) Perform(ctx context.Context, w actors.Work) error {
	if _, ok := w.Task.Body.(integration.Purge); !ok {
		return fmt.Errorf("no performer for %T", w.Task.Body)
	}
	if err := p.Vault.Erase(ctx, w.Address.ID); err != nil {
		return err
	}
	stream := w.Address.Stream()
	last, err := p.Store.Read(ctx, stream, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		return fmt.Errorf("find the deletion: %w", err)
	}
	// Everything before the deletion is settings. The deletion itself stays.
	if len(last) > 0 {
		if err := p.Store.Truncate(ctx, stream, last[0].Revision); err != nil {
			return fmt.Errorf("erase the settings: %w", err)
		}
	}
	return w.Report(ctx, w.Address.ID, integration.ReportPurged{})
}
