package events

// BlueprintSettings is everything that can be configured about a blueprint.
// Facts carry it whole.
type BlueprintSettings struct {
	Alias       string `msgpack:"al,omitempty"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	// Visibility is "private", "protected" or "public".
	Visibility string `msgpack:"vi,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
}

// BlueprintCreated says that a blueprint exists from now on.
type BlueprintCreated struct {
	Account  string            `msgpack:"ac"`
	Settings BlueprintSettings `msgpack:"se"`
}

// BlueprintUpdated carries the settings that hold from now on.
type BlueprintUpdated struct {
	Settings BlueprintSettings `msgpack:"se"`
}

// BlueprintDeleted says that a blueprint is gone. Whatever was linked to it has
// no blueprint.
type BlueprintDeleted struct {
	Account string `msgpack:"ac"`
	// WithResources means that what was linked to it at this moment is to be
	// deleted, too.
	WithResources bool `msgpack:"wr,omitempty"`
}

// BlueprintDissolved says that everything is deleted which was to be deleted
// with the blueprint.
type BlueprintDissolved struct{}

// EventType is the stored name.
func (BlueprintCreated) EventType() string { return "BlueprintCreated" }

// EventType is the stored name.
func (BlueprintUpdated) EventType() string { return "BlueprintUpdated" }

// EventType is the stored name.
func (BlueprintDeleted) EventType() string { return "BlueprintDeleted" }

// EventType is the stored name.
func (BlueprintDissolved) EventType() string { return "BlueprintDissolved" }
