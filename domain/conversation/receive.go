package conversation

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parley/events"
)

// receive takes in a notification: statuses first, because one may settle a
// part that holds up the next turn, then messages, then the turn they open.
func (d *draft) receive(body Receive) {
	if n := body.Notification; n != nil && d.state.repeatsErased(body) {
		bare := *n
		bare.Payload = nil
		body.Notification = &bare
	}
	if n := body.Notification; n != nil && len(body.Messages)+len(body.Statuses)+len(body.Echoes) == 1 && len(body.Became) == 0 {
		d.notification = n
	} else if n != nil {
		d.record(*n)
	}
	for _, st := range body.Statuses {
		d.status(st)
	}
	for _, is := range body.Became {
		d.became(is)
	}
	for _, e := range body.Echoes {
		d.echo(e, body.Policy)
	}
	for _, m := range body.Messages {
		d.message(m, body.Policy)
	}
	if n := d.brought(); n != nil { // what it brought was known already
		d.record(*n)
	}
	d.startTurn()
	d.carry()
}

// worthCarrying reports that enough facts lie behind to repeat what is
// remembered. The more that is, the more facts it takes.
func (d *draft) worthCarrying(facts int) bool {
	return d.state.Since >= facts+len(d.state.Seen)/4
}

func (d *draft) message(m Inbound, policy Policy) {
	switch {
	case d.state.seen(m.WAMID), m.Placeholder && d.state.seen(seenAs(m.WAMID, true)):
		return
	case !policy.Allowed:
		d.record(events.MessageBlocked{WAMID: m.WAMID, From: m.from(), At: d.at})
		return
	case isReset(m.Text) && m.Kind == "text":
		d.record(events.SessionReset{
			Session: d.state.Session.ID, Command: strings.TrimSpace(m.Text), WAMID: m.WAMID, At: d.at,
		})
		return
	}
	full := len(d.state.Inbox) >= maxWaiting
	aside := d.at < d.state.PausedUntil
	session := d.session(m, policy)
	if !d.state.Session.Attachments {
		m.Media = nil
	}
	wanted := m.Opens || m.Media != nil
	fact := events.MessageReceived{
		Session: session, Message: m.Message, WAMID: m.WAMID,
		From: m.From, UserID: m.UserID, Profile: m.Profile, Username: m.Username,
		Kind: m.Kind, Text: m.Text, ReplyTo: m.ReplyTo, Media: m.Media,
		At: m.At, Received: d.at, Opens: wanted && !full && !aside, Aside: wanted && aside, Placeholder: m.Placeholder,
		Notification: d.brought(),
	}
	if fact.Opens && !m.Tap {
		fact.Gather = d.gather()
	}
	d.record(fact)
	if full && wanted && !aside {
		d.record(events.TurnClosed{
			Session: session, Turn: m.Message, Reason: "too_many_waiting", Messages: []string{m.Message},
			Detail: "Too many messages of this sender wait for their answer.",
		})
	}
}

// gather says until when more is waited for, after a message that came now.
func (d *draft) gather() events.Instant {
	if d.rules.Gather <= 0 {
		return 0
	}
	first := d.at
	if len(d.state.Inbox) > 0 {
		first = d.state.Inbox[0].At
	}
	return min(d.at.Add(d.rules.Gather), first.Add(d.rules.GatherMost))
}

// session gives the session of a message, and starts a new one if it needs it.
// A message that says nothing, such as a reaction, starts none.
func (d *draft) session(m Inbound, policy Policy) string {
	switch {
	case !d.expired():
		return d.state.Session.ID
	case !m.Opens && m.Text == "" && (m.Media == nil || !policy.Attachments):
		return ""
	}
	return d.newSession(m.Session, policy)
}

func (d *draft) newSession(id string, policy Policy) string {
	d.startSession(policy.session(id, d.at))
	return id
}

func (d *draft) startSession(s events.Session) {
	fact := events.SessionStarted{Session: s}
	if d.worthCarrying(startCarries) {
		carried := d.state.retire().Carried
		fact.Carried = &carried
	}
	d.record(fact)
}

func (m Inbound) from() string {
	if m.From != "" {
		return m.From
	}
	return m.UserID
}

// isReset reports that a text is a command to begin anew. Spec: "Queue and
// session semantics", commands.
func isReset(text string) bool {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "/") {
		return false
	}
	switch strings.ToLower(text) {
	case "/restart", "/reset", "/new":
		return true
	}
	return false
}

// expired reports that the next message needs a new session. A clock that
// went back does not end a session, and nothing ends one that the API made.
func (d *draft) expired() bool {
	s := d.state.Session
	if s.Direct {
		return false
	}
	return s.ID == "" || s.Lifetime == 0 ||
		d.at.Sub(s.LastAt) >= time.Duration(s.Lifetime)*time.Millisecond
}

func (p Policy) session(id string, at events.Instant) events.Session {
	return events.Session{
		ID: id, StartedAt: at, LastAt: at,
		BotID: p.BotID, BlueprintID: p.BlueprintID, Lifetime: p.Lifetime,
		ContactCollection: p.ContactCollection, Attachments: p.Attachments,
	}
}

// startTurn lets the bot set about what waits, if nothing else is under way
// and nothing more is waited for: all waiting messages of the oldest one's
// session, in the order in which they were written.
func (d *draft) startTurn() {
	if d.startAsked() {
		return
	}
	s := d.state
	if !s.gathered() || d.at < s.Gather {
		return
	}
	session := s.Inbox[0].Session
	var waiting []events.Waiting
	for _, w := range s.Inbox {
		if w.Session == session {
			waiting = append(waiting, w)
		}
	}
	turn := waiting[0].Message
	slices.SortStableFunc(waiting, func(a, b events.Waiting) int { return cmp.Compare(a.Written, b.Written) })
	d.record(events.TurnStarted{Session: session, Turn: turn, Messages: ids(waiting), At: d.at})
}

// begin starts the turn whose time to gather is over.
func (d *draft) begin() error {
	d.startTurn()
	if len(d.facts) == 0 {
		return stale("there is no turn to begin yet")
	}
	return nil
}

// status records what became of a sent message. A status that echoes a part
// which is still owed proves that Meta accepted it.
func (d *draft) status(st Status) {
	if i := d.state.find(st.Echo); st.Echo != "" && i >= 0 && rank(st.Status) > 0 {
		p := d.state.Outbox[i]
		d.record(events.PartSent{Session: p.Session, Part: p.ID, Message: p.Message, WAMID: st.WAMID, At: d.at})
	}
	fact := events.StatusReceived{
		WAMID: st.WAMID, Status: st.Status, Recipient: st.Recipient, At: st.At,
		Code: st.Code, Title: st.Title, Detail: st.Detail, Cure: st.Cure,
	}
	if i := d.state.sentIndex(st.WAMID, st.Echo); i >= 0 {
		p := d.state.Sent[i]
		same := p.Wamid == DigestOf(st.WAMID) // a part that was sent twice has another one
		if same && p.Status == st.Status {
			return // the same notification again
		}
		fact.Session, fact.Part, fact.Message = p.Session, p.Part, p.Message
		fact.Late = same && rank(st.Status) > 0 && rank(st.Status) < rank(p.Status)
	}
	fact.Notification = d.brought()
	d.record(fact)
	d.startTurn()
}
