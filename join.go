package parley

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/actors"
	"parley/actors/perform"
	"parley/cluster"
	"parley/domain"
	"parley/events"
	"parley/http"
	"parley/http/auth"
	"parley/projections"
)

// door lets the HTTP server ask actors, in its own words.
type door struct{ node *cluster.Node }

// Ask implements http.Actors.
func (d door) Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error) {
	result, err := d.node.Ask(ctx, to, c)
	return result, unavailable(err)
}

// Query implements http.Actors.
func (d door) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	answer, err := d.node.Query(ctx, to, question)
	return answer, unavailable(err)
}

func unavailable(err error) error {
	if errors.Is(err, actors.ErrUnavailable) || errors.Is(err, actors.ErrBusy) {
		return fmt.Errorf("%w: %w", http.ErrUnavailable, err)
	}
	return err
}

// hashed gives the accounts by the hashes of their secrets.
func hashed(tokens map[string]events.Secret) map[[sha256.Size]byte]string {
	accounts := make(map[[sha256.Size]byte]string, len(tokens))
	for name, secret := range tokens {
		accounts[[sha256.Size]byte(auth.Hash(secret.Reveal()))] = name
	}
	return accounts
}

// firstAccount is the account that the first start makes.
const firstAccount = "default"

// seedAccount makes an account when nobody could call the API otherwise, and
// prints its secret, once: it is stored nowhere.
func (n *Node) seedAccount(ctx context.Context) error {
	if len(n.config.Tokens) > 0 {
		return nil
	}
	if has, err := n.model.HasTokens(ctx); has || err != nil {
		return err
	}
	_, secret, err := tokens{n.cluster, n.model}.create(ctx, firstAccount, "made at the first start", true)
	if domain.IsRefusal(err, domain.Conflict) {
		return nil // another node was first, and has printed it
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "\nThe API secret of the account %q, shown this once:\n\n    %s\n\n", firstAccount, secret)
	return nil
}

// doomedAtOnce is how many things a blueprint deletes before it looks again.
const doomedAtOnce = 1000

// doomed lists what goes with a deleted blueprint, as far as the log goes now.
func (n *Node) doomed(ctx context.Context, blueprint string) ([]perform.Doomed, error) {
	if err := n.model.CatchUp(ctx); err != nil {
		return nil, err
	}
	found, err := n.model.Doomed(ctx, blueprint, doomedAtOnce)
	things := make([]perform.Doomed, len(found))
	for i, d := range found {
		things[i] = perform.Doomed(d)
	}
	return things, err
}

// botsOf counts the bots of a blueprint, as far as the log goes now.
func (n *Node) botsOf(ctx context.Context, account, blueprint string) (bots int, first string, err error) {
	if err := n.model.CatchUp(ctx); err != nil {
		return 0, "", err
	}
	return n.model.CountBots(ctx, account, blueprint)
}

// waker finds actors that owe work which nobody is at: after a start, after
// another node went, and when it is due long after an actor left memory.
type waker struct {
	model  *projections.Model
	logger *slog.Logger
	now    chan struct{} // holds one when there may be work at once

	// Nobody owes anything before next, by the log up to looked.
	looked events.Position
	next   events.Instant
}

func newWaker(model *projections.Model, logger *slog.Logger) *waker {
	return &waker{model: model, logger: logger, now: make(chan struct{}, 1)}
}

// The waker looks every wakeEvery, at most for wakeAtOnce actors, and wakes
// wakeTogether at a time. After a hurried look it looks again wakeSoon: a node
// that had not heard yet may have taken in work for an actor that has moved, and
// is not at it any more.
const (
	wakeEvery    = 15 * time.Second
	wakeSoon     = 2 * time.Second
	wakeAtOnce   = 10_000
	wakeTogether = 8
)

// hurry has the waker look at once: actors may have moved here.
func (w *waker) hurry() {
	select {
	case w.now <- struct{}{}:
	default:
	}
}

func (w *waker) run(ctx context.Context, node *cluster.Node) {
	look := time.NewTimer(wakeEvery)
	defer look.Stop()
	for {
		if err := w.wake(ctx, node); err != nil && ctx.Err() == nil {
			w.logger.Warn("owed work is not looked for", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			look.Reset(wakeEvery)
		case <-w.now:
			look.Reset(wakeSoon)
		}
	}
}

// wake wakes this node's actors whose work is due before the next look; they
// keep the time themselves. One that is awake already takes no notice.
func (w *waker) wake(ctx context.Context, node *cluster.Node) error {
	if err := w.catchUp(ctx); err != nil {
		return err
	}
	position, until := w.model.Position(), events.At(time.Now().Add(wakeEvery))
	if position == w.looked && until < w.next {
		return nil
	}
	streams, err := w.model.Owing(ctx, until, wakeAtOnce)
	if err != nil {
		return err
	}
	if w.looked, w.next = position, 0; len(streams) == 0 {
		if w.next, err = w.model.NextOwed(ctx); err != nil {
			return err
		}
	}
	var together errgroup.Group
	together.SetLimit(wakeTogether)
	for _, s := range streams {
		to := domain.Address{Kind: s.Category(), ID: s.ID()}
		if !node.Owns(to) {
			continue
		}
		together.Go(func() error {
			if _, err := node.Query(ctx, to, actors.Wake{}); err != nil && ctx.Err() == nil {
				w.logger.Warn("an actor that owes work does not wake", "stream", string(s), "err", err)
			}
			return nil
		})
	}
	return errors.Join(together.Wait(), ctx.Err())
}

// catchUp waits for what a node that went has written last.
func (w *waker) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakeEvery)
	defer cancel()
	return w.model.CatchUp(ctx)
}
