package events

// TokenIssued says that a secret for the API was handed out. Only its hash is
// kept; the secret itself is shown once and stored nowhere.
type TokenIssued struct {
	Token string `msgpack:"id"`
	Name  string `msgpack:"nm,omitempty"`
	// Hash is the SHA-256 of the secret. The secret is 256 random bits, so a
	// slow hash would add nothing.
	Hash []byte `msgpack:"ha"`
}

// TokenRevoked says that a secret is no longer accepted.
type TokenRevoked struct {
	Token string `msgpack:"id"`
}

// EventType is the stored name.
func (TokenIssued) EventType() string { return "TokenIssued" }

// EventType is the stored name.
func (TokenRevoked) EventType() string { return "TokenRevoked" }
