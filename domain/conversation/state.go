package conversation

import (
	"hash/fnv"
	"slices"

	"parley/events"
)

// State is what the facts of one conversation come to.
//
// Invariant: while messages wait, something is owed: the turn or the parts
// before them, their files, or the beginning of their turn.
type State struct {
	// Session is the newest session; ID "" means that the next message starts
	// one.
	Session events.Session
	events.Carried
	// Since counts the facts since the last one that loading can begin with.
	Since int
}

// DigestOf stands for a wamid among those of one conversation.
func DigestOf(wamid string) (d events.Digest) {
	h := fnv.New128a()
	_, _ = h.Write([]byte(wamid)) // a hash never fails
	h.Sum(d[:0])
	return d
}

// seenAs is what a message is remembered by. A placeholder must not stand in
// the way of the message it announces.
func seenAs(wamid string, placeholder bool) string {
	if placeholder {
		return "placeholder of " + wamid
	}
	return wamid
}

func (s State) seen(wamid string) bool {
	digest := DigestOf(wamid)
	return slices.ContainsFunc(s.Seen, func(e events.Seen) bool { return e.Digest == digest })
}

// evolve folds a fact into the state. Slices are never changed in place: an
// older state stays what it was.
func (r Rules) evolve(s State, fact events.Event) State {
	s.Since++
	switch f := fact.(type) {
	case events.SessionStarted:
		if f.Carried != nil {
			s = State{Carried: *f.Carried}
		} else {
			s = s.retire()
		}
		s.Session = f.Session
		if f.Session.ContactCollection {
			s.Collect = append(slices.Clip(s.Collect[max(0, len(s.Collect)-maxCollect+1):]), f.Session.ID)
		}
	case events.SessionContinued:
		return State{Session: f.Session, Carried: f.Carried}
	case events.SessionDescribed:
		s = s.changeSession(f.Session, func(e *events.Session) { *e = described(*e, f.Changes) })
	case events.SessionErased:
		s = s.erased(f)
	case events.SessionBared:
		s = s.bared(f)
	case events.SessionCleared:
		s = s.cleared(f)
	case events.SessionReset:
		s = s.retire().remember(r, f.WAMID, f.At)
	case events.MessageReceived:
		s = s.received(r, f)
	case events.MessageBlocked:
		s = s.remember(r, f.WAMID, f.At)
	case events.EchoReceived:
		s = s.echoReceived(r, f)
	case events.AttachmentStored:
		s = s.settled(f.Message)
	case events.AttachmentUploaded:
		s = s.attached(r, f)
	case events.AttachmentFailed:
		s = s.settled(f.Message)
	case events.FetchDelayed:
		s = s.fetchDelayed(f)
	case events.PersonChanged:
		s = s.personChanged(f)
	case events.ContactLinked:
		s = s.linked(f)
	case events.ContactSkipped:
		s.Was, s.Collect = nil, nil
	case events.TurnAsked:
		s = s.turnAsked(r, f)
	case events.TurnStarted:
		s = s.turnStarted(f)
	case events.ProgressReported:
		s = s.progressReported(f)
	case events.Initiated:
		s = s.initiated(r, f)
	case events.TurnDelayed:
		s = s.turnDelayed(f)
	case events.TurnAnswered:
		s = s.turnAnswered(f)
	case events.TurnClosed:
		s = s.turnClosed(f)
	case events.SendAttempted:
		s = s.attempted(r, f)
	case events.SendRefused:
		s = s.refused(f)
	case events.SendUnclear:
		s = s.postponed(f.Part, f.Due, true, false)
	case events.PartResumed:
		s = s.postponed(f.Part, 0, false, false)
	case events.PartAbandoned:
		s = s.abandoned(f.Part)
	case events.PartSent:
		s = s.partSent(r, f)
	case events.StatusReceived:
		s = s.statusReceived(f)
	}
	return s
}

// remember notes a wamid and forgets those that are too old to come again.
func (s State) remember(r Rules, wamid string, at events.Instant) State {
	old := at.Add(-r.Remember)
	first := max(0, len(s.Seen)-keepSeen+1)
	for first < len(s.Seen) && s.Seen[first].At < old {
		first++
	}
	s.Seen = append(slices.Clip(s.Seen[first:]), events.Seen{Digest: DigestOf(wamid), At: at})
	return s
}

// retire ends the newest session. It is kept aside as long as messages of it
// wait for their answer.
func (s State) retire() State {
	var earlier []events.Session
	for _, e := range append(slices.Clone(s.Earlier), s.Session) {
		if s.awaits(e.ID) {
			earlier = append(earlier, e)
		}
	}
	s.Earlier, s.Session = earlier, events.Session{}
	return s
}

