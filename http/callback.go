package http

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/domain"
	"parley/domain/callback"
	"parley/domain/integration"
	"parley/events"
	"parley/whatsapp"
)

func (s *Server) callbackOperations() []operation {
	const path = "/integration/whatsapp/:id/callback"
	return []operation{
		{method: get, path: path, public: s.verifyCallback},
		{method: post, path: path, public: s.receiveCallback},
	}
}

// verifyCallback answers Meta's question whether the address is ours: with the
// challenge, word for word, as plain text. Spec: "Callback".
func (s *Server) verifyCallback(c *fiber.Ctx) error {
	view, err := s.look(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	query, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return invalid("The query cannot be read")
	}
	outcome := callback.Verify{Status: http.StatusOK, Reason: "OK"}
	challenge, ok := whatsapp.Challenge(query, view.Settings.VerifyToken)
	switch {
	case ok && len(query["hub.verify_token"]) == 1:
	case query.Get("hub.mode") != "subscribe":
		outcome = callback.Verify{Status: http.StatusForbidden, Reason: `The mode is not "subscribe".`}
	default:
		outcome = callback.Verify{Status: http.StatusForbidden, Reason: "Verification token does not match."}
	}
	if err := s.report(c.UserContext(), c.Params("id"), view.Account, requestID(c), outcome); err != nil {
		return err
	}
	if outcome.Status != http.StatusOK {
		c.Set("X-Failure-Code", errNotAuthorized.code)
		return errNotAuthorized
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(challenge)
}

// receiveCallback takes a notification in. Its 200 means that everything in it
// is on disk.
func (s *Server) receiveCallback(c *fiber.Ctx) error {
	began := time.Now()
	err := s.Receive(c.UserContext(), Notification{
		Integration: c.Params("id"), Request: requestID(c),
		Signature: c.Get("X-Hub-Signature-256"), Body: c.Body(),
	})
	s.metrics.ack.Observe(time.Since(began).Seconds())
	s.metrics.webhooks.WithLabelValues(strings.ToLower(outcomeOf(err))).Inc()
	if err != nil {
		return err
	}
	return c.JSON(struct{}{})
}

func outcomeOf(err error) string {
	if err == nil {
		return "stored"
	}
	return problemOf(err).code
}

// look gives an integration by its ID alone: Meta shows no secret of ours.
func (s *Server) look(ctx context.Context, id string) (integration.View, error) {
	answer, err := s.actors.Query(ctx, s.integrations().address(id), integration.Look{})
	if err != nil {
		return integration.View{}, err
	}
	return answer.(integration.View), nil
}

// report tells the integration's callback what reached it.
func (s *Server) report(ctx context.Context, id, account, request string, body any) error {
	_, err := s.actors.Ask(ctx, domain.Address{Kind: events.CallbackCategory, ID: id}, domain.Command{
		ID: events.NewKey(), At: events.At(time.Now()), Account: account,
		Correlation: request, Causation: request, Body: body,
	})
	return err
}
