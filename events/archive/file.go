package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"parley/events"
)

// version is that of the file's form.
const version = 1

// header is the first line.
type header struct {
	Parley  string `json:"parley"`
	Version int    `json:"version"`
}

// line is an event.
type line struct {
	Stream   events.Stream   `json:"stream"`
	Revision events.Revision `json:"revision"`
	ID       events.ID       `json:"id"`
	Type     string          `json:"type"`
	JSON     bool            `json:"json,omitempty"`
	Data     []byte          `json:"data,omitempty"`
	Metadata []byte          `json:"metadata,omitempty"`
	Stored   events.Instant  `json:"stored"` // in microseconds since 1970
}

func lineOf(e events.Recorded) line {
	return line{e.Stream, e.Revision, e.ID, e.Type, e.JSON, e.Data, e.Metadata, e.Stored}
}

func (l line) recorded() events.Recorded {
	return events.Recorded{
		Record: events.Record{ID: l.ID, Type: l.Type, JSON: l.JSON, Data: l.Data, Metadata: l.Metadata},
		Stream: l.Stream, Revision: l.Revision, Stored: l.Stored,
	}
}

// footer is the last line.
type footer struct {
	Events int    `json:"events"`
	Sum    string `json:"sum"` // SHA-256 of the lines of events, in hexadecimal
}

// ErrBroken is returned for a file that is not a whole log.
var ErrBroken = errors.New("the file is not a whole log")

// writer writes a file.
type writer struct {
	to    *bufio.Writer
	sum   hash.Hash
	count int
}

func newWriter(w io.Writer) (*writer, error) {
	to := &writer{to: bufio.NewWriterSize(w, 1<<20), sum: sha256.New()}
	return to, to.put(header{Parley: "log", Version: version})
}

func (w *writer) put(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, ok := v.(line); ok {
		w.count++
		w.sum.Write(text) // a hash takes everything
	}
	_, err = w.to.Write(append(text, '\n'))
	return err
}

func (w *writer) close() error {
	if err := w.put(footer{Events: w.count, Sum: hex.EncodeToString(w.sum.Sum(nil))}); err != nil {
		return err
	}
	return w.to.Flush()
}

// maxLine bounds a line, in bytes: base64 makes four bytes of three, and JSON up
// to six of one that is part of a type.
const maxLine = 8 * events.MaxAppend

// read calls a function for every event of a file, in order. Only when it
// returns nil was the file whole.
func read(r io.Reader, each func(line) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	var h header
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &h) != nil || h.Parley != "log" {
		return errors.Join(fmt.Errorf("%w: it does not begin as one", ErrBroken), lines.Err())
	}
	if h.Version != version {
		return fmt.Errorf("the file is of version %d; this program reads version %d", h.Version, version)
	}
	sum, count := sha256.New(), 0
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"events":`)) {
			return checkEnd(lines, footer{Events: count, Sum: hex.EncodeToString(sum.Sum(nil))})
		}
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.Stream == "" || l.Revision < events.StreamStart {
			return errors.Join(fmt.Errorf("%w: line %d is not an event", ErrBroken, count+2), err)
		}
		sum.Write(lines.Bytes()) // a hash takes everything
		count++
		if err := each(l); err != nil {
			return err
		}
	}
	return errors.Join(fmt.Errorf("%w: it breaks off after %d events", ErrBroken, count), lines.Err())
}

// checkEnd compares the last line with what was read.
func checkEnd(lines *bufio.Scanner, want footer) error {
	var got footer
	if json.Unmarshal(lines.Bytes(), &got) != nil || got != want {
		return fmt.Errorf("%w: its events are not what was written", ErrBroken)
	}
	if lines.Scan() {
		return fmt.Errorf("%w: it goes on behind its end", ErrBroken)
	}
	return lines.Err()
}
