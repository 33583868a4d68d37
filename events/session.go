package events

// InSession is a fact that belongs to a session.
type InSession interface {
	Event
	// InSession is the session's ID, "" for a fact outside of any.
	InSession() string
}

// SessionOf gives the session that a fact belongs to, "" if to none.
func SessionOf(e Event) string {
	if s, ok := e.(InSession); ok {
		return s.InSession()
	}
	return ""
}

// InSession is the session that started.
func (e SessionStarted) InSession() string { return e.Session.ID }

// InSession is the session's ID.
func (e SessionDescribed) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SessionReset) InSession() string { return e.Session }

// InSession is the session's ID.
func (e MessageReceived) InSession() string { return e.Session }

// InSession is the session's ID.
func (e MessageWritten) InSession() string { return e.Session }

// InSession is the session's ID.
func (e EchoReceived) InSession() string { return e.Session }

// InSession is the session's ID.
func (e AttachmentStored) InSession() string { return e.Session }

// InSession is the session's ID.
func (e AttachmentUploaded) InSession() string { return e.Session }

// InSession is the session's ID.
func (e FetchDelayed) InSession() string { return e.Session }

// InSession is the session's ID.
func (e AttachmentFailed) InSession() string { return e.Session }

// InSession is the session's ID.
func (e PersonChanged) InSession() string { return e.Session }

// InSession is the session's ID.
func (e ContactLinked) InSession() string { return e.Session }

// InSession is the session's ID.
func (e TurnAsked) InSession() string { return e.Ask.Session }

// InSession is the session's ID.
func (e TurnStarted) InSession() string { return e.Session }

// InSession is the session's ID.
func (e TurnDelayed) InSession() string { return e.Session }

// InSession is the session's ID.
func (e TurnAnswered) InSession() string { return e.Session }

// InSession is the session's ID.
func (e TurnClosed) InSession() string { return e.Session }

// InSession is the session's ID.
func (e ProgressReported) InSession() string { return e.Session }

// InSession is the session's ID.
func (e Initiated) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SendRefused) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SendUnclear) InSession() string { return e.Session }

// InSession is the session's ID.
func (e PartSent) InSession() string { return e.Session }

// InSession is the session's ID.
func (e PartAbandoned) InSession() string { return e.Session }

// InSession is the session's ID.
func (e StatusReceived) InSession() string { return e.Session }

// InSession is the session's ID.
func (e MessageRewritten) InSession() string { return e.Session }

// InSession is the session's ID.
func (e MessageStruck) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SessionErased) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SessionBared) InSession() string { return e.Session }

// InSession is the session's ID.
func (e SessionCleared) InSession() string { return e.Session }
