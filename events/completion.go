package events

// CompletionMade says what an answer cost that belongs to no conversation. Its
// words are stored nowhere.
type CompletionMade struct {
	BotID string `msgpack:"bo,omitempty"`
	Model string `msgpack:"mo,omitempty"`
	// Tokens is what the model counted.
	Tokens int `msgpack:"tk,omitempty"`
	// Thought is how long the engine took, in microseconds.
	Thought int64 `msgpack:"th,omitempty"`
	// Failed says that there was no answer in the end.
	Failed bool    `msgpack:"fa,omitempty"`
	At     Instant `msgpack:"t"`
}

// EventType is the stored name.
func (CompletionMade) EventType() string { return "CompletionMade" }
