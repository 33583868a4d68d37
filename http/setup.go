package http

import (
	"context"
	"net/http"
	"strings"

	"parley/domain"
	"parley/domain/integration"
	"parley/projections"
	"parley/whatsapp"
)

// Inspector asks Meta whether an integration is set up as it should be. It
// answers within seconds, and its findings can be shown to anybody.
type Inspector interface {
	Inspect(ctx context.Context, s whatsapp.Setup) []whatsapp.Finding
}

// setupIntegration tells whether an integration has what it needs to send. It
// asks nobody but us, unless the body says "live".
// Spec: "WhatsApp integration", setup.
func (s *Server) setupIntegration(c call) error {
	i, err := s.integrations().named(c)
	if err != nil {
		return err
	}
	b, err := readBody(c.Ctx, true)
	if err != nil {
		return err
	}
	live := b.flag("live")
	if err := b.done(); err != nil {
		return err
	}
	ready := integration.Ready(i.Settings)
	if live.Value {
		return c.inspectIntegration(i, ready)
	}
	if ready != nil {
		return ready
	}
	return c.answerID(i.ID)
}

// inspectedIntegration is the answer to a live setup. Message and Code are
// those of an error, when something is wrong.
type inspectedIntegration struct {
	ID      string `json:"id"`
	Message string `json:"message,omitempty"`
	Code    string `json:"code,omitempty"`
	// Callback is the address to enter at Meta's, if the server knows its own.
	Callback *string        `json:"callback"`
	Findings []shownFinding `json:"findings"`
}

// shownFinding is one thing that was checked.
type shownFinding struct {
	Check   string         `json:"check"`
	Status  whatsapp.Grade `json:"status"`
	Message string         `json:"message"`
	Cure    *string        `json:"cure"`
}

// What is checked beside what Meta says.
const (
	checkSettings  = "settings"
	checkPublicURL = "public_url"
)

// inspectIntegration answers with what Meta says of an integration. ready is
// why it need not be asked, or nil.
func (c call) inspectIntegration(i projections.Integration, ready error) error {
	answer, status := inspectedIntegration{ID: i.ID}, http.StatusOK
	if c.server.publicURL != "" {
		answer.Callback = &c.server.callbacks(i.ID)[0]
	}
	for _, f := range c.findings(i, ready) {
		answer.Findings = append(answer.Findings, shownFinding{Check: f.Check, Status: f.Grade, Message: f.Message, Cure: orNull(f.Cure)})
		if f.Grade == whatsapp.Wrong && status == http.StatusOK {
			p := problemOf(domain.Refused(domain.Conflict, "", strings.TrimSpace(f.Message+" "+f.Cure)))
			status, answer.Code, answer.Message = p.status, p.code, p.message
		}
	}
	return c.Status(status).JSON(answer)
}

// findings looks at our own side, and then asks Meta.
func (c call) findings(i projections.Integration, ready error) []whatsapp.Finding {
	var findings []whatsapp.Finding
	setup := whatsapp.Setup{Callbacks: c.server.callbacks(i.ID)}
	if !strings.HasPrefix(strings.ToLower(c.server.publicURL), "https://") {
		setup.Callbacks = nil // Meta cannot have been told such an address
		findings = append(findings, whatsapp.Finding{
			Check: checkPublicURL, Grade: whatsapp.Doubtful,
			Message: "The public address of this server does not begin with https://, and Meta calls no other.",
			Cure:    "Set PARLEY_PUBLIC_URL to the address that the server has on the Internet.",
		})
	}
	if ready != nil {
		return append(findings, whatsapp.Finding{
			Check: checkSettings, Grade: whatsapp.Wrong,
			Message: problemOf(ready).message + ".", Cure: "Update the integration, and run setup again.",
		})
	}
	token, err := c.open(i.ID, i.Settings.AccessToken)
	if err == nil {
		setup.AppSecret, err = c.open(i.ID, i.Settings.AppSecret)
	}
	if err != nil {
		c.server.logger.Error("stored secrets cannot be opened", "integration", i.ID, "err", err)
		return append(findings, whatsapp.Finding{
			Check: checkSettings, Grade: whatsapp.Wrong,
			Message: "The stored secrets cannot be opened; the server's log says why.",
			Cure:    "Give the server the master key that they were sealed with, or store them again.",
		})
	}
	setup.Credentials = whatsapp.Credentials{PhoneNumberID: i.Settings.PhoneNumberID, Token: token}
	return append(findings, c.server.inspector.Inspect(c.UserContext(), setup)...)
}

// open gives a stored secret, or none for no reference.
func (c call) open(id, ref string) (whatsapp.Token, error) {
	if ref == "" {
		return whatsapp.Token{}, nil
	}
	secret, err := c.server.vault.Open(c.UserContext(), id, ref)
	return whatsapp.NewToken(secret.Reveal()), err
}

// callbacks are the addresses at which Meta reaches an integration, the one to
// tell people first.
func (s *Server) callbacks(id string) []string {
	var all []string
	for _, prefix := range prefixes {
		all = append(all, s.publicURL+prefix+"/integration/whatsapp/"+id+"/callback")
	}
	return all
}
