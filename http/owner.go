package http

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/domain"
	"parley/events"
	"parley/http/auth"
	"parley/projections"
)

// How long a handler waits for the read model: after a write for its own
// position, before a read for what is in the log already, or for the position
// that the caller names.
const (
	waitAfterWrite  = 2 * time.Second
	waitBeforeRead  = 500 * time.Millisecond
	waitForPosition = 5 * time.Second
)

// call is one request of an account.
type call struct {
	*fiber.Ctx
	server  *Server
	account string
	// form is how the caller wants the answer.
	form form
}

// owned lets an operation serve only those who show a valid secret.
// Spec: "Authentication".
func (s *Server) owned(o operation) fiber.Handler {
	return func(c *fiber.Ctx) error {
		account, err := s.authenticate(c)
		if err != nil {
			return err
		}
		wanted := inJSON
		if !o.raw {
			if wanted, err = formFor(c, o.forms); err != nil {
				return err
			}
		}
		asked := call{Ctx: c, server: s, account: account, form: wanted}
		if err := asked.begin(o); err != nil {
			return err
		}
		return o.handle(asked)
	}
}

// open lets an operation serve everybody.
func (s *Server) open(o operation) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := (call{Ctx: c, server: s}).begin(o); err != nil {
			return err
		}
		return o.public(c)
	}
}

// begin makes what a request brings, and what it wants to see, ready for its
// operation.
func (c call) begin(o operation) error {
	if !o.streams {
		if err := whole(c.Ctx); err != nil {
			return err
		}
	}
	return c.after()
}

// authenticate gives the account whose secret a request shows, within the rate
// of that secret.
func (s *Server) authenticate(c *fiber.Ctx) (account string, err error) {
	secret, ok := auth.Bearer(c.Get(fiber.HeaderAuthorization))
	if !ok || isRunAs(c) {
		return "", errNotAuthenticated
	}
	hash := auth.Hash(secret)
	if account, err = s.accountOf(c.UserContext(), hash); err != nil {
		return "", err
	}
	return account, s.rates.take(hash)
}

// accountOf tells whose secret has a hash.
func (s *Server) accountOf(ctx context.Context, hash []byte) (string, error) {
	if account, ok := s.tokens[[sha256.Size]byte(hash)]; ok {
		return account, nil
	}
	token, err := s.model.Token(ctx, hash)
	if errors.Is(err, projections.ErrNotFound) {
		return "", errNotAuthenticated
	}
	return token.Account, err
}

// isRunAs reports that the caller wants to act as somebody else. There are no
// sub-accounts, so nobody may: the caller's own data is not an answer.
func isRunAs(c *fiber.Ctx) bool {
	for _, header := range []string{"X-RunAs-User-ID", "X-RunAs-UserID", "X-RunAs-Child-User-Email"} {
		if c.Get(header) != "" {
			return true
		}
	}
	return false
}

// id is the path's ID.
func (c call) id() string { return c.Params("id") }

// command makes a command of this account.
func (c call) command(body any) domain.Command {
	id := requestID(c.Ctx)
	return domain.Command{
		ID: events.NewKey(), At: events.At(time.Now()), Account: c.account,
		Correlation: id, Causation: id, Body: body,
	}
}

// write puts a command and waits until lists show what it did.
func (c call) write(to domain.Address, body any) error { return c.issue(to, c.command(body)) }

// issue is write for a command that is made already.
func (c call) issue(to domain.Address, command domain.Command) error {
	result, err := c.server.actors.Ask(c.UserContext(), to, command)
	if err != nil {
		return err
	}
	c.wrote(result.Position)
	return nil
}

// current makes reads see what is in the log, if that is soon: all of it on a
// node with a log of its own, and else what was in it a tenth of a second ago.
func (c call) current() {
	ctx, cancel := context.WithTimeout(c.UserContext(), waitBeforeRead)
	defer cancel()
	if err := c.server.model.Recent(ctx); err != nil {
		c.server.logger.Debug("read model is late", "err", err)
	}
}

// answerID answers with the ID of what was written.
func (c call) answerID(id string) error { return c.JSON(map[string]string{"id": id}) }
