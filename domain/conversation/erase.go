package conversation

import (
	"slices"
	"time"

	"parley/domain"
	"parley/domain/file"
	"parley/events"
)

// Erase removes a session with everything in it: nobody is shown it any more,
// and nothing more is sent for it. If it is the newest, the next message starts
// another one.
type Erase struct {
	Session string `msgpack:"ss"`
}

// Bare is the task of making the facts of an erased session bare in the log.
type Bare struct{ Session string }

// ReportBared says that the facts of an erased session are bare, or that the log
// is one that keeps them.
type ReportBared struct {
	Session string `msgpack:"ss"`
	Kept    bool   `msgpack:"ke"`
}

// Clear is the task of removing the files of an erased session from the media
// store, but those that others have, too.
type Clear struct{ Session string }

// ReportCleared says that the files of an erased session are removed.
type ReportCleared struct {
	Session string `msgpack:"ss"`
}

// The lanes of what an erased session leaves to be done.
const (
	bareLane  = "bare"
	clearLane = "clear"
)

// clearAfter is how long after a session was erased its files are removed:
// before, whoever put them may not have said so. It allows for clocks that tell
// times not quite alike.
const clearAfter = file.Fresh + time.Minute

// keepErased bounds the sessions that are known to be erased. Those who name an
// older one find out that it is gone by other means.
const keepErased = 100

func (d *draft) erase(body Erase) error {
	if d.gone(body.Session) {
		return NotFound()
	}
	d.endTurns(body.Session)
	for _, p := range d.state.Outbox {
		if p.Session == body.Session {
			d.abandonPart(p, Deleted, erasedDetail)
		}
	}
	for _, f := range d.state.Fetches {
		if f.Session == body.Session {
			d.record(events.AttachmentFailed{Session: f.Session, Message: f.Message, Kind: f.Kind, Reason: erasedDetail})
		}
	}
	d.record(events.SessionErased{Session: body.Session, Due: d.at.Add(clearAfter)})
	d.next(false)
	d.carry()
	return nil
}

// erasedDetail says why turns and parts of an erased session end.
const erasedDetail = "The conversation was deleted."

// endTurns ends the open turn of a session, and what waits for one.
func (d *draft) endTurns(session string) {
	closed := events.TurnClosed{Session: session, Skipped: true, Reason: Deleted, Detail: erasedDetail}
	if turn := d.state.Turn; turn != nil && turn.Session == session {
		end := closed
		end.Turn, end.Messages, end.Asked = turn.ID, ids(turn.Messages), turn.Ask != nil
		d.record(end)
	}
	for _, ask := range d.state.Asked {
		if ask.Session == session {
			end := closed
			end.Turn, end.Asked = ask.Turn, true
			d.record(end)
		}
	}
	if waiting := d.state.waitingIn(session); len(waiting) > 0 {
		end := closed
		end.Turn, end.Messages = waiting[0].Message, ids(waiting)
		d.record(end)
	}
}

// waitingIn gives the messages of a session that wait for a turn.
func (s State) waitingIn(session string) (waiting []events.Waiting) {
	for _, w := range s.Inbox {
		if w.Session == session {
			waiting = append(waiting, w)
		}
	}
	return waiting
}

// erased lets go of a session, and of the names that it may have told. Statuses
// of what was sent in it are from now on those of messages that nobody knows.
func (s State) erased(f events.SessionErased) State {
	is := func(session string) bool { return session == f.Session }
	if is(s.Session.ID) {
		s.Session = events.Session{}
	}
	s.Earlier = without(s.Earlier, func(e events.Session) bool { return is(e.ID) })
	s.Sent = without(s.Sent, func(p events.SentPart) bool { return is(p.Session) })
	s.Collect = without(s.Collect, is)
	s.Asked = without(s.Asked, func(a events.Ask) bool { return is(a.Session) })
	s.Who = nameless(s.Who)
	if s.Was != nil {
		was := nameless(*s.Was)
		s.Was = &was
	}
	if len(s.Erased) >= keepErased {
		s.Erased = s.Erased[len(s.Erased)-keepErased+1:]
	}
	s.Erased = append(slices.Clip(s.Erased), f.Session)
	s.Baring = append(slices.Clip(s.Baring), f.Session)
	s.Clearing = append(slices.Clip(s.Clearing), events.Clearing(f))
	return s
}

// nameless is a person by their identifiers alone.
func nameless(p events.Person) events.Person { return events.Person{Phone: p.Phone, UserID: p.UserID} }

// without gives a list without some of its elements, nil when none is left. The
// list itself stays as it was.
func without[E any](list []E, which func(E) bool) []E {
	left := slices.DeleteFunc(slices.Clone(list), which)
	if len(left) == 0 {
		return nil
	}
	return left
}

func (d *draft) bared(body ReportBared) {
	if slices.Contains(d.state.Baring, body.Session) {
		d.record(events.SessionBared(body))
	}
}

func (s State) bared(f events.SessionBared) State {
	s.Baring = without(s.Baring, func(session string) bool { return session == f.Session })
	return s
}

// baring is the task of making an erased session bare, if one is owed.
func (s State) baring() (task domain.Task, owed bool) {
	if len(s.Baring) == 0 {
		return task, false
	}
	return domain.Task{Lane: bareLane, Body: Bare{Session: s.Baring[0]}}, true
}

// repeatsErased reports that a notification may repeat what was said in a
// session that was erased: it brings what came before.
func (s State) repeatsErased(body Receive) bool {
	return len(s.Erased) > 0 && (slices.ContainsFunc(body.Messages, func(m Inbound) bool { return s.seen(m.WAMID) }) ||
		slices.ContainsFunc(body.Echoes, func(e Echo) bool { return s.seen(e.WAMID) }))
}

func (d *draft) cleared(body ReportCleared) {
	if d.state.clears(body.Session) {
		d.record(events.SessionCleared{Session: body.Session})
	}
}

func (s State) clears(session string) bool {
	return slices.ContainsFunc(s.Clearing, func(c events.Clearing) bool { return c.Session == session })
}

func (s State) cleared(f events.SessionCleared) State {
	s.Clearing = without(s.Clearing, func(c events.Clearing) bool { return c.Session == f.Session })
	return s
}

// clearing is the task of removing the files of an erased session, if one is
// owed.
func (s State) clearing() (task domain.Task, owed bool) {
	if len(s.Clearing) == 0 {
		return task, false
	}
	c := s.Clearing[0]
	return domain.Task{Lane: clearLane, Due: c.Due, Body: Clear{Session: c.Session}}, true
}
