package media

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Hash is the SHA-256 of a content, which is its name. It prints as 64
// lower-case hexadecimal digits, for example "2cf24dba5fb0a30e…". Being an
// array it cannot hold anything else, such as a path.
type Hash [sha256.Size]byte

// ErrHash says that a text is not a hash.
var ErrHash = errors.New("a hash is 64 hexadecimal digits")

// ParseHash reads what String gave. The error is ErrHash.
func ParseHash(s string) (h Hash, err error) {
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, ErrHash
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, ErrHash
	}
	return h, nil
}

// String gives 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}
