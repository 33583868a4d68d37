package process

import (
	"bytes"
	"strings"
	"sync"
)

// Record keeps text that several write at a time. The zero value is empty.
type Record struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write implements io.Writer.
func (r *Record) Write(p []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.Write(p)
}

// String is everything so far.
func (r *Record) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.text.String()
}

// Tail is the end of it, for a failed test to show.
func (r *Record) Tail() string {
	lines := strings.SplitAfter(r.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-80):], "")
}
