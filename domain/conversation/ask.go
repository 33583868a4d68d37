package conversation

import (
	"slices"

	"parley/domain"
	"parley/events"
)

// Ask asks for an answer through the API: for a turn of its own, which waits
// until those before it are done with. The same Turn counts once.
type Ask struct {
	Session string `msgpack:"ss"`
	// Turn is a new ID.
	Turn string `msgpack:"tu"`
	// Message is a new ID, and Text what is said; both are "" when what stands
	// in the session is to be answered.
	Message string `msgpack:"id"`
	Text    string `msgpack:"tx"`
	// Backstory is added to the bot's, for this turn.
	Backstory string `msgpack:"bs"`
	// Timezone is the IANA name of whoever asks, if it is known.
	Timezone string `msgpack:"tz"`
	// As is the session as it is told to others. It counts for one that began
	// so long ago that it is not remembered here.
	As events.Session `msgpack:"as"`
}

// TurnState asks how far a turn is that was asked for. The answer is a bool:
// whether it is still to come.
type TurnState struct{ Turn string }

// The bounds of what is asked for.
const (
	// maxAsked bounds the turns that wait.
	maxAsked = 16
	// MaxAsked bounds what is said with a turn that is asked for, in bytes.
	// With its answer it has to fit into one append.
	MaxAsked = 128 << 10
)

func (d *draft) ask(body Ask) error {
	switch {
	case d.state.seen(askSeenAs(body.Turn)):
		return nil
	case d.gone(body.Session):
		return NotFound()
	case len(body.Text) > MaxAsked:
		return domain.Refused(domain.Invalid, "text", `"text" is longer than 128 KiB`)
	case len(body.Backstory) > MaxAsked:
		return domain.Refused(domain.Invalid, "extensions", `"extensions.backstory" is longer than 128 KiB`)
	case len(d.state.Asked) >= maxAsked:
		return domain.Refused(domain.Busy, "", "Too many calls wait for an answer in this conversation")
	}
	fact := events.TurnAsked{
		Ask:       events.Ask{Turn: body.Turn, Session: body.Session, Message: body.Message, Timezone: body.Timezone, At: d.at},
		Text:      body.Text,
		Backstory: body.Backstory,
	}
	if !d.state.remembers(body.Session) {
		body.As.ID = body.Session
		fact.As = &body.As
	}
	d.record(fact)
	d.startTurn()
	d.carry()
	return nil
}

// askSeenAs is what a turn that was asked for is remembered by, beside the
// wamids.
func askSeenAs(turn string) string { return "asked " + turn }

// asked reports that a turn which was asked for is still to come.
func (s State) asked(turn string) bool {
	return s.Turn != nil && s.Turn.ID == turn || s.askIndex(turn) >= 0
}

func (s State) askIndex(turn string) int {
	return slices.IndexFunc(s.Asked, func(a events.Ask) bool { return a.Turn == turn })
}

// remembers reports that a session's settings are known.
func (s State) remembers(session string) bool {
	return s.Session.ID == session ||
		slices.ContainsFunc(s.Earlier, func(e events.Session) bool { return e.ID == session })
}

func (s State) turnAsked(r Rules, f events.TurnAsked) State {
	s = s.remember(r, askSeenAs(f.Ask.Turn), f.Ask.At)
	s.Asked = append(slices.Clip(s.Asked), f.Ask)
	if f.As != nil && !s.remembers(f.As.ID) {
		s.Earlier = append(slices.Clip(s.Earlier), *f.As)
	}
	return s
}

// askStarted makes a turn that was asked for the open one.
func (s State) askStarted(f events.TurnStarted, i int) State {
	ask := s.Asked[i]
	s.Turn = &events.OpenTurn{ID: f.Turn, Session: f.Session, StartedAt: f.At, Ask: &ask}
	if s.Asked = slices.Delete(slices.Clone(s.Asked), i, i+1); len(s.Asked) == 0 {
		s.Asked = nil
	}
	return s
}

// turnEnded lets go of a turn, and of an old session that was only asked for.
func (s State) turnEnded(turn string) State {
	if s.Turn == nil || s.Turn.ID != turn {
		return s
	}
	ask := s.Turn.Ask
	if s.Turn = nil; ask != nil && !s.awaits(ask.Session) {
		s.Earlier = slices.DeleteFunc(slices.Clone(s.Earlier), func(e events.Session) bool { return e.ID == ask.Session })
		if len(s.Earlier) == 0 {
			s.Earlier = nil
		}
	}
	return s
}

// startAsked starts the turn that was asked for first, if nothing else is under
// way. Parts that have to wait anyway do not hold it up, and no person's
// messages that have waited longer.
func (d *draft) startAsked() (started bool) {
	s := d.state
	if len(s.Asked) == 0 || s.Turn != nil || len(s.Outbox) > 0 && (s.Outbox[0].Trying || d.rules.due(s, s.Outbox[0]) <= d.at) {
		return false
	}
	ask := s.Asked[0]
	if s.gathered() && d.at >= s.Gather && s.Inbox[0].At <= ask.At {
		return false
	}
	d.record(events.TurnStarted{Session: ask.Session, Turn: ask.Turn, At: d.at, Asked: true})
	return true
}

// askedFor records what was said with a turn that was asked for: it becomes
// part of the history together with its answer.
func (d *draft) askedFor(turn *events.OpenTurn, text string) {
	if ask := turn.Ask; ask != nil && ask.Message != "" {
		d.record(events.MessageWritten{Session: turn.Session, Message: ask.Message, Type: "user", Text: text})
	}
}

// impatient reports that whoever asked for a turn does not wait for another
// try.
func (r Rules) impatient(turn *events.OpenTurn, due events.Instant) bool {
	return turn.Ask != nil && due.Sub(turn.StartedAt) > r.Patience
}
