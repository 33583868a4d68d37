package http

import (
	"context"

	"parley/domain"
	"parley/domain/alias"
	"parley/events"
)

// withAlias carries out a write that gives a thing an alias. The alias is
// claimed first, so that of two things only one gets it, and released again if
// the write is refused; an alias that is no longer used is released afterwards.
// bears reports whether a thing of this kind bears the alias in fact.
func (c call) withAlias(kind, id, old string, wanted domain.Opt[string], bears func(id, alias string) bool, write func() error) error {
	name := wanted.Or(old)
	if name == old {
		return write()
	}
	if name != "" {
		if err := domain.CheckAlias(name); err != nil {
			return err
		}
		if err := c.claim(kind, id, name, bears); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		c.release(kind, id, name)
		return err
	}
	c.release(kind, id, old)
	return nil
}

func (c call) claim(kind, id, name string, bears func(id, alias string) bool) error {
	to := alias.Address(c.account, kind, name)
	_, err := c.server.actors.Ask(c.UserContext(), to, c.command(alias.Claim{Holder: id}))
	if !domain.IsRefusal(err, domain.Conflict) {
		return err
	}
	answer, lookErr := c.server.actors.Query(c.UserContext(), to, alias.Look{})
	holder, _ := answer.(string)
	if lookErr != nil || holder == "" || bears(holder, name) {
		return err
	}
	_, err = c.server.actors.Ask(c.UserContext(), to, c.command(alias.Claim{Holder: id, Instead: holder}))
	return err
}

// release gives an alias up. What fails here is found again by the next who
// wants the alias.
func (c call) release(kind, id, name string) {
	if name == "" {
		return
	}
	ctx := context.WithoutCancel(c.UserContext())
	_, err := c.server.actors.Ask(ctx, alias.Address(c.account, kind, name), c.command(alias.Release{Holder: id}))
	if err != nil {
		c.server.logger.Warn("alias is not released", "kind", kind, "id", id, "err", err)
	}
}

// bearsBotAlias reports that a bot of the account has the alias.
func (c call) bearsBotAlias(id, name string) bool {
	b, err := c.server.model.Bot(c.UserContext(), c.account, id)
	return err == nil && b.Settings.Alias == name
}

// bearsIntegrationAlias reports that an integration of the account has the alias.
func (c call) bearsIntegrationAlias(id, name string) bool {
	i, err := c.server.model.Integration(c.UserContext(), c.account, id)
	return err == nil && i.Settings.Alias == name
}

// bearsFileAlias reports that a file of the account has the alias.
func (c call) bearsFileAlias(id, name string) bool {
	f, err := c.server.model.File(c.UserContext(), c.account, id)
	return err == nil && f.Settings.Alias == name
}

// linked turns the ID or alias in a field that links to a bot into its ID.
// What does not exist and what is somebody else's are refused alike.
func (c call) linkedBot(id domain.Opt[string]) (domain.Opt[string], error) {
	if !id.Set || id.Value == "" {
		return id, nil
	}
	b, err := c.server.model.Bot(c.UserContext(), c.account, id.Value)
	if err != nil {
		return id, invalid("Bot not found")
	}
	return domain.Some(b.ID), nil
}

// linkedBlueprint refuses every link to a blueprint: there are none.
func linkedBlueprint(id domain.Opt[string]) error {
	if id.Value != "" {
		return invalid("Blueprint not found")
	}
	return nil
}

func botAddress(id string) domain.Address {
	return domain.Address{Kind: events.BotCategory, ID: id}
}

func integrationAddress(id string) domain.Address {
	return domain.Address{Kind: events.IntegrationCategory, ID: id}
}

func fileAddress(id string) domain.Address {
	return domain.Address{Kind: events.FileCategory, ID: id}
}
