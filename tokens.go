package parley

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"

	"parley/actors"
	"parley/cluster"
	"parley/domain"
	"parley/domain/account"
	"parley/events"
	"parley/events/local"
	"parley/http/admin"
	"parley/http/auth"
	"parley/projections"
)

// tokens hands out secrets where the log is open.
type tokens struct {
	asker actors.Asker
	model *projections.Model
}

var _ admin.Tokens = tokens{}

// Create implements admin.Tokens.
func (t tokens) Create(ctx context.Context, owner, name string) (admin.Token, string, error) {
	return t.create(ctx, owner, name, false)
}

// create hands out a secret; the first one only if the account has none.
func (t tokens) create(ctx context.Context, owner, name string, first bool) (admin.Token, string, error) {
	if err := checkAccount(owner); err != nil {
		return admin.Token{}, "", err
	}
	secret, now := auth.NewSecret(), time.Now().UTC()
	hash := auth.Hash(secret)
	id := auth.TokenID(hash)
	if err := t.put(ctx, owner, now, account.Issue{Token: id, Name: name, Hash: hash, First: first}); err != nil {
		return admin.Token{}, "", err
	}
	return admin.Token{ID: id, Account: owner, Name: name, Created: now}, secret, nil
}

// List implements admin.Tokens.
func (t tokens) List(ctx context.Context, owner string) ([]admin.Token, error) {
	if err := t.model.CatchUp(ctx); err != nil {
		return nil, err
	}
	rows, err := t.model.Tokens(ctx, owner)
	list := make([]admin.Token, 0, len(rows))
	for _, r := range rows {
		list = append(list, admin.Token{ID: r.ID, Account: r.Account, Name: r.Name, Created: r.Created.Time()})
	}
	return list, err
}

// Revoke implements admin.Tokens.
func (t tokens) Revoke(ctx context.Context, id string) (admin.Token, error) {
	list, err := t.List(ctx, "")
	if err != nil {
		return admin.Token{}, err
	}
	for _, token := range list {
		if token.ID == id {
			return token, t.put(ctx, token.Account, time.Now(), account.Revoke{Token: id})
		}
	}
	return admin.Token{}, fmt.Errorf("there is no token %q", id)
}

// put puts a command to an account, and waits until requests notice.
func (t tokens) put(ctx context.Context, owner string, at time.Time, body any) error {
	id := events.NewKey() // nothing is before it
	result, err := t.asker.Ask(ctx, domain.Address{Kind: events.AccountCategory, ID: owner}, domain.Command{
		ID: id, At: events.At(at), Account: owner, Correlation: id, Causation: id, Body: body,
	})
	if err != nil {
		return err
	}
	return t.model.Wait(ctx, result.Position)
}

// maxAccount bounds the name of an account, in bytes.
const maxAccount = 128

// checkAccount refuses what cannot name an account: it is a part of streams'
// names, and stands in lists.
func checkAccount(name string) error {
	strange := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(" .@/:,", r) }
	if name == "" || len(name) > maxAccount || strings.ContainsFunc(name, strange) {
		return fmt.Errorf("an account's name has 1 to %d characters, and none of space . @ / : ,", maxAccount)
	}
	return nil
}

// Desk is where secrets for the API are handed out: by the server that runs on
// a data directory, or in its place when there is none.
type Desk struct {
	admin.Tokens
	close func(context.Context) error
}

// Close gives the data directory free.
func (d *Desk) Close(ctx context.Context) error { return d.close(ctx) }

// How long OpenDesk waits for a server that starts or stops: it has the log,
// and does not answer yet or any more.
const (
	deskTime = 10 * time.Second
	deskLook = 100 * time.Millisecond
)

// OpenDesk opens the desk of a data directory, which must exist, and of a log as
// in Config.Events.
func OpenDesk(ctx context.Context, data, log string, logger *slog.Logger) (*Desk, error) {
	if info, err := os.Stat(data); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no data directory %s", data)
	}
	for began := time.Now(); ; {
		client, err := admin.Dial(ctx, data)
		if err == nil {
			return &Desk{Tokens: client, close: func(context.Context) error { return nil }}, nil
		}
		if !errors.Is(err, admin.ErrNobody) {
			return nil, err
		}
		node, err := startBooks(ctx, Config{Data: data, Events: events.NewSecret(log)}, logger)
		if err == nil {
			return &Desk{Tokens: tokens{node.cluster, node.model}, close: node.Stop}, nil
		}
		if !errors.Is(err, local.ErrInUse) || time.Since(began) > deskTime {
			return nil, err
		}
		select {
		case <-time.After(deskLook):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// startBooks brings up what tokens need, and no more: nothing is served, and
// nobody is woken who would write to people.
func startBooks(ctx context.Context, c Config, logger *slog.Logger) (*Node, error) {
	n, background := newNode(c, logger, nil)
	return n, n.bring(ctx, []step{
		{"log", func(ctx context.Context) error { return n.openStore(ctx, background, Parts{}) }},
		{"read model", func(ctx context.Context) error { return n.openModel(ctx, background) }},
		{"accounts", func(ctx context.Context) (err error) {
			n.host = actors.NewHost(n.store, actors.DefaultLimits(), logger, n.metrics)
			n.cluster, err = cluster.Start(ctx, cluster.Config{
				Registry: &cluster.Alone{}, Host: n.host, Logger: logger,
				Kinds: []actors.Kind{actors.NewKind(n.host, account.New(), nil)},
			})
			return err
		}},
	})
}
