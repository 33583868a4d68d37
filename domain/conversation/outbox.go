package conversation

import (
	"slices"

	"parley/events"
)

// find gives the index of a part that is still owed, or -1.
func (s State) find(part string) int {
	return slices.IndexFunc(s.Outbox, func(p events.OpenPart) bool { return p.ID == part })
}

// change replaces one part of the outbox, leaving the old slice alone.
func (s State) change(i int, change func(*events.OpenPart)) State {
	s.Outbox = slices.Clone(s.Outbox)
	change(&s.Outbox[i])
	return s
}

func (s State) remove(i int) State {
	s.Outbox = slices.Delete(slices.Clone(s.Outbox), i, i+1)
	if len(s.Outbox) == 0 {
		s.Outbox = nil
	}
	return s
}

func (s State) attempted(r Rules, f events.SendAttempted) State {
	i := s.find(f.Part)
	if i < 0 {
		return s
	}
	s.Paced = r.pace(s.Paced, f.At)
	return s.change(i, func(p *events.OpenPart) {
		p.Attempts, p.LastAttempt, p.Trying, p.Held = f.Attempt, f.At, true, false
		if p.FirstAttempt == 0 {
			p.FirstAttempt = f.At
		}
	})
}

// queued puts parts behind those that are owed already, but before those that
// begin a conversation: these came while a turn was open, and the turn's own
// come first.
func (s State) queued(session string, parts []events.Part, change func(*events.OpenPart)) State {
	added := make([]events.OpenPart, len(parts))
	for i, p := range parts {
		added[i] = events.OpenPart{Part: p, Session: session}
		if change != nil {
			change(&added[i])
		}
	}
	at := len(s.Outbox)
	if len(added) > 0 && !added[0].Initiates {
		if i := slices.IndexFunc(s.Outbox, func(p events.OpenPart) bool { return p.Initiates }); i >= 0 {
			at = i
		}
	}
	if len(added) > 0 {
		s.Outbox = slices.Insert(slices.Clone(s.Outbox), at, added...)
	}
	return s
}

// postponed ends an attempt and notes when the part is tried again.
func (s State) postponed(part string, due events.Instant, unclear, held bool) State {
	i := s.find(part)
	if i < 0 {
		return s
	}
	return s.change(i, func(p *events.OpenPart) {
		p.Trying, p.Due, p.Held = false, due, held
		if unclear {
			p.Unclear++
		}
	})
}

// refused postpones a part, and notes how it is to be tried again.
func (s State) refused(f events.SendRefused) State {
	s = s.postponed(f.Part, f.Due, false, f.Held)
	if i := s.find(f.Part); i >= 0 && f.Other {
		s = s.change(i, func(p *events.OpenPart) { p.Other = true })
	}
	return s
}

func (s State) abandoned(part string) State {
	if i := s.find(part); i >= 0 {
		s = s.remove(i)
	}
	return s
}

func (s State) partSent(r Rules, f events.PartSent) State {
	if i := s.find(f.Part); i >= 0 {
		file := s.Outbox[i].File
		s = s.remove(i)
		if file && len(s.Outbox) > 0 {
			s = s.change(0, func(p *events.OpenPart) { p.Behind, p.Due = f.Part, max(p.Due, f.At.Add(r.FilePause)) })
		}
	}
	if f.To != "" {
		s.Reach = f.To
	}
	old := f.At.Add(-keepSentFor)
	first := max(0, len(s.Sent)-keepSent+1)
	for first < len(s.Sent) && s.Sent[first].At < old {
		first++
	}
	s.Sent = append(slices.Clone(s.Sent[first:]), events.SentPart{
		Part: f.Part, Message: f.Message, Session: f.Session, Wamid: DigestOf(f.WAMID), At: f.At,
	})
	return s
}

// rank orders statuses. Meta sends them in any order, and a message never goes
// back; but a failed one may still turn out to have arrived. Unknown words
// rank 0 and change nothing. Meta: status messages, "status" values.
func rank(status string) int {
	switch status {
	case "sent":
		return 1
	case "failed":
		return 2
	case "delivered":
		return 3
	case "read":
		return 4
	case "played":
		return 5
	}
	return 0
}

// sentIndex gives the sent part that a status is about, or -1.
func (s State) sentIndex(wamid, echo string) int {
	digest := DigestOf(wamid)
	return slices.IndexFunc(s.Sent, func(p events.SentPart) bool {
		return p.Wamid == digest || echo != "" && p.Part == echo
	})
}

func (s State) statusReceived(f events.StatusReceived) State {
	i := s.sentIndex(f.WAMID, "")
	if i < 0 || rank(f.Status) <= rank(s.Sent[i].Status) {
		return s
	}
	s.Sent = slices.Clone(s.Sent)
	s.Sent[i].Status = f.Status
	if len(s.Outbox) > 0 && s.Outbox[0].Behind == s.Sent[i].Part {
		s = s.change(0, func(p *events.OpenPart) { p.Behind, p.Due = "", 0 })
	}
	return s
}
