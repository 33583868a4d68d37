package http

import (
	"context"
	"errors"

	"parley/domain"
	"parley/projections"
)

// resource is one sort of what an account makes, names, shows, changes and
// deletes, such as bots. R is one as the read model knows it. What differs from
// sort to sort, the fields and the commands, is each one's own business.
type resource[R any] struct {
	// category is that of the streams.
	category string
	// missing is the refusal for one that is not there.
	missing func() error
	// find gives one of an account by its ID or "@alias".
	// Errors: projections.ErrNotFound.
	find func(ctx context.Context, account, id string) (R, error)
	// names gives the ID and the alias, "" if it has none.
	names func(R) (id, alias string)
	// show gives it as the API shows it.
	show func(R) item
}

// named gives the one that the path names.
func (r resource[R]) named(c call) (R, error) { return r.of(c, c.id(), r.missing()) }

// of gives one by its ID or alias, or the refusal that says what is missing.
func (r resource[R]) of(c call, id string, missing error) (R, error) {
	x, err := sought(c, func() (R, error) { return r.find(c.UserContext(), c.account, id) })
	return x, notFound(err, missing)
}

// notFound turns the read model's answer into the refusal that says what was
// not found.
func notFound(err, refusal error) error {
	if errors.Is(err, projections.ErrNotFound) {
		return refusal
	}
	return err
}

// linked turns the ID or alias in a field that links to one into its ID. What
// does not exist and what is somebody else's are refused alike; null and ""
// cut the link.
func (r resource[R]) linked(c call, field domain.Opt[string]) (domain.Opt[string], error) {
	if field.Value == "" {
		return field, nil
	}
	x, err := r.of(c, field.Value, invalid(r.missing().Error()))
	if err != nil {
		return field, err
	}
	id, _ := r.names(x)
	return domain.Some(id), nil
}

// list answers with a list of them. page gives the rows of one page.
func (r resource[R]) list(c call, page func(ctx context.Context, p projections.Page) ([]R, error)) error {
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := page(ctx, p)
			return items(all, err, r.show)
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			x, err := r.find(ctx, c.account, id)
			return r.show(x).seq, err
		},
	})
}

// every follows a list to its end, oldest first.
func (r resource[R]) every(c call, page func(ctx context.Context, p projections.Page) ([]R, error)) ([]R, error) {
	var all []R
	for p := (projections.Page{Take: maxTake}); ; p.After = r.show(all[len(all)-1]).seq {
		found, err := page(c.UserContext(), p)
		all = append(all, found...)
		if err != nil || len(found) < p.Take {
			return all, err
		}
	}
}

func (r resource[R]) fetch(c call) error {
	x, err := r.named(c)
	if err != nil {
		return err
	}
	return c.JSON(r.show(x).shown)
}

// create makes the one with a new ID by a command, and answers with the ID.
func (r resource[R]) create(c call, id string, alias domain.Opt[string], command any) error {
	return r.put(c, id, "", alias, command)
}

// update changes one by a command.
func (r resource[R]) update(c call, x R, alias domain.Opt[string], command any) error {
	id, old := r.names(x)
	return r.put(c, id, old, alias, command)
}

func (r resource[R]) put(c call, id, old string, alias domain.Opt[string], command any) error {
	bears := func(holder, name string) bool {
		x, err := r.find(c.UserContext(), c.account, holder)
		_, has := r.names(x)
		return err == nil && has == name
	}
	err := c.withAlias(r.category, id, old, alias, bears, func() error {
		return c.write(r.address(id), command)
	})
	if err != nil {
		return err
	}
	return c.answerID(id)
}

// deleting gives the handler that deletes one by a command.
func (r resource[R]) deleting(command any) func(call) error {
	return func(c call) error {
		x, err := r.named(c)
		if err != nil {
			return err
		}
		if err := c.empty(); err != nil {
			return err
		}
		return r.delete(c, x, command)
	}
}

// delete deletes one by a command, gives its alias up, and answers with the ID.
func (r resource[R]) delete(c call, x R, command any) error {
	id, alias := r.names(x)
	if err := c.write(r.address(id), command); err != nil {
		return err
	}
	c.release(r.category, id, alias)
	return c.answerID(id)
}

func (r resource[R]) address(id string) domain.Address {
	return domain.Address{Kind: r.category, ID: id}
}
