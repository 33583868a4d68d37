package http

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// operation is one thing the API can be asked for.
type operation struct {
	// method and path as in the API's description, without a prefix, for
	// example "/bot/:id/fetch".
	method, path string
	// handle serves callers with a valid secret.
	handle func(call) error
	// public serves everybody, instead of handle.
	public fiber.Handler
	// streams says that the handler reads the body as it comes; the others find
	// it whole.
	streams bool
	// raw says that the answer is what was uploaded, whatever the caller wants.
	raw bool
	// forms are the forms that an answer may have; none means JSON alone.
	forms []form
}

// The methods of operations. Spec: "Transport".
const (
	get  = fiber.MethodGet
	post = fiber.MethodPost
	put  = fiber.MethodPut
)

// operations are all there are. Each subject lists its own.
func (s *Server) operations() []operation {
	var all []operation
	for _, subject := range [][]operation{
		s.callbackOperations(),
		s.integrationOperations(),
		s.botOperations(),
		s.blueprintOperations(),
		s.conversationOperations(),
		s.answerOperations(),
		s.messageOperations(),
		s.contactOperations(),
		s.fileOperations(),
		s.attachmentOperations(),
		s.uploadOperations(),
		s.downloadOperations(),
		s.modelOperations(),
		s.eventOperations(),
		s.usageOperations(),
	} {
		all = append(all, subject...)
	}
	return all
}

// routes makes every operation reachable under both prefixes.
func (s *Server) routes() {
	for _, prefix := range prefixes {
		api := s.app.Group(prefix)
		for _, o := range s.operations() {
			handler := s.owned(o)
			if o.public != nil {
				handler = s.open(o)
			}
			api.Add(o.method, o.path, handler)
			if o.method == get {
				api.Head(o.path, handler)
			}
		}
		for _, o := range s.operations() {
			api.Head(o.path, nothing) // where no reading answered it
		}
	}
}

// nothing answers a HEAD for what cannot be read. Spec: "Transport".
func nothing(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) }

// Operation names one operation of the API, in the words of its description.
type Operation struct {
	// Method is "GET", "POST" or "PUT".
	Method string
	// Path is the path below /api/v1, with its parameters as ":name".
	Path string
	// Public says that it needs no secret.
	Public bool
}

// Operations lists what the API can be asked for.
func (s *Server) Operations() []Operation {
	var all []Operation
	for _, o := range s.operations() {
		all = append(all, Operation{Method: o.method, Path: o.path, Public: o.public != nil})
	}
	return all
}

// forms that an answer can have.
type form string

const (
	inJSON   form = fiber.MIMEApplicationJSON
	inLines  form = "application/jsonl"
	inEvents form = "text/event-stream"
	inCSV    form = "text/csv"
)

// The forms of a list, and of an export.
var (
	listForms   = []form{inJSON, inLines, inEvents}
	exportForms = []form{inJSON, inLines, inCSV, inEvents}
)

// formFor gives the form that the caller wants. JSON is preferred when several
// are wanted alike. Spec: "Transport", answers.
func formFor(c *fiber.Ctx, forms []form) (form, error) {
	if len(forms) == 0 {
		forms = []form{inJSON}
	}
	offers := make([]string, len(forms))
	for i, f := range forms {
		offers[i] = string(f)
	}
	if strings.TrimSpace(c.Get(fiber.HeaderAccept)) == "" {
		return forms[0], nil
	}
	if accepted := c.Accepts(offers...); accepted != "" {
		return form(accepted), nil
	}
	return "", invalid("Unsupported accept header")
}
