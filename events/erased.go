package events

// SessionErased says that a session is gone with everything in it. What stands
// before of it in the log is shown to nobody any more, and is made bare.
type SessionErased struct {
	Session string `msgpack:"ss"`
	// Due is when its files are to be removed.
	Due Instant `msgpack:"u"`
}

// Clearing is an erased session whose files are to be removed.
type Clearing struct {
	Session string  `msgpack:"s"`
	Due     Instant `msgpack:"u"`
}

// SessionBared says that of an erased session only bare facts are left in the
// log.
type SessionBared struct {
	Session string `msgpack:"ss"`
	// Kept says that it is not so: the log is one that cannot be overwritten.
	Kept bool `msgpack:"ke,omitempty"`
}

// SessionCleared says that the files of an erased session were removed from the
// media store, but those that others have, too.
type SessionCleared struct {
	Session string `msgpack:"ss"`
}

// EventType is the stored name.
func (SessionErased) EventType() string { return "SessionErased" }

// EventType is the stored name.
func (SessionBared) EventType() string { return "SessionBared" }

// EventType is the stored name.
func (SessionCleared) EventType() string { return "SessionCleared" }
