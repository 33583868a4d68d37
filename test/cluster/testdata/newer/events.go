package events

// Noted is a fact that a newer version needs.
type Noted struct {
	Message string `msgpack:"id"`
}

// EventType is the stored name.
func (Noted) EventType() string { return "Noted" }

// Hinted is a fact that an older version may pass over.
type Hinted struct {
	Message string `msgpack:"id"`
}

// EventType is the stored name.
func (Hinted) EventType() string { return "Hinted" }

// IsOptional says that an older version may pass over it.
func (Hinted) IsOptional() bool { return true }
