package parley_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"parley/events"
)

// logged is an event as the audit looks at it.
type logged struct {
	events.Recorded
	fact events.Event
	meta events.Metadata
	at   time.Time // when it was stored
}

// audit compares what is left of a life with what is promised.
func (s *simulation) audit() {
	streams := s.read()
	for _, c := range s.people {
		facts := streams[events.StreamOf(events.ConversationCategory, events.ConversationID(s.integration, c.id))]
		for _, e := range facts {
			s.record.tally.count("fact "+e.Type, 1)
			s.story.lines = append(s.story.lines, entry{e.at, c.name, "        · " + brief(e.fact)})
		}
		s.auditMessages(c, facts)
		s.auditTurns(c, facts)
		s.auditAsks(c, facts)
		s.auditSends(c, facts)
		s.auditStatuses(c, facts)
		s.auditReplay(c, facts)
	}
	s.auditHistories()
	s.stop()
	s.auditReadModel()
	head := s.head()
	s.start()
	s.pass(time.Minute)
	if s.head() != head {
		s.fail("", "a start with nothing to do wrote something")
	}
}

// brief is a fact as the story tells it.
func brief(fact events.Event) string {
	encoded, _ := json.Marshal(fact) // a fact always encodes
	var fields map[string]any
	_ = json.Unmarshal(encoded, &fields)
	for _, long := range []string{"Notification", "Parts", "Carried", "Payload", "Memory", "Session", "UserID"} {
		delete(fields, long)
	}
	encoded, _ = json.Marshal(fields)
	return fact.EventType() + " " + string(encoded[:min(len(encoded), 300)])
}

// read reads the whole log, by stream. No secret stands in it. P9
func (s *simulation) read() map[events.Stream][]logged {
	streams := map[events.Stream][]logged{}
	for from := events.LogStart; ; {
		page, err := s.store.ReadAll(s.t.Context(), from, events.Forwards, 500)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page) == 0 {
			return streams
		}
		for _, r := range page {
			from = r.Position + 1
			fact, err := events.Decode(r.Type, r.Data)
			if err != nil {
				s.t.Fatal(err)
			}
			meta, err := events.DecodeMetadata(r.Metadata)
			if err != nil {
				s.t.Fatal(err)
			}
			streams[r.Stream] = append(streams[r.Stream], logged{r, fact, meta, r.Stored.Time()})
			for _, secret := range []string{accessToken, appSecret, apiSecret, otherSecret} {
				if strings.Contains(string(r.Data)+string(r.Metadata), secret) {
					s.fail("", "%s of %s holds a secret", r.Type, r.Stream)
				}
			}
		}
	}
}

// owing names a stream that owes work, or is "".
func (s *simulation) owing() (stream events.Stream) {
	for name, facts := range s.read() {
		if facts[len(facts)-1].meta.Owes != 0 {
			stream = name
		}
	}
	return stream
}

// auditMessages: what is acknowledged is stored, and stored once. P1 P2
func (s *simulation) auditMessages(c *character, facts []logged) {
	stored := map[string]int{}
	for _, e := range facts {
		switch f := e.fact.(type) {
		case events.MessageReceived:
			w, known := s.record.written[f.WAMID]
			switch {
			case f.Placeholder:
				stored["placeholder of "+f.WAMID]++
				continue
			case !known || w.person != c || w.text != f.Text:
				s.fail(c.name, "nobody wrote %q (%s)", f.Text, f.WAMID)
			}
			stored[f.WAMID]++
		case events.SessionReset:
			stored[f.WAMID]++
		}
	}
	for wamid, n := range stored {
		if n > 1 {
			s.fail(c.name, "%s (%s) is stored %d times", s.record.written[wamid].label, wamid, n)
		}
	}
	for wamid, w := range s.record.written {
		if _, acknowledged := s.record.messages[wamid]; w.person == c && !acknowledged {
			s.fail(c.name, "%s was never acknowledged", w.label)
		} else if w.person == c && stored[wamid] == 0 {
			s.fail(c.name, "%s was acknowledged and is not stored", w.label)
		}
	}
	for wamid := range s.record.placeholders {
		if s.record.written[wamid].person == c && stored[wamid]+stored["placeholder of "+wamid] == 0 {
			s.fail(c.name, "the placeholder of %s was acknowledged and is not stored", s.record.written[wamid].label)
		}
	}
}

