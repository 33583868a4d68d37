package events

// BotSettings is everything that can be configured about a bot. Facts carry it
// whole.
type BotSettings struct {
	Alias       string `msgpack:"al,omitempty"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	BlueprintID string `msgpack:"bl,omitempty"`
	// Backstory is the instruction the model gets, or the script of a bot of
	// the built-in engine.
	Backstory string `msgpack:"bs,omitempty"`
	// Model is "name" or "name/key=value/…"; "" is the server's default.
	Model      string `msgpack:"mo,omitempty"`
	Privacy    bool   `msgpack:"pv,omitempty"`
	Moderation bool   `msgpack:"mr,omitempty"`
	// Visibility is "private", "protected" or "public".
	Visibility string `msgpack:"vi,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
}

// BotCreated says that a bot exists from now on.
type BotCreated struct {
	Account  string      `msgpack:"ac"`
	Settings BotSettings `msgpack:"se"`
}

// BotUpdated carries the settings that hold from now on.
type BotUpdated struct {
	Settings BotSettings `msgpack:"se"`
}

// BotDeleted says that a bot is gone. Whatever was linked to it has no bot.
type BotDeleted struct {
	Account string `msgpack:"ac"`
}

// EventType is the stored name.
func (BotCreated) EventType() string { return "BotCreated" }

// EventType is the stored name.
func (BotUpdated) EventType() string { return "BotUpdated" }

// EventType is the stored name.
func (BotDeleted) EventType() string { return "BotDeleted" }
