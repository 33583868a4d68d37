package conversation

import (
	"slices"

	"parley/events"
)

// became notes that the sender has other identifiers now.
func (d *draft) became(is events.Person) {
	if now := d.state.Who.With(is); now != d.state.Who {
		d.record(events.PersonChanged{Session: d.state.Session.ID, Is: is, At: d.at})
	}
}

func (s State) personChanged(f events.PersonChanged) State {
	was := s.Who
	if s.Was != nil {
		was = *s.Was // they changed twice
	}
	s.Was, s.Who = &was, s.Who.With(f.Is)
	return s
}

// linked notes which contact the sender is in a session.
func (d *draft) linked(body ReportContact) {
	if d.collects(body.Session) {
		d.record(events.ContactLinked{Session: body.Session, Contact: body.Contact})
	}
}

func (d *draft) collects(session string) bool {
	return slices.Contains(d.state.Collect, session) || session == d.state.Session.ID && d.state.Was != nil
}

// skipContact ends the collecting: there is nobody to collect for any more.
func (d *draft) skipContact(body SkipContact) {
	if len(d.state.Collect) > 0 || d.state.Was != nil {
		d.record(events.ContactSkipped{Reason: body.Reason})
	}
}

func (s State) linked(f events.ContactLinked) State {
	s.Was = nil
	s.Collect = slices.DeleteFunc(slices.Clone(s.Collect), func(id string) bool { return id == f.Session })
	if len(s.Collect) == 0 {
		s.Collect = nil
	}
	return s.changeSession(f.Session, func(e *events.Session) { e.Contact = f.Contact })
}

// collection is the task of storing the sender, if it is owed.
func (s State) collection() (task Collect, owed bool) {
	task = Collect{Who: s.Who, Was: s.Was}
	switch {
	case s.Who.Phone == "" && s.Who.UserID == "":
		return task, false
	case len(s.Collect) > 0:
		task.Session = s.Collect[0]
	case s.Was != nil && s.Session.ContactCollection:
		task.Session = s.Session.ID
	}
	return task, task.Session != ""
}
