package conversation

import (
	"parley/domain"
	"parley/events"
)

// Attach puts a file into a session, whose content stands in the media store
// already. Tickets are as of uploads to files: each is good for one, and the
// same again changes nothing.
type Attach struct {
	Session    string            `msgpack:"ss"`
	Attachment events.Attachment `msgpack:"at"`
	// Ticket names what allows the upload, "" if it needs nothing. From Until
	// on nobody lets it in any more.
	Ticket string         `msgpack:"tk"`
	Until  events.Instant `msgpack:"un"`
}

// ticketSeenAs is what a ticket is remembered by, beside the wamids: that it
// was used, and for which content.
func ticketSeenAs(ticket, hash string) string { return "upload ticket " + ticket + " " + hash }

func (d *draft) attach(body Attach) error {
	switch ticket := body.Ticket; {
	case d.gone(body.Session):
		return NotFound()
	case ticket != "" && d.state.seen(ticketSeenAs(ticket, body.Attachment.Hash)):
		return nil
	case ticket != "" && d.state.seen(ticketSeenAs(ticket, "")):
		return domain.Refused(domain.Conflict, "", "This upload address has been used already")
	case ticket != "" && d.at > body.Until:
		return domain.Refused(domain.Conflict, "", "This upload address has expired")
	}
	d.record(events.AttachmentUploaded{Session: body.Session, Attachment: body.Attachment, Ticket: body.Ticket, At: d.at})
	d.carry()
	return nil
}

func (s State) attached(r Rules, f events.AttachmentUploaded) State {
	if f.Ticket == "" {
		return s
	}
	return s.remember(r, ticketSeenAs(f.Ticket, ""), f.At).remember(r, ticketSeenAs(f.Ticket, f.Attachment.Hash), f.At)
}
