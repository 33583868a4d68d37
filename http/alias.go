package http

import (
	"context"

	"parley/domain"
	"parley/domain/alias"
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

// linkedBot turns the ID or alias in a field that links to a bot into its ID.
func (c call) linkedBot(field domain.Opt[string]) (domain.Opt[string], error) {
	return c.server.bots().linked(c, field)
}

// linkedBlueprint turns the ID or alias in a field that links to a blueprint
// into its ID.
func (c call) linkedBlueprint(field domain.Opt[string]) (domain.Opt[string], error) {
	return c.server.blueprints().linked(c, field)
}
