package events

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/google/uuid"
)

// ID identifies one event for ever. It is a UUID, as EventStoreDB wants it.
type ID = uuid.UUID

// IDOf derives the ID of the n-th event (from 0) that a command caused in a
// stream. A command that is put twice thus proposes the same events twice, and
// the second append is recognised as a retry.
func IDOf(stream Stream, command string, n int) ID {
	seed := make([]byte, 0, len(stream)+len(command)+9)
	seed = append(append(append(seed, stream...), 0), command...)
	seed = binary.BigEndian.AppendUint64(seed, uint64(n))
	sum := sha256.Sum256(seed)
	id := ID(sum[:16])
	id[6] = id[6]&0x0f | 0x80 // version 8: a layout of our own (RFC 9562)
	id[8] = id[8]&0x3f | 0x80 // variant
	return id
}
