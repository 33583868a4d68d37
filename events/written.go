package events

// SessionChanges are what people change about a session. What is nil stays.
type SessionChanges struct {
	Name        *string `msgpack:"nm,omitempty"`
	Description *string `msgpack:"ds,omitempty"`
	// BotID is who answers, ContactID whom the session is with; "" is nobody.
	BotID     *string `msgpack:"bo,omitempty"`
	ContactID *string `msgpack:"co,omitempty"`
	// Model and Backstory are those of the session itself, see Session.
	Model     *string `msgpack:"mo,omitempty"`
	Backstory *string `msgpack:"bs,omitempty"`
	// Privacy and Moderation are kept for clients; nothing depends on them.
	Privacy    *bool `msgpack:"pv,omitempty"`
	Moderation *bool `msgpack:"mr,omitempty"`
	// Meta is a JSON object whose keys are set in what there is; may be empty.
	Meta []byte `msgpack:"mt,omitempty"`
}

// SessionDescribed says that people changed what is known about a session.
type SessionDescribed struct {
	Session string         `msgpack:"ss"`
	Changes SessionChanges `msgpack:"ch"`
}

// MessageWritten says that somebody put a message into a session through the
// API. It is part of the history, and goes to nobody.
type MessageWritten struct {
	Session string `msgpack:"ss"`
	// Message is our ID of it.
	Message string `msgpack:"id"`
	// Type is the API's word: user, bot, reasoning, context, instruction,
	// backstory, activity or checkpoint.
	Type        string `msgpack:"ty"`
	Text        string `msgpack:"tx,omitempty"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
}

// EventType is the stored name.
func (SessionDescribed) EventType() string { return "SessionDescribed" }

// EventType is the stored name.
func (MessageWritten) EventType() string { return "MessageWritten" }
