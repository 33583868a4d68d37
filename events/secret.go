package events

import (
	"fmt"
	"log/slog"
)

// Mask is what stands for a secret wherever it is shown, and what the API
// answers for a stored one.
const Mask = "********"

// Secret is a credential in memory. It prints as Mask in every way of
// printing and encodes as Mask; only Reveal opens it, and only code that calls
// Meta or seals the secret calls Reveal. The zero Secret is "none".
type Secret struct{ value string }

// NewSecret wraps a credential.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the credential itself.
func (s Secret) Reveal() string { return s.value }

// IsZero reports that there is no secret.
func (s Secret) IsZero() bool { return s.value == "" }

// String is Mask, or empty for none.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return Mask
}

// Format prints Mask for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// GoString is Mask.
func (s Secret) GoString() string { return s.String() }

// LogValue is Mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is Mask: a secret that reaches an encoder by mistake stays one.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
