package perform

import (
	"context"
	"fmt"

	"parley/actors"
	"parley/domain"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/events"
)

// Integration performs what integrations owe: that the credentials and
// settings of deleted ones are erased, and that who waits for new credentials
// hears of them.
type Integration struct {
	Store events.Store
	Vault Vault
	// Owing lists an integration's conversations that owe work.
	Owing func(ctx context.Context, integration string) ([]events.Stream, error)
	Pacer *Pacer
}

// Perform implements actors.Performer.
func (p *Integration) Perform(ctx context.Context, w actors.Work) error {
	switch w.Task.Body.(type) {
	case integration.Purge:
		return p.purge(ctx, w)
	case integration.Resume:
		return p.resume(ctx, w)
	}
	return fmt.Errorf("no performer for %T", w.Task.Body)
}

// resume tells the conversations that owe work that the credentials are others
// now. Those that do not wait for them take no notice.
func (p *Integration) resume(ctx context.Context, w actors.Work) error {
	streams, err := p.Owing(ctx, w.Address.ID)
	if err != nil {
		return err
	}
	p.Pacer.resume(ctx, w.Address.ID)
	for _, s := range streams {
		if _, err := w.Asker.Ask(ctx, domain.Address{Kind: s.Category(), ID: s.ID()}, w.Command("", conversation.Resume{})); err != nil {
			return err
		}
	}
	return w.Report(ctx, "", integration.ReportResumed{})
}

func (p *Integration) purge(ctx context.Context, w actors.Work) error {
	if err := p.Vault.Erase(ctx, w.Address.ID); err != nil {
		return err
	}
	// Everything before the deletion is settings. The deletion itself, the last
	// fact when the purge was owed, stays: others have not read it yet.
	if err := p.Store.Truncate(ctx, w.Address.Stream(), w.Revision); err != nil {
		return fmt.Errorf("erase the settings: %w", err)
	}
	return w.Report(ctx, "", integration.ReportPurged{})
}
