// Package auth tells whose request it is. A secret is a bearer token; only its
// hash is ever compared or stored.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// prefix begins the secrets that Parley makes. Others are accepted, too.
const prefix = "sk-"

// NewSecret makes a secret for the API: 256 random bits.
func NewSecret() string { return prefix + rand.Text() + rand.Text() }

// Hash is what is stored and looked up in place of a secret.
func Hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// TokenID names a token by its hash.
func TokenID(hash []byte) string { return hex.EncodeToString(hash[:8]) }

// Bearer reads the secret from an Authorization header; ok is false when there
// is none. The scheme's name may be in any case.
func Bearer(header string) (secret string, ok bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	secret = strings.TrimSpace(secret)
	return secret, ok && strings.EqualFold(scheme, "bearer") && secret != ""
}
