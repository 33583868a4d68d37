package http

import (
	"context"
	"encoding/json"
	"time"

	"parley/domain"
	"parley/domain/contact"
	"parley/events"
	"parley/projections"
)

func (s *Server) contactOperations() []operation {
	return []operation{
		{method: post, path: "/contact/create", handle: s.createContact},
		{method: post, path: "/contact/ensure", handle: s.ensureContact},
		{method: get, path: "/contact/list", handle: s.listContacts, forms: listForms},
		{method: get, path: "/contact/export", handle: s.listContacts, forms: exportForms},
		{method: get, path: "/contact/:id/fetch", handle: s.contacts().fetch},
		{method: post, path: "/contact/:id/update", handle: s.updateContact},
		{method: post, path: "/contact/:id/delete", handle: s.contacts().deleting(contact.Delete{})},
		{method: get, path: "/contact/:id/conversation/list", handle: s.listContactConversations, forms: listForms},
	}
}

func (s *Server) contacts() resource[projections.Contact] {
	return resource[projections.Contact]{
		category: events.ContactCategory, missing: contact.NotFound, find: s.model.Contact,
		names: func(x projections.Contact) (id, alias string) { return x.ID, "" },
		show:  showContact,
	}
}

// shownContact is a contact as the API shows it.
// Spec: "Conversations, messages, contacts".
type shownContact struct {
	ID          string          `json:"id"`
	Fingerprint string          `json:"fingerprint"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Email       *string         `json:"email"`
	Phone       *string         `json:"phone"`
	Nick        *string         `json:"nick"`
	Preferences *string         `json:"preferences"`
	VerifiedAt  *int64          `json:"verifiedAt"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showContact(x projections.Contact) item {
	s := x.Settings
	shown := shownContact{
		ID: x.ID, Fingerprint: s.Fingerprint, Name: s.Name, Description: s.Description,
		Email: orNull(s.Email), Phone: orNull(s.Phone), Nick: orNull(s.Nick), Preferences: orNull(s.Preferences),
		Meta: object(s.Meta), CreatedAt: x.Created.Milliseconds(), UpdatedAt: x.Updated.Milliseconds(),
	}
	if s.VerifiedAt != 0 {
		at := s.VerifiedAt.Milliseconds()
		shown.VerifiedAt = &at
	}
	return item{x.Seq, shown}
}

// contactDetails takes the fields that describe a contact wherever one is made.
// A fingerprint of nothing counts as none.
func (b *body) contactDetails() contact.Changes {
	changes := contact.Changes{
		Fingerprint: b.text("fingerprint"), Name: b.text("name"), Description: b.text("description"),
		Email: b.text("email"), Phone: b.text("phone"), Nick: b.text("nick"), Meta: b.object("meta"),
	}
	if changes.Fingerprint.Value == "" {
		changes.Fingerprint = domain.Opt[string]{}
	}
	return changes
}

func (c call) contactChanges() (contact.Changes, error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return contact.Changes{}, err
	}
	changes := b.contactDetails()
	changes.Preferences, changes.VerifiedAt = b.text("preferences"), b.instant("verifiedAt")
	return changes, b.done()
}

// createContact refuses a fingerprint that is taken: who wants the contact that
// has it ensures it.
func (s *Server) createContact(c call) error {
	changes, err := c.contactChanges()
	if err != nil {
		return err
	}
	if !changes.Fingerprint.Set {
		changes.Fingerprint = domain.Some(events.NewKey())
	}
	to := contact.Address(c.account, changes.Fingerprint.Value)
	if err := c.write(to, contact.Create{Changes: changes}); err != nil {
		return err
	}
	return c.answerID(to.ID)
}

func (s *Server) ensureContact(c call) error {
	changes, err := c.contactChanges()
	if err != nil {
		return err
	}
	id, err := c.ensure(changes)
	if err != nil {
		return err
	}
	return c.answerID(id)
}

// ensure gives the ID of the contact with a fingerprint, which is made if there
// is none, and left as it is if there is. A fingerprint is a proof: the contact
// that is made with one counts as verified. Without one the contact is found by
// what is said about it, and counts as not verified, whatever is said of that.
func (c call) ensure(changes contact.Changes) (id string, err error) {
	switch {
	case !changes.Fingerprint.Set:
		fingerprint, err := changes.Untrusted()
		if err != nil {
			return "", err
		}
		changes.Fingerprint, changes.VerifiedAt = domain.Some(fingerprint), domain.Opt[events.Instant]{}
	case changes.VerifiedAt.Value == 0:
		changes.VerifiedAt = domain.Some(events.At(time.Now()))
	}
	to := contact.Address(c.account, changes.Fingerprint.Value)
	err = c.write(to, contact.Create{Changes: changes})
	if domain.IsRefusal(err, domain.Conflict) {
		c.latest() // whoever was first may still be on the way to the lists
		err = nil
	}
	return to.ID, err
}

func (s *Server) listContacts(c call) error {
	return s.contacts().list(c, func(ctx context.Context, p projections.Page) ([]projections.Contact, error) {
		return s.model.Contacts(ctx, c.account, p)
	})
}

func (s *Server) updateContact(c call) error {
	x, err := s.contacts().named(c)
	if err != nil {
		return err
	}
	changes, err := c.contactChanges()
	if err != nil {
		return err
	}
	return s.contacts().update(c, x, domain.Opt[string]{}, contact.Update{Changes: changes})
}

func (s *Server) listContactConversations(c call) error {
	x, err := s.contacts().named(c)
	if err != nil {
		return err
	}
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.ContactConversations(ctx, c.account, x.ID, p)
			return items(all, err, func(x projections.Conversation) item { return item{x.Seq, showConversation(x)} })
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			x, err := s.model.Conversation(ctx, c.account, id)
			return x.Seq, err
		},
	})
}
