package events

import (
	"encoding/json"
	"maps"
)

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

// MessageChanges are what people change about a message. What is nil stays.
type MessageChanges struct {
	Type        *string `msgpack:"ty,omitempty"`
	Text        *string `msgpack:"tx,omitempty"`
	Name        *string `msgpack:"nm,omitempty"`
	Description *string `msgpack:"ds,omitempty"`
	// Meta is a JSON object whose keys are set in what there is; may be empty.
	Meta []byte `msgpack:"mt,omitempty"`
}

// MessageRewritten says that people changed a message of a session, whoever
// wrote it.
type MessageRewritten struct {
	Session string         `msgpack:"ss"`
	Message string         `msgpack:"id"`
	Changes MessageChanges `msgpack:"ch"`
}

// MessageStruck says that people removed a message from a session. Nobody is
// shown it any more.
type MessageStruck struct {
	Session string `msgpack:"ss"`
	Message string `msgpack:"id"`
}

// EventType is the stored name.
func (MessageRewritten) EventType() string { return "MessageRewritten" }

// EventType is the stored name.
func (MessageStruck) EventType() string { return "MessageStruck" }

// EventType is the stored name.
func (SessionDescribed) EventType() string { return "SessionDescribed" }

// EventType is the stored name.
func (MessageWritten) EventType() string { return "MessageWritten" }

// WithKeys gives a JSON object with the keys of another one set in it: those
// that were there are replaced whole. What is no object counts as {}.
func WithKeys(object, change []byte) []byte {
	if len(change) == 0 {
		return object
	}
	var all, more map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || all == nil {
		all = map[string]json.RawMessage{}
	}
	if json.Unmarshal(change, &more) == nil {
		maps.Copy(all, more)
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // what was JSON encodes
	}
	return b
}
