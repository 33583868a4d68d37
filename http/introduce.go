package http

import (
	"strings"

	"parley/domain/contact"
	"parley/domain/conversation"
	"parley/events"
)

// upsertContact says whom a conversation is with: the contact is ensured and
// linked, and the engine is told what the person said about themselves. The
// same again changes nothing. Spec: "Conversations, messages, contacts".
func (s *Server) upsertContact(c call) error {
	x, err := c.conversation()
	if err != nil {
		return err
	}
	details, err := c.contactChanges()
	if err != nil {
		return err
	}
	id, err := c.ensure(details)
	if err != nil {
		return err
	}
	if x.ContactID == id {
		return c.answerID(id)
	}
	err = c.write(addressOf(x), conversation.Introduce{Session: x.ID, Contact: id, Note: conversation.Written{
		ID: events.DeriveKey(x.ID, id, "introduced"), Type: "context", Text: introduction(details),
	}})
	if err != nil {
		return err
	}
	return c.answerID(id)
}

// introduction tells an engine what a person said about themselves.
func introduction(details contact.Changes) string {
	var said []string
	for _, d := range []struct{ what, is string }{
		{"name", details.Name.Value},
		{"email", details.Email.Value},
		{"phone", details.Phone.Value},
		{"nick", details.Nick.Value},
		{"description", details.Description.Value},
		{"preferences", details.Preferences.Value},
	} {
		if d.is != "" {
			said = append(said, d.what+": "+d.is)
		}
	}
	return "The user provided their contact information: " + strings.Join(said, ", ")
}
