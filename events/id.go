package events

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

// ID identifies one event for ever. It is a UUID, as EventStoreDB wants it.
type ID = uuid.UUID

// IDOf derives the ID of the n-th event (from 0) that a command caused in a
// stream. A command that is put twice thus proposes the same events twice, and
// the second append is recognised as a retry.
func IDOf(stream Stream, command string, n int) ID { return idsOf(stream, command)(n) }

// idsOf gives the IDs of a command's events by their number.
func idsOf(stream Stream, command string) func(n int) ID {
	seed := make([]byte, 0, len(stream)+len(command)+1)
	seed = append(append(append(seed, stream...), 0), command...)
	sum := sha256.Sum256(seed)
	high, low := binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
	return func(n int) (id ID) {
		binary.BigEndian.PutUint64(id[:], high)
		binary.BigEndian.PutUint64(id[8:], low+uint64(n))
		id[6] = id[6]&0x0f | 0x80 // version 8: a layout of our own (RFC 9562)
		id[8] = id[8]&0x3f | 0x80 // variant
		return id
	}
}

// keyLength and keyAlphabet give the form of the API's IDs: 25 lower-case
// letters and digits, the first a letter.
const (
	keyLength   = 25
	keyAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	letters     = 26
)

// NewKey makes the ID of a new thing: 25 random lower-case letters and digits
// (about 128 bits). It means nothing and is never used twice. It is no secret:
// the numbers are fast ones.
func NewKey() string {
	var seed [2*keyLength + 6]byte
	for i := 0; i < len(seed); i += 8 {
		binary.BigEndian.PutUint64(seed[i:], rand.Uint64())
	}
	return keyOf(seed[:])
}

// DeriveKey makes an ID in the form of NewKey that depends on nothing but its
// parts: a command that is put twice gives the same IDs to what it makes.
func DeriveKey(parts ...string) string {
	h := sha512.New()
	for _, p := range parts {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	return keyOf(h.Sum(nil))
}

// IsKey reports that a text has the form of NewKey.
func IsKey(text string) bool {
	return len(text) == keyLength && text[0] >= 'a' && strings.Trim(text, keyAlphabet) == ""
}

// keyOf turns each two bytes of the seed into a sign.
func keyOf(seed []byte) string {
	var key [keyLength]byte
	for i := range key {
		n := binary.BigEndian.Uint16(seed[2*i:])
		if i == 0 {
			key[i] = keyAlphabet[n%letters]
		} else {
			key[i] = keyAlphabet[int(n)%len(keyAlphabet)]
		}
	}
	return string(key[:])
}
