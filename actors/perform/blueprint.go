package perform

import (
	"context"
	"fmt"

	"parley/actors"
	"parley/domain"
	"parley/domain/alias"
	"parley/domain/blueprint"
	"parley/domain/bot"
	"parley/domain/file"
	"parley/domain/integration"
	"parley/events"
)

// Blueprint performs what blueprints owe: that what goes with a deleted one is
// deleted.
type Blueprint struct {
	// Doomed lists some of what goes with a blueprint and is not deleted yet,
	// as far as the log goes now.
	Doomed func(ctx context.Context, blueprint string) ([]Doomed, error)
}

// Doomed is something that goes with its blueprint, and the alias that it
// bears; "" if it has none.
type Doomed struct {
	Stream events.Stream
	Alias  string
}

// Perform implements actors.Performer.
func (p *Blueprint) Perform(ctx context.Context, w actors.Work) error {
	switch task := w.Task.Body.(type) {
	case blueprint.Dissolve:
		return p.dissolve(ctx, w, task)
	}
	return fmt.Errorf("no performer for %T", w.Task.Body)
}

// dissolve deletes what goes with a blueprint, each by its own rules. What is
// deleted is not listed again, so that it ends, also when it was cut off.
func (p *Blueprint) dissolve(ctx context.Context, w actors.Work, task blueprint.Dissolve) error {
	for {
		things, err := p.Doomed(ctx, w.Address.ID)
		if err != nil {
			return err
		}
		if len(things) == 0 {
			return w.Report(ctx, "", blueprint.ReportDissolved{})
		}
		for _, d := range things {
			if err := p.delete(ctx, w, task.Account, d); err != nil {
				return fmt.Errorf("delete %s: %w", d.Stream, err)
			}
		}
	}
}

// delete deletes one thing, and then gives its alias up.
func (p *Blueprint) delete(ctx context.Context, w actors.Work, account string, d Doomed) error {
	address := domain.Address{Kind: d.Stream.Category(), ID: d.Stream.ID()}
	body, err := deletion(address.Kind)
	if err != nil {
		return err
	}
	ask := func(to domain.Address, body any) error {
		command := w.Command("", body)
		command.Account = account
		_, err := w.Asker.Ask(ctx, to, command)
		return err
	}
	if err := ask(address, body); err != nil && !domain.IsRefusal(err, domain.NotFound) { // not found: somebody was faster
		return err
	}
	if d.Alias == "" {
		return nil
	}
	return ask(alias.Address(account, address.Kind, d.Alias), alias.Release{Holder: address.ID})
}

// deletion is the command that deletes a thing of a kind.
func deletion(kind string) (any, error) {
	switch kind {
	case events.BotCategory:
		return bot.Delete{}, nil
	case events.FileCategory:
		return file.Delete{}, nil
	case events.IntegrationCategory:
		return integration.Delete{}, nil
	}
	return nil, fmt.Errorf("nothing of the kind %q goes with a blueprint", kind)
}
