package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"parley/events"
)

// digest sums up what moves when a log is copied: of every event, in the log's
// order, the stream, the revision, the ID, the type, what it says, and whether
// that is JSON. Positions, the time of storing and system events are not in it.
type digest struct {
	sum   hash.Hash
	space []byte
}

func newDigest() *digest { return &digest{sum: sha256.New()} }

func (d *digest) add(e events.Recorded) {
	if isSystem(e) {
		return
	}
	b := binary.BigEndian.AppendUint64(d.space[:0], uint64(e.Revision))
	b = append(b, e.ID[:]...)
	kind := byte(0)
	if e.JSON {
		kind = 1
	}
	b = append(b, kind)
	for _, size := range []int{len(e.Stream), len(e.Type), len(e.Data), len(e.Metadata)} {
		b = binary.BigEndian.AppendUint32(b, uint32(size))
	}
	b = append(append(b, e.Stream...), e.Type...)
	b = append(append(b, e.Data...), e.Metadata...)
	d.sum.Write(b) // a hash takes everything
	d.space = b
}

// String is the sum so far, in hexadecimal.
func (d *digest) String() string { return hex.EncodeToString(d.sum.Sum(nil)) }

// same reports that two logs hold the same event.
func same(a, b events.Recorded) bool { return alike(a, b) && bytes.Equal(a.Data, b.Data) }

// alike reports that two logs hold the same event, of which the data may have
// been overwritten in one of them.
func alike(a, b events.Recorded) bool {
	return a.Stream == b.Stream && a.Revision == b.Revision && a.ID == b.ID && a.Type == b.Type && a.JSON == b.JSON &&
		len(a.Data) == len(b.Data) && bytes.Equal(a.Metadata, b.Metadata)
}