// auditTurns: every message is taken up once, in order, by turns that come one
// after the other, with their sends; and each has an end with a reason. P3 P4
func (s *simulation) auditTurns(c *character, facts []logged) {
	var waiting, outbox []string
	written := map[string]events.Instant{}
	labels, open := map[string]string{}, ""
	for _, e := range facts {
		switch f := e.fact.(type) {
		case events.MessageReceived:
			labels[f.Message] = s.record.written[f.WAMID].label
			written[f.Message] = f.At
			if f.Opens {
				waiting = append(waiting, f.Message)
			}
		case events.TurnAsked:
			labels[f.Ask.Turn] = f.Text
		case events.TurnStarted:
			if open != "" || len(outbox) > 0 && !f.Asked {
				s.fail(c.name, "the turn of %s starts before the one of %s is done with", labels[f.Turn], labels[open])
			}
			want := slices.Clone(waiting[:min(len(waiting), len(f.Messages))])
			slices.SortStableFunc(want, func(a, b string) int { return cmp.Compare(written[a], written[b]) })
			if !slices.Equal(want, f.Messages) {
				s.fail(c.name, "a turn takes up %v while %v wait", named(f.Messages, labels), named(waiting, labels))
			}
			open = f.Turn
			waiting = slices.DeleteFunc(waiting, func(m string) bool { return slices.Contains(f.Messages, m) })
		case events.TurnAnswered:
			if open != f.Turn {
				s.fail(c.name, "the turn of %s is answered and not open", labels[f.Turn])
			}
			open = ""
			for _, p := range f.Parts {
				outbox = append(outbox, p.ID)
			}
		case events.TurnClosed:
			if open != f.Turn {
				s.fail(c.name, "the turn of %s is closed and not open", labels[f.Turn])
			}
			open = ""
			if f.Reason != "engine_failed" && !f.Asked || s.record.failures[labels[f.Turn]] == 0 {
				s.fail(c.name, "%v are closed as %s, after %d failures", named(f.Messages, labels), f.Reason, s.record.failures[labels[f.Turn]])
			}
		case events.SendAttempted:
			if open != "" || len(outbox) == 0 || outbox[0] != f.Part {
				s.fail(c.name, "%s is sent before its time", f.Part)
			}
		case events.PartSent, events.PartAbandoned:
			part := partOf(f)
			if len(outbox) == 0 || outbox[0] != part {
				s.fail(c.name, "%s is done with before its time", part)
			}
			outbox = slices.DeleteFunc(outbox, func(p string) bool { return p == part })
		}
	}
	if open != "" || len(waiting)+len(outbox) > 0 {
		s.fail(c.name, "in the end these wait: turn %s, messages %v, parts %v", labels[open], named(waiting, labels), outbox)
	}
}

func named(messages []string, labels map[string]string) (names []string) {
	for _, m := range messages {
		names = append(names, labels[m])
	}
	return names
}

// partOf is the part that a fact is about, or "".
func partOf(fact events.Event) string {
	switch f := fact.(type) {
	case events.SendAttempted:
		return f.Part
	case events.SendRefused:
		return f.Part
	case events.SendUnclear:
		return f.Part
	case events.PartSent:
		return f.Part
	case events.PartAbandoned:
		return f.Part
	}
	return ""
}

// auditStatuses: a status that is acknowledged is stored. P1
func (s *simulation) auditStatuses(c *character, facts []logged) {
	stored := map[string]bool{}
	for _, e := range facts {
		if f, ok := e.fact.(events.StatusReceived); ok {
			stored[f.WAMID+" "+f.Status] = true
		}
	}
	for _, a := range s.sim.Accepted(c.id) {
		for _, status := range []string{"sent", "delivered", "read", "failed"} {
			key := a.WAMID + " " + status
			if _, acknowledged := s.record.statuses[key]; acknowledged && !stored[key] {
				s.fail(c.name, "the status %s of %s was acknowledged and is not stored", status, a.Opaque)
			}
		}
	}
}
