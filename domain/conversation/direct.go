package conversation

import (
	"slices"

	"parley/domain"
	"parley/events"
)

// Direct is where a conversation lives that the API makes. It has one session,
// whose ID is the conversation's, and nobody on WhatsApp is part of it.
func Direct(id string) domain.Address {
	return domain.Address{Kind: events.ConversationCategory, ID: id}
}

// Open makes a conversation, with what it begins with. It is put to the address
// that Direct gives.
type Open struct {
	// Session is the address's ID.
	Session  string    `msgpack:"ss"`
	Changes  Changes   `msgpack:"ch"`
	Messages []Written `msgpack:"me"`
}

// Describe changes what is known about a session. Bot, contact, model and
// backstory hold from the next turn on.
type Describe struct {
	Session string  `msgpack:"ss"`
	Changes Changes `msgpack:"ch"`
}

// Write puts messages into a session, behind what stands there.
type Write struct {
	Session  string    `msgpack:"ss"`
	Messages []Written `msgpack:"me"`
}

// Introduce says which contact a session is with, and notes it for the engine.
// A session that is with them already takes no notice.
type Introduce struct {
	Session string  `msgpack:"ss"`
	Contact string  `msgpack:"co"`
	Note    Written `msgpack:"no"`
}

// NotFound is the refusal for a session that is not there, or is somebody
// else's.
func NotFound() error { return domain.Refused(domain.NotFound, "", "Conversation not found") }

func (d *draft) open(body Open) error {
	if d.state.Session.ID == body.Session {
		return nil // it is the same wish again
	}
	if slices.Contains(d.state.Erased, body.Session) {
		return NotFound()
	}
	changes, err := body.Changes.fact()
	if err != nil {
		return err
	}
	session := described(events.Session{ID: body.Session, StartedAt: d.at, LastAt: d.at, Direct: true}, changes)
	changes.Model, changes.Backstory = nil, nil // the session says it
	d.record(events.SessionStarted{Session: session, Described: &changes})
	return d.write(Write{Session: body.Session, Messages: body.Messages})
}

func (d *draft) describe(body Describe) error {
	if d.gone(body.Session) {
		return NotFound()
	}
	changes, err := body.Changes.fact()
	if err != nil {
		return err
	}
	if b := changes.Backstory; b != nil && len(*b)+d.otherBackstories(body.Session) > maxBackstories {
		return domain.Refused(domain.Invalid, "backstory", "the sender's conversations have too long backstories together")
	}
	d.record(events.SessionDescribed{Session: body.Session, Changes: changes})
	d.carry()
	return nil
}

func (d *draft) introduce(body Introduce) error {
	if s := d.state.Session; s.ID == body.Session && s.Contact == body.Contact {
		return nil
	}
	err := d.describe(Describe{Session: body.Session, Changes: Changes{ContactID: domain.Some(body.Contact)}})
	if err != nil {
		return err
	}
	return d.write(Write{Session: body.Session, Messages: []Written{body.Note}})
}

func (d *draft) write(body Write) error {
	if d.gone(body.Session) {
		return NotFound()
	}
	for _, w := range body.Messages {
		fact, err := w.fact(body.Session)
		if err != nil {
			return err
		}
		d.record(fact)
	}
	d.carry()
	return nil
}

// gone reports that there is no such session. Of earlier sessions with a sender
// nothing is known here: those who name one have seen it.
func (d *draft) gone(session string) bool {
	if session == "" || slices.Contains(d.state.Erased, session) {
		return true
	}
	if d.state.Session.Direct {
		return d.state.Session.ID != session
	}
	return d.state.Since == 0 && d.state.Session.ID == "" && len(d.state.Seen) == 0 // a snapshot counts from 0
}

// deliverable gives the parts of an answer that somebody is to get.
func (d *draft) deliverable(turn *events.OpenTurn, parts []events.Part) []events.Part {
	if turn.Ask != nil || d.state.session(turn.Session).Direct {
		return nil
	}
	return parts
}

// carry repeats what is remembered if enough facts lie behind.
func (d *draft) carry() {
	if d.worthCarrying(d.rules.SnapshotEvery) {
		d.record(events.SessionContinued{Session: d.state.Session, Carried: d.state.Carried})
	}
}

// maxBackstories bounds the backstories that a conversation carries, in bytes.
const maxBackstories = 256 << 10

// otherBackstories counts the bytes of those that a session stands beside.
func (d *draft) otherBackstories(session string) int {
	n := 0
	for _, e := range append([]events.Session{d.state.Session}, d.state.Earlier...) {
		if e.ID != session {
			n += len(e.Backstory)
		}
	}
	return n
}

// described gives a session with the changes that an engine is to know. Another
// one who answers remembers nothing. Whoever names a bot, or none, ends the say
// of the blueprint.
func described(e events.Session, c events.SessionChanges) events.Session {
	was := e
	if c.BotID != nil {
		e.BlueprintID = ""
	}
	if c.BotID != nil && *c.BotID != e.BotID {
		e.BotID, e.BotRevision, e.Pinned = *c.BotID, 0, false
	}
	if c.Model != nil {
		e.Model = *c.Model
	}
	if c.Backstory != nil {
		e.Backstory = *c.Backstory
	}
	if c.ContactID != nil {
		e.Contact = *c.ContactID
	}
	if e.BotID != was.BotID || e.Model != was.Model || e.Backstory != was.Backstory {
		e.Memory = nil
	}
	return e
}
