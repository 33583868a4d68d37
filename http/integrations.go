package http

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/domain"
	"parley/domain/integration"
	"parley/events"
	"parley/projections"
)

func (s *Server) integrationOperations() []operation {
	return []operation{
		{method: post, path: "/integration/whatsapp/create", handle: s.createIntegration},
		{method: get, path: "/integration/whatsapp/list", handle: s.listIntegrations, forms: listForms},
		{method: get, path: "/integration/whatsapp/:id/fetch", handle: s.integrations().fetch},
		{method: post, path: "/integration/whatsapp/:id/update", handle: s.updateIntegration},
		{method: post, path: "/integration/whatsapp/:id/delete", handle: s.integrations().deleting(integration.Delete{})},
		{method: post, path: "/integration/whatsapp/:id/setup", handle: s.setupIntegration},
		{method: post, path: "/integration/whatsapp/:id/initiate", handle: s.initiate},
	}
}

func (s *Server) integrations() resource[projections.Integration] {
	return resource[projections.Integration]{
		category: events.IntegrationCategory, missing: integration.NotFound, find: s.model.Integration,
		names: func(i projections.Integration) (id, alias string) { return i.ID, i.Settings.Alias },
		show:  showIntegration,
	}
}

// shownIntegration is an integration as the API shows it. Spec: "WhatsApp
// integration", fields.
type shownIntegration struct {
	ID                string          `json:"id"`
	Alias             *string         `json:"alias"`
	Name              string          `json:"name"`
	Description       string          `json:"description"`
	BlueprintID       *string         `json:"blueprintId"`
	BotID             *string         `json:"botId"`
	VerifyToken       string          `json:"verifyToken"`
	PhoneNumberID     *string         `json:"phoneNumberId"`
	AccessToken       *string         `json:"accessToken"`
	AppSecret         *string         `json:"appSecret"`
	ContactCollection bool            `json:"contactCollection"`
	SessionDuration   *int64          `json:"sessionDuration"`
	Attachments       bool            `json:"attachments"`
	AllowFrom         *string         `json:"allowFrom"`
	Meta              json.RawMessage `json:"meta"`
	CreatedAt         int64           `json:"createdAt"`
	UpdatedAt         int64           `json:"updatedAt"`
}

func showIntegration(i projections.Integration) item {
	s := i.Settings
	return item{i.Seq, shownIntegration{
		ID: i.ID, Alias: orNull(s.Alias), Name: s.Name, Description: s.Description,
		BlueprintID: orNull(s.BlueprintID), BotID: orNull(s.BotID),
		VerifyToken: s.VerifyToken, PhoneNumberID: orNull(s.PhoneNumberID),
		AccessToken: masked(s.AccessToken), AppSecret: masked(s.AppSecret),
		ContactCollection: s.ContactCollection, SessionDuration: s.SessionMillis, Attachments: s.Attachments,
		AllowFrom: s.AllowFrom, Meta: object(s.Meta),
		CreatedAt: i.Created.Milliseconds(), UpdatedAt: i.Updated.Milliseconds(),
	}}
}

// masked tells that a secret is stored, and nothing else.
func masked(ref string) *string {
	if ref == "" {
		return nil
	}
	mask := events.Mask
	return &mask
}

// integrationInput is the body of create and update. The secrets are still
// what the user sent.
type integrationInput struct {
	changes     integration.Changes
	accessToken domain.Opt[string]
	appSecret   domain.Opt[string]
}

func (c call) integrationInput() (in integrationInput, err error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return in, err
	}
	in.changes = integration.Changes{
		Alias: b.text("alias"), Name: b.text("name"), Description: b.text("description"),
		BotID: b.text("botId"), BlueprintID: b.text("blueprintId"), PhoneNumberID: b.text("phoneNumberId"),
		ContactCollection: b.flag("contactCollection"), Attachments: b.flag("attachments"),
		SessionMillis: b.integerOrNull("sessionDuration"), AllowFrom: b.textOrNull("allowFrom"),
		Meta: b.object("meta"),
	}
	in.accessToken, in.appSecret = b.text("accessToken"), b.text("appSecret")
	if err := b.done(); err != nil {
		return in, err
	}
	if in.changes.BlueprintID, err = c.linkedBlueprint(in.changes.BlueprintID); err != nil {
		return in, err
	}
	in.changes.BotID, err = c.linkedBot(in.changes.BotID)
	return in, err
}

// seal stores the secrets of the input and lets the changes refer to them. The
// mask stands for the stored secret and changes nothing.
func (c call) seal(id string, in *integrationInput) error {
	request := requestID(c.Ctx)
	meta := events.Metadata{Account: c.account, Correlation: request, Causation: request, At: events.At(time.Now())}
	for _, s := range []struct {
		value domain.Opt[string]
		ref   *domain.Opt[string]
	}{
		{in.accessToken, &in.changes.AccessToken},
		{in.appSecret, &in.changes.AppSecret},
	} {
		switch {
		case !s.value.Set || s.value.Value == events.Mask:
		case s.value.Value == "":
			*s.ref = domain.Some("")
		default:
			ref, err := c.server.vault.Seal(c.UserContext(), meta, id, events.NewSecret(s.value.Value))
			if err != nil {
				return err
			}
			*s.ref = domain.Some(ref)
		}
	}
	return nil
}

func (s *Server) createIntegration(c call) error {
	in, err := c.integrationInput()
	if err != nil {
		return err
	}
	id := events.NewKey()
	if err := c.seal(id, &in); err != nil {
		return err
	}
	err = s.integrations().create(c, id, in.changes.Alias, integration.Create{VerifyToken: newVerifyToken(), Changes: in.changes})
	var refusal *domain.Error
	if errors.As(err, &refusal) {
		c.forget(id)
	}
	return err
}

// newVerifyToken makes 64 random hexadecimal digits.
func newVerifyToken() string { return randomHex(32) }

// forget erases the secrets of an integration that did not come to be, or is
// gone.
func (c call) forget(id string) {
	if err := c.server.vault.Erase(c.UserContext(), id); err != nil {
		c.server.logger.Error("secrets of no integration are left", "integration", id, "err", err)
	}
}

func (s *Server) listIntegrations(c call) error {
	blueprints := values(c.Ctx, "blueprintId")
	return s.integrations().list(c, func(ctx context.Context, p projections.Page) ([]projections.Integration, error) {
		return s.model.Integrations(ctx, c.account, blueprints, p)
	})
}

func (s *Server) updateIntegration(c call) error {
	i, err := s.integrations().named(c)
	if err != nil {
		return err
	}
	in, err := c.integrationInput()
	if err != nil {
		return err
	}
	if err := c.seal(i.ID, &in); err != nil {
		return err
	}
	err = s.integrations().update(c, i, in.changes.Alias, integration.Update{Changes: in.changes})
	if domain.IsRefusal(err, domain.NotFound) {
		c.forget(i.ID) // it was deleted meanwhile
	}
	return err
}
