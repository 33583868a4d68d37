package parley_test

import (
	"slices"
	"strings"
	"time"

	"parley/events"
	"parley/whatsapp/simulator"
)

// send is the life of one part.
type send struct {
	id       string
	facts    []logged
	calls    []*call
	accepted []simulator.Accepted
}

// auditSends: parts go out in order; each call was announced in the log; and
// what Meta took is sent again only if nobody could know that it had. P5
func (s *simulation) auditSends(c *character, facts []logged) {
	var order []string
	sends := map[string]*send{}
	for _, e := range facts {
		if f, ok := e.fact.(events.TurnAnswered); ok {
			for _, p := range f.Parts {
				order = append(order, p.ID)
				sends[p.ID] = &send{id: p.ID, calls: s.record.calls.byPart[p.ID]}
			}
		}
		if p := sends[partOf(e.fact)]; p != nil {
			p.facts = append(p.facts, e)
		}
	}
	last := -1
	for _, a := range s.sim.Accepted(c.id) {
		i := slices.Index(order, a.Opaque)
		if i < 0 || i < last || a.Dropped {
			s.fail(c.name, "Meta took %s (%q), the part %d after %d; dropped %v", a.Opaque, a.Text(), i, last, a.Dropped)
		}
		last = max(i, last)
		if strings.Contains(a.Text(), "never sent") {
			s.fail(c.name, "what a model said before it failed was sent")
		}
		if p := sends[a.Opaque]; p != nil {
			p.accepted = append(p.accepted, a)
		}
	}
	for _, id := range order {
		s.auditAttempts(c, sends[id])
		s.auditOutcome(c, sends[id])
	}
}

// attempts gives the facts of the attempts of a part.
func (p *send) attempts() (attempts []logged) {
	for _, e := range p.facts {
		if _, ok := e.fact.(events.SendAttempted); ok {
			attempts = append(attempts, e)
		}
	}
	return attempts
}

// auditAttempts: every call to Meta has an attempt of its own, recorded before
// it.
func (s *simulation) auditAttempts(c *character, p *send) {
	attempts := p.attempts()
	for i, call := range p.calls {
		if i >= len(attempts) || call.at.Before(attempts[i].at) {
			s.fail(c.name, "the call %d for %s at %v was not announced", i+1, p.id, s.since(call.at))
		}
	}
	if n := len(p.accepted); n > 1 {
		s.record.tally.count("parts that Meta took again", 1)
	}
	for i := 1; i < len(p.calls); i++ {
		before, again := p.calls[i-1], p.calls[i]
		echoed, settled := s.record.echoes[p.id]
		switch gap := again.at.Sub(before.at); {
		case settled && echoed.Before(again.at):
			s.fail(c.name, "%s was sent again at %v although a status had settled it at %v", p.id, s.since(again.at), s.since(echoed))
		case before.told && !s.record.died(before.ended, again.at):
			s.fail(c.name, "%s was sent again at %v although Meta's answer had come at %v", p.id, s.since(again.at), s.since(before.ended))
		case p.acceptedSince(before.at, again.at) && gap < s.rules.Settle/2: // by then the call before has surely ended
			s.fail(c.name, "%s was sent again after %v, and Meta had taken it", p.id, gap)
		}
	}
}

func (s *simulation) since(at time.Time) time.Duration { return at.Sub(s.story.began) }

func (p *send) acceptedSince(from, to time.Time) bool {
	return slices.ContainsFunc(p.accepted, func(a simulator.Accepted) bool { return !a.At.Before(from) && a.At.Before(to) })
}

// auditOutcome: what the log says of a part is what happened.
func (s *simulation) auditOutcome(c *character, p *send) {
	attempted, unclear := events.SendAttempted{}, 0
	refused := false
	for _, e := range p.facts {
		switch f := e.fact.(type) {
		case events.SendAttempted:
			attempted = f
		case events.SendUnclear:
			unclear++
		case events.SendRefused:
			refused = true
			if p.acceptedSince(attempted.At.Time(), e.at) {
				s.fail(c.name, "%s is noted as refused (%s), and Meta had taken it", p.id, f.Detail)
			}
		case events.PartSent:
			if !slices.ContainsFunc(p.accepted, func(a simulator.Accepted) bool { return a.WAMID == f.WAMID }) {
				s.fail(c.name, "%s is noted as sent, and Meta has never taken it", p.id)
			}
		case events.PartAbandoned:
			switch {
			case f.Reason == "unclear" && unclear+1 < s.rules.UnclearAttempts, f.Reason == "refused" && !refused,
				f.Reason != "unclear" && f.Reason != "refused":
				s.fail(c.name, "%s is abandoned as %s without a cause", p.id, f.Reason)
			}
			for _, call := range p.calls {
				if call.told && !s.record.died(call.ended, e.at) {
					s.fail(c.name, "%s is abandoned as %s although Meta's answer had come", p.id, f.Reason)
				}
			}
		}
	}
}
