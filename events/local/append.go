package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"parley/events"
)

// Append implements [events.Store]. ErrUnavailable means that another program
// had locked the database (nothing was stored), or that writing stopped for
// good, see [Store.Failed].
func (s *Store) Append(ctx context.Context, stream events.Stream, expected events.Revision, records ...events.Record) (events.Appended, error) {
	began := time.Now()
	r := s.append(ctx, stream, expected, records)
	s.metrics.appended(r, time.Since(began))
	if r.err != nil && r.outcome != wasRefused {
		r.err = fmt.Errorf("append to %s: %w", stream, r.err)
	}
	return r.appended, r.err
}

func (s *Store) append(ctx context.Context, stream events.Stream, expected events.Revision, records []events.Record) result {
	if err := events.CheckAppend(records); err != nil {
		return result{outcome: wasRefused, err: err}
	}
	j := &job{stream: stream, expected: expected, done: make(chan struct{}, 1)}
	j.records, j.size = ownRecords(records)
	return s.sequencer.put(ctx, j)
}

// ownRecords copies records: the caller may reuse its own, even while the
// sequencer is not done with them because the caller's context ended first.
func ownRecords(records []events.Record) (owned []events.Record, size int) {
	for i := range records {
		size += len(records[i].Data) + len(records[i].Metadata)
	}
	owned = slices.Clone(records)
	space := make([]byte, 0, size)
	for i := range owned {
		owned[i].Data, space = carve(space, owned[i].Data)
		owned[i].Metadata, space = carve(space, owned[i].Metadata)
	}
	return owned, size
}

// append stores those appends of a batch that fit, in one transaction, and
// leaves its result in each. It returns the events it stored. After an error
// the batch is undone, unless harmless says otherwise.
func (w *writer) append(batch []*job, stored events.Instant) ([]events.Recorded, error) {
	var added []events.Recorded
	err := w.write(func() error {
		for _, j := range batch {
			more, err := w.appendOne(j, w.last+events.Position(len(added)), stored)
			if err != nil {
				return fmt.Errorf("append to %s: %w", j.stream, err)
			}
			added = append(added, more...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := len(added); n > 0 {
		w.last = added[n-1].Position
	}
	return added, nil
}

// appendOne checks one append against the end of its stream and, if it fits,
// inserts its records after a position. Appends of the same batch see each
// other, since they share a transaction.
func (w *writer) appendOne(j *job, after events.Position, stored events.Instant) ([]events.Recorded, error) {
	at, err := w.head(j.stream)
	if err != nil {
		return nil, err
	}
	if j.expected != at.revision {
		return nil, w.answerStale(j, at)
	}
	if at.id == 0 {
		created, err := w.addStream.Exec(string(j.stream))
		if err != nil {
			return nil, err
		}
		if at.id, err = created.LastInsertId(); err != nil {
			return nil, err
		}
	}
	added := make([]events.Recorded, len(j.records))
	for i, r := range j.records {
		at.revision++
		after++
		added[i] = events.Recorded{Record: r, Stream: j.stream, Revision: at.revision, Position: after, Stored: stored}
		if err := w.insert(at.id, &added[i]); err != nil {
			return nil, err
		}
	}
	w.heads.put(j.stream, at)
	j.result = result{outcome: wasStored, appended: events.Appended{Revision: at.revision, Position: after}}
	return added, nil
}

// answerStale gives the result of an append whose stream is elsewhere: that of
// an earlier try if there was one, else a refusal.
func (w *writer) answerStale(j *job, at head) error {
	appended, found, err := w.earlier(j, at)
	switch {
	case err != nil:
		return fmt.Errorf("look for an earlier try: %w", err)
	case found:
		j.result = result{outcome: wasRepeated, appended: appended}
	default:
		wrong := &events.WrongRevision{Stream: j.stream, Expected: j.expected, Actual: at.revision}
		j.result = result{outcome: wasRefused, err: wrong}
	}
	return nil
}

// earlier finds the records of an append where an earlier try would have put
// them: right after the expected revision.
func (w *writer) earlier(j *job, at head) (appended events.Appended, found bool, err error) {
	if j.expected >= at.revision {
		return events.Appended{}, false, nil
	}
	rows, err := w.findIDs.Query(at.id, int64(j.expected), len(j.records))
	if err != nil {
		return events.Appended{}, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	next := 0
	for ; rows.Next(); next++ {
		var revision, position int64
		var id []byte
		if err := rows.Scan(&revision, &position, &id); err != nil {
			return events.Appended{}, false, err
		}
		appended = events.Appended{Revision: events.Revision(revision), Position: events.Position(position)}
		if appended.Revision != j.expected+events.Revision(next)+1 || !bytes.Equal(id, j.records[next].ID[:]) {
			return events.Appended{}, false, nil
		}
	}
	return appended, next == len(j.records), rows.Err()
}

func (w *writer) insert(stream int64, e *events.Recorded) error {
	_, err := w.addEvent.Exec(int64(e.Position), stream, int64(e.Revision), int64(e.Stored), e.JSON, checksum(&e.Record),
		e.ID[:], e.Type, notNil(e.Metadata), notNil(e.Data))
	return err
}

// notNil makes no bytes an empty value; nil would be NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// checksum is over everything a record says.
func checksum(r *events.Record) []byte {
	sum := crc32.Update(0, castagnoli, r.ID[:])
	sum = crc32.Update(sum, castagnoli, []byte(r.Type))
	sum = crc32.Update(sum, castagnoli, r.Metadata)
	sum = crc32.Update(sum, castagnoli, r.Data)
	return binary.BigEndian.AppendUint32(nil, sum)
}

// headLimit bounds a generation of remembered stream ends. Two of them take
// about 10 MB.
const headLimit = 1 << 15

// head is the end of a stream.
type head struct {
	// id is the stream's in the database; 0 means that it is not there yet.
	id int64
	// revision is the last event's, erased or not.
	revision events.Revision
}

// heads remembers the ends of the streams that were last used. It keeps two
// generations: when the young one is full it becomes the old one, and what was
// only in the old one is forgotten.
type heads struct {
	limit      int // of one generation
	young, old map[events.Stream]head
}

func newHeads(limit int) heads {
	return heads{limit: limit, young: make(map[events.Stream]head)}
}

func (h *heads) get(s events.Stream) (head, bool) {
	if at, ok := h.young[s]; ok {
		return at, true
	}
	at, ok := h.old[s]
	return at, ok
}

func (h *heads) put(s events.Stream, at head) {
	if len(h.young) >= h.limit {
		h.young, h.old = make(map[events.Stream]head, h.limit), h.young
	}
	h.young[s] = at
}

// forget drops everything; the database is asked again.
func (h *heads) forget() { *h = newHeads(h.limit) }
