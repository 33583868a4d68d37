package http

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/media"
	"parley/projections"
)

// problem is an error as clients are told it. Spec: "Errors".
type problem struct {
	status  int
	code    string
	message string
	// retryAfter is in seconds; 0 says nothing.
	retryAfter int
}

// Error is the message.
func (p *problem) Error() string { return p.message }

// body is what clients are told.
func (p *problem) body() map[string]string {
	return map[string]string{"message": p.message, "code": p.code}
}

// The problems that handlers make themselves.
var (
	errNotAuthenticated = &problem{status: 401, code: "NOT_AUTHENTICATED", message: "Not authenticated"}
	errNotAuthorized    = &problem{status: 403, code: "NOT_AUTHORIZED", message: "Not authorized"}
	errNotFound         = &problem{status: 404, code: "NOT_FOUND", message: "Not found"}
	errMethod           = &problem{status: 405, code: "METHOD_NOT_ALLOWED", message: "Method not allowed"}
	errTimeout          = &problem{status: 408, code: "TIMEOUT", message: "Timeout"}
	errTooLarge         = &problem{status: 413, code: "CONTENT_TOO_LARGE", message: "Client request is too large"}
	errInternal         = &problem{status: 500, code: "INTERNAL_SERVER_ERROR", message: "Internal server error"}
	errUnavailable      = &problem{status: 503, code: "SERVICE_UNAVAILABLE", message: "Service unavailable", retryAfter: 1}
)

// invalid is the problem of a request that is not as it should be.
func invalid(message string) *problem {
	return &problem{status: 400, code: "BAD_REQUEST", message: message}
}

// refusals gives each of the domain's codes its status.
var refusals = map[domain.Code]struct {
	status int
	code   string
}{
	domain.Invalid:  {400, "BAD_REQUEST"},
	domain.NotFound: {404, "NOT_FOUND"},
	domain.Conflict: {409, "CONFLICT"},
	domain.Stale:    {409, "CONFLICT"},
	domain.Busy:     {429, "TOO_MANY_REQUESTS"},
}

// problemOf is the one table from errors to answers. What it does not know is
// our mistake: clients learn nothing of it.
func problemOf(err error) *problem {
	var p *problem
	var refusal *domain.Error
	var unanswered *conversation.Unanswered
	var fiberError *fiber.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal):
		r := refusals[refusal.Code]
		return &problem{status: r.status, code: r.code, message: refusal.Message}
	case errors.As(err, &unanswered):
		return unansweredProblem(unanswered)
	case errors.Is(err, projections.ErrNotFound):
		return errNotFound
	case errors.Is(err, ErrUnavailable), errors.Is(err, media.ErrUnavailable), errors.Is(err, events.ErrFull), errors.Is(err, events.ErrUnavailable), errors.Is(err, events.ErrClosed):
		return errUnavailable
	case errors.Is(err, events.ErrTooLarge):
		return errTooLarge
	case errors.As(err, &fiberError):
		return problemOfStatus(fiberError.Code)
	}
	return errInternal
}

// problemOfStatus is for what Fiber itself refuses.
func problemOfStatus(status int) *problem {
	switch status {
	case http.StatusNotFound:
		return errNotFound
	case http.StatusMethodNotAllowed:
		return errMethod
	case http.StatusRequestEntityTooLarge:
		return errTooLarge
	case http.StatusRequestTimeout:
		return errTimeout
	case http.StatusRequestHeaderFieldsTooLarge:
		return &problem{status: 431, code: "HEADERS_TOO_LARGE", message: "Request headers are too large"}
	}
	if status >= 400 && status < 500 {
		return invalid("Bad request")
	}
	return errInternal
}

// fail answers with an error, and logs it when a person has to know.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := problemOf(err)
	if p.status >= 500 {
		s.logger.Error("request failed", "method", c.Method(), "route", c.Route().Path,
			"status", p.status, "request", requestID(c), "err", err)
	}
	if p.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.retryAfter))
	}
	if p.status == http.StatusRequestEntityTooLarge || p.status == http.StatusRequestHeaderFieldsTooLarge {
		linger(c)
	}
	body := p.body()
	if p == errInternal {
		body["requestId"] = requestID(c)
	}
	return c.Status(p.status).JSON(body)
}
