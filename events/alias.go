package events

// AliasClaimed says that an alias belongs to the holder from now on.
type AliasClaimed struct {
	Holder string  `msgpack:"h"`
	At     Instant `msgpack:"t"`
}

// AliasReleased says that an alias belongs to nobody.
type AliasReleased struct{}

// EventType is the stored name.
func (AliasClaimed) EventType() string { return "AliasClaimed" }

// EventType is the stored name.
func (AliasReleased) EventType() string { return "AliasReleased" }