func (s State) awaits(session string) bool {
	if session == "" {
		return false
	}
	return s.Turn != nil && s.Turn.Session == session ||
		slices.ContainsFunc(s.Asked, func(a events.Ask) bool { return a.Session == session }) ||
		slices.ContainsFunc(s.Inbox, func(w events.Waiting) bool { return w.Session == session })
}

// session finds the settings of a session that is the newest or is awaited.
func (s State) session(id string) events.Session {
	for _, e := range s.Earlier {
		if e.ID == id {
			return e
		}
	}
	return s.Session
}

func (s State) received(r Rules, f events.MessageReceived) State {
	s = s.remember(r, seenAs(f.WAMID, f.Placeholder), f.Received)
	if f.Session == s.Session.ID {
		s.Session.LastAt = f.Received
	}
	s.LastInbound = max(s.LastInbound, f.At)
	if f.Kind != "system" { // those still name the person as they were
		s.Who = s.Who.With(events.Person{Phone: f.From, UserID: f.UserID, Name: f.Profile, Username: f.Username})
	}
	if f.Opens {
		s.Gather = f.Gather
		s.Inbox = append(slices.Clip(s.Inbox), events.Waiting{
			Message: f.Message, Session: f.Session, At: f.Received, Written: f.At,
		})
	}
	if f.Media != nil {
		s.Fetches = append(slices.Clip(s.Fetches), events.OpenFetch{
			Message: f.Message, Session: f.Session, Kind: f.Kind, Media: *f.Media, Since: f.Received,
		})
	}
	return s
}

func (s State) turnStarted(f events.TurnStarted) State {
	if i := s.askIndex(f.Turn); i >= 0 {
		return s.askStarted(f, i)
	}
	turn := &events.OpenTurn{ID: f.Turn, Session: f.Session, StartedAt: f.At}
	var rest []events.Waiting
	for _, w := range s.Inbox {
		if slices.Contains(f.Messages, w.Message) {
			turn.Messages = append(turn.Messages, w)
		} else {
			rest = append(rest, w)
		}
	}
	s.Turn, s.Inbox, s.Gather = turn, rest, 0
	return s
}

func (s State) turnDelayed(f events.TurnDelayed) State {
	if s.Turn == nil || s.Turn.ID != f.Turn {
		return s
	}
	turn := *s.Turn
	turn.Attempts, turn.Due = f.Attempt, f.Due
	s.Turn = &turn
	return s
}

func (s State) turnAnswered(f events.TurnAnswered) State {
	s = s.queued(f.Session, f.Parts, nil)
	s = s.changeSession(f.Session, func(e *events.Session) {
		if e.BotID != f.BotID && (e.Pinned || e.BlueprintID == "") {
			return // the session was given another bot meanwhile
		}
		e.Memory = f.Memory
		if f.BotID != "" && !e.Pinned && !e.Direct {
			e.BotID, e.BotRevision, e.Pinned = f.BotID, f.BotRevision, true
		}
	})
	s = s.turnEnded(f.Turn)
	if f.EndSession && s.Session.ID == f.Session && !s.Session.Direct {
		s = s.retire()
	}
	return s
}

// changeSession changes the newest session or an earlier one that is awaited.
func (s State) changeSession(id string, change func(*events.Session)) State {
	if s.Session.ID == id {
		change(&s.Session)
		return s
	}
	if i := slices.IndexFunc(s.Earlier, func(e events.Session) bool { return e.ID == id }); i >= 0 {
		s.Earlier = slices.Clone(s.Earlier)
		change(&s.Earlier[i])
	}
	return s
}

func (s State) turnClosed(f events.TurnClosed) State {
	s = s.turnEnded(f.Turn)
	var rest []events.Waiting
	for _, w := range s.Inbox {
		if !slices.Contains(f.Messages, w.Message) {
			rest = append(rest, w)
		}
	}
	s.Inbox = rest
	return s.queued(f.Session, f.Parts, nil)
}

func (s State) progressReported(f events.ProgressReported) State {
	if s.Turn != nil && s.Turn.ID == f.Turn {
		turn := *s.Turn
		turn.Progress = f.Number + 1
		s.Turn = &turn
	}
	return s.queued(f.Session, f.Parts, func(p *events.OpenPart) { p.Reports = true })
}

func (s State) initiated(r Rules, f events.Initiated) State {
	if f.Key != "" {
		s = s.remember(r, keySeenAs(f.Key), f.At)
	}
	if f.Session == s.Session.ID {
		s.Session.LastAt = f.At
	}
	return s.queued(f.Session, f.Parts, func(p *events.OpenPart) { p.Initiates = true })
}
