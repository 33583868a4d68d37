package events

// Bare gives what is left of a fact when a session is erased: what happened,
// when, how much it came to and by which IDs it is known. No word that somebody
// said, wrote or was told is in it, no name, and nothing that Meta sent as it
// was. Facts that hold nothing of the session are given as they are.
//
// What it leaves out counts for nothing once the session is erased: states and
// read models that are folded from bare facts and from whole ones are the same
// from SessionErased on. It is for facts before that one.
//
// Identifiers of the person stay, for the stream is named by one, and others of
// their sessions need them.
func Bare(fact Event, session string) Event {
	switch f := fact.(type) {
	case NotificationReceived: // nobody knows which session it told of
		return f.bare()
	case SessionContinued:
		f.Session, f.Carried = f.Session.bareIf(session), f.Carried.bare(session)
		return f
	case SessionStarted:
		return f.bare(session)
	}
	if SessionOf(fact) != session || session == "" {
		return fact
	}
	if f, ok := fact.(interface{ bare() Event }); ok {
		return f.bare()
	}
	return fact
}

// said stands for words that are left out, where it counts that there were some.
const said = "*"

func bareText(text string) string {
	if text == "" {
		return ""
	}
	return said
}

func (p Person) bare() Person { return Person{Phone: p.Phone, UserID: p.UserID} }

func (n NotificationReceived) bare() NotificationReceived {
	n.Payload, n.Problem = nil, ""
	return n
}

func bareNotification(n *NotificationReceived) *NotificationReceived {
	if n == nil {
		return nil
	}
	is := n.bare()
	return &is
}

func (m TurnMessage) bare() TurnMessage {
	m.Text = bareText(m.Text)
	if m.Call != nil {
		m.Call = &Call{ID: m.Call.ID}
	}
	return m
}

func (p Part) bare() Part {
	p.Payload = nil
	return p
}

func (m Media) bare() Media {
	m.SHA256, m.Name = "", ""
	return m
}

// bare leaves the hash: by it the content is removed from the media store.
func (a Attachment) bare() Attachment {
	a.Name = ""
	return a
}

func (s Session) bare() Session {
	s.InitiatedTo, s.Memory, s.Backstory = "", nil, ""
	return s
}

func (s Session) bareIf(session string) Session {
	if s.ID == session {
		return s.bare()
	}
	return s
}

// bare leaves out the person's names, too: the sessions that follow bring them
// again.
func (c Carried) bare(session string) Carried {
	c.Who = c.Who.bare()
	if c.Was != nil {
		was := c.Was.bare()
		c.Was = &was
	}
	c.Earlier = each(c.Earlier, func(s Session) Session { return s.bareIf(session) })
	c.Fetches = each(c.Fetches, func(f OpenFetch) OpenFetch {
		if f.Session == session {
			f.Media = f.Media.bare()
		}
		return f
	})
	c.Outbox = each(c.Outbox, func(p OpenPart) OpenPart {
		if p.Session == session {
			p.Part = p.Part.bare()
		}
		return p
	})
	return c
}

// each gives a list with every element changed; none stays none.
func each[E any](list []E, change func(E) E) []E {
	var changed []E
	for _, e := range list {
		changed = append(changed, change(e))
	}
	return changed
}

func bareMessages(all []TurnMessage) []TurnMessage { return each(all, TurnMessage.bare) }

func bareParts(all []Part) []Part { return each(all, Part.bare) }

func (c SessionChanges) bare() SessionChanges {
	c.Name, c.Description, c.Backstory, c.Meta = nil, nil, nil, nil
	return c
}

func (e SessionStarted) bare(session string) Event {
	if e.Carried != nil {
		carried := e.Carried.bare(session)
		e.Carried = &carried
	}
	if e.Session.ID != session {
		return e
	}
	e.Session = e.Session.bare()
	if e.Described != nil {
		described := e.Described.bare()
		e.Described = &described
	}
	return e
}

func (e SessionDescribed) bare() Event {
	e.Changes = e.Changes.bare()
	return e
}

func (e MessageReceived) bare() Event {
	e.Profile, e.Username, e.Text, e.ReplyTo = "", "", bareText(e.Text), ""
	if e.Media != nil {
		media := e.Media.bare()
		e.Media = &media
	}
	e.Notification = bareNotification(e.Notification)
	return e
}

func (e EchoReceived) bare() Event {
	e.Text, e.Notification = bareText(e.Text), bareNotification(e.Notification)
	return e
}

func (e MessageWritten) bare() Event {
	e.Text, e.Name, e.Description, e.Meta = bareText(e.Text), "", "", nil
	return e
}

func (e MessageRewritten) bare() Event {
	e.Changes = MessageChanges{Type: e.Changes.Type}
	return e
}

func (e AttachmentStored) bare() Event {
	e.Attachment, e.Transcript = e.Attachment.bare(), ""
	return e
}

func (e AttachmentUploaded) bare() Event {
	e.Attachment = e.Attachment.bare()
	return e
}

func (e AttachmentFailed) bare() Event {
	e.Reason = ""
	return e
}

func (e FetchDelayed) bare() Event {
	e.Reason = ""
	return e
}

func (e PersonChanged) bare() Event {
	e.Is = e.Is.bare()
	return e
}

func (e TurnAsked) bare() Event {
	e.Text, e.Backstory = bareText(e.Text), ""
	if e.As != nil {
		as := e.As.bare()
		e.As = &as
	}
	return e
}

func (e TurnDelayed) bare() Event {
	e.Reason = ""
	return e
}

func (e TurnAnswered) bare() Event {
	e.Messages, e.Parts, e.Memory = bareMessages(e.Messages), bareParts(e.Parts), nil
	return e
}

func (e TurnClosed) bare() Event {
	e.Detail, e.Said, e.Parts = "", bareMessages(e.Said), bareParts(e.Parts)
	return e
}

func (e ProgressReported) bare() Event {
	e.Said, e.Parts = e.Said.bare(), bareParts(e.Parts)
	return e
}

func (e Initiated) bare() Event {
	e.To, e.Said, e.Parts = "", bareMessages(e.Said), bareParts(e.Parts)
	return e
}

func (e SendRefused) bare() Event {
	e.Detail, e.Cure, e.To = "", "", ""
	return e
}

func (e SendUnclear) bare() Event {
	e.Detail = ""
	return e
}

func (e PartAbandoned) bare() Event {
	e.Detail = ""
	return e
}

func (e StatusReceived) bare() Event {
	e.Recipient, e.Title, e.Detail, e.Cure = "", "", "", ""
	e.Notification = bareNotification(e.Notification)
	return e
}
