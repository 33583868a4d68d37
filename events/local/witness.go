package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"parley/events"
)

// witness remembers outside the database how far the log had come when it last
// acknowledged an append. After a crash the log may be ahead of the witness,
// never behind it, unless acknowledged events were lost.
//
// The file has two slots that are written in turn, so that a torn write leaves
// the older one. It is not synced: it must survive the process, and after a
// power cut an older witness is only a weaker one.
type witness struct {
	file *os.File
	// slot is the one to write next.
	slot int64
}

const (
	witnessMagic = "parleyW1"
	// A slot is the magic, the position and a checksum of both.
	witnessSize = len(witnessMagic) + 8 + 4
	// Slots lie in different sectors.
	witnessStride = 512
)

// castagnoli is the polynomial of all checksums here; processors compute it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openWitness opens or creates a witness. known is false when there was none
// or when no slot can be believed.
func openWitness(path string) (w *witness, seen events.Position, known bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, false, err
	}
	w = &witness{file: f}
	for slot := range int64(2) {
		at, ok, err := w.read(slot)
		if err != nil {
			return nil, 0, false, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
		}
		if ok && (!known || at > seen) {
			seen, known = at, true
			w.slot = 1 - slot
		}
	}
	return w, seen, known, nil
}

func (w *witness) read(slot int64) (at events.Position, ok bool, err error) {
	b := make([]byte, witnessSize)
	if _, err := w.file.ReadAt(b, slot*witnessStride); err != nil {
		if errors.Is(err, io.EOF) {
			return 0, false, nil
		}
		return 0, false, err
	}
	body, sum := b[:witnessSize-4], b[witnessSize-4:]
	if string(body[:len(witnessMagic)]) != witnessMagic || binary.BigEndian.Uint32(sum) != crc32.Checksum(body, castagnoli) {
		return 0, false, nil
	}
	return events.Position(binary.BigEndian.Uint64(body[len(witnessMagic):])), true, nil
}

// record notes that everything up to a position is durable.
func (w *witness) record(at events.Position) error {
	b := make([]byte, 0, witnessSize)
	b = append(b, witnessMagic...)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := w.file.WriteAt(b, w.slot*witnessStride); err != nil {
		return fmt.Errorf("write witness: %w", err)
	}
	w.slot = 1 - w.slot
	return nil
}

func (w *witness) close() error { return w.file.Close() }
