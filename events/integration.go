package events

// IntegrationSettings is everything that can be configured about a WhatsApp
// integration. Facts carry it whole, so that a reader needs no earlier fact.
type IntegrationSettings struct {
	Alias       string `msgpack:"al,omitempty"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	BotID       string `msgpack:"bo,omitempty"`
	BlueprintID string `msgpack:"bl,omitempty"`
	// PhoneNumberID is Meta's ID of the business number, digits; "" when not
	// configured yet.
	PhoneNumberID string `msgpack:"pn,omitempty"`
	// VerifyToken is made at creation and never changes.
	VerifyToken string `msgpack:"vt,omitempty"`
	// AccessToken and AppSecret are references into the integration's secret
	// stream, never the credentials; "" when there is none.
	AccessToken string `msgpack:"at,omitempty"`
	AppSecret   string `msgpack:"as,omitempty"`
	// ContactCollection stores who writes as contacts.
	ContactCollection bool `msgpack:"cc,omitempty"`
	// Attachments fetches and stores media.
	Attachments bool `msgpack:"am,omitempty"`
	// SessionMillis is how long a session lives after the last message, in
	// milliseconds; 0 starts a conversation with every message, nil is the
	// default (one day).
	SessionMillis *int64 `msgpack:"sd,omitempty"`
	// AllowFrom says who may write, as the user wrote it; nil denies everyone.
	AllowFrom *string `msgpack:"af,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
}

// IntegrationCreated says that an integration exists from now on.
type IntegrationCreated struct {
	Account  string              `msgpack:"ac"`
	Settings IntegrationSettings `msgpack:"se"`
}

// IntegrationUpdated carries the settings that hold from now on.
type IntegrationUpdated struct {
	Settings IntegrationSettings `msgpack:"se"`
}

// IntegrationDeleted says that an integration is gone: nothing is received or
// sent for it any more. It carries no settings, because it outlives them.
type IntegrationDeleted struct {
	Account string `msgpack:"ac"`
}

// IntegrationPurged says that the credentials and settings of a deleted
// integration were erased from the log.
type IntegrationPurged struct{}

// DeliveriesResumed says that the conversations which waited for the
// integration's credentials were told of the new ones.
type DeliveriesResumed struct{}

// EventType is the stored name.
func (DeliveriesResumed) EventType() string { return "DeliveriesResumed" }

// EventType is the stored name.
func (IntegrationCreated) EventType() string { return "IntegrationCreated" }

// EventType is the stored name.
func (IntegrationUpdated) EventType() string { return "IntegrationUpdated" }

// EventType is the stored name.
func (IntegrationDeleted) EventType() string { return "IntegrationDeleted" }

// EventType is the stored name.
func (IntegrationPurged) EventType() string { return "IntegrationPurged" }

// SecretSealed holds one credential, encrypted with a key that is not in the
// log. It stands in the integration's secret stream, which is erased with it.
type SecretSealed struct {
	// Ref names this version of the credential.
	Ref string `msgpack:"rf"`
	// Sealed is the nonce followed by the ciphertext (XChaCha20-Poly1305).
	Sealed []byte `msgpack:"sl"`
}

// EventType is the stored name.
func (SecretSealed) EventType() string { return "SecretSealed" }
