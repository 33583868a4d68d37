package conversation

import (
	"slices"

	"parley/domain"
	"parley/events"
)

// Rewrite changes a message of a session. Whoever puts it has seen the message
// there, and that it can be stored with the changes.
type Rewrite struct {
	Session string         `msgpack:"ss"`
	Message string         `msgpack:"id"`
	Changes MessageChanges `msgpack:"ch"`
}

// MessageChanges is a partial change of a message. What is not set stays.
type MessageChanges struct {
	Type        domain.Opt[string] `msgpack:"ty"`
	Text        domain.Opt[string] `msgpack:"tx"`
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// To gives the message as it is with the changes, or the first refusal.
func (c MessageChanges) To(w Written) (Written, error) {
	w.Type, w.Text = c.Type.Or(w.Type), c.Text.Or(w.Text)
	w.Name, w.Description = c.Name.Or(w.Name), c.Description.Or(w.Description)
	var err error
	if w.Meta, err = domain.MergeMeta(w.Meta, c.Meta); err != nil {
		return w, err
	}
	return w, w.Check()
}

// Strike removes a message from a session.
type Strike struct {
	Session string `msgpack:"ss"`
	Message string `msgpack:"id"`
}

// MessageNotFound is the refusal for a message that is not there.
func MessageNotFound() error { return domain.Refused(domain.NotFound, "", "Message not found") }

func (d *draft) rewrite(body Rewrite) error {
	if d.gone(body.Session) {
		return NotFound()
	}
	c := body.Changes
	meta, err := domain.MergeMeta(nil, c.Meta)
	if err != nil {
		return err
	}
	d.record(events.MessageRewritten{Session: body.Session, Message: body.Message, Changes: events.MessageChanges{
		Type: pointer(c.Type), Text: pointer(c.Text), Name: pointer(c.Name), Description: pointer(c.Description), Meta: meta,
	}})
	d.carry()
	return nil
}

// strike removes a message. If it is all that waits for an answer, there is
// nothing to answer any more.
func (d *draft) strike(body Strike) error {
	if d.gone(body.Session) {
		return NotFound()
	}
	d.record(events.MessageStruck{Session: body.Session, Message: body.Message})
	if d.state.waitsAlone(body.Message) {
		d.endProgress()
		d.record(events.TurnClosed{
			Session: body.Session, Turn: body.Message, Messages: []string{body.Message},
			Skipped: true, Reason: "message_deleted", Detail: "The message was deleted before it was answered.",
		})
		d.startTurn()
	}
	d.carry()
	return nil
}

// waitsAlone reports that a message waits for its turn, or is the only one of
// the turn that is open.
func (s State) waitsAlone(message string) bool {
	is := func(w events.Waiting) bool { return w.Message == message }
	if t := s.Turn; t != nil && slices.ContainsFunc(t.Messages, is) {
		return len(t.Messages) == 1 && t.ID == message
	}
	return slices.ContainsFunc(s.Inbox, is)
}
