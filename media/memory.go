package media

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"
)

// Memory is a store in memory, for tests and for trying things out. Nothing
// survives it.
type Memory struct {
	mu       sync.RWMutex
	closed   bool
	contents map[Hash]memo
}

// memo is a content in memory, which is never changed.
type memo struct {
	Object
	bytes []byte
	put   time.Time
}

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{contents: make(map[Hash]memo)} }

// Put keeps a content. See [Store].
func (m *Memory) Put(ctx context.Context, content io.Reader, limits Limits) (Object, error) {
	if err := m.check(); err != nil {
		return Object{}, fmt.Errorf("put media: %w", err)
	}
	var draft bytes.Buffer
	o, err := Take(ctx, &draft, content, limits)
	if err != nil {
		return Object{}, fmt.Errorf("put media: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contents[o.Hash] = memo{o, draft.Bytes(), time.Now()}
	return o, nil
}

func (m *Memory) check() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return nil
}

func (m *Memory) find(h Hash) (memo, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return memo{}, ErrClosed
	}
	found, ok := m.contents[h]
	if !ok {
		return memo{}, ErrNotFound
	}
	return found, nil
}

// Open gives a content. See [Store].
func (m *Memory) Open(_ context.Context, h Hash) (io.ReadSeekCloser, Object, error) {
	found, err := m.find(h)
	if err != nil {
		return nil, Object{}, err
	}
	return open{bytes.NewReader(found.bytes)}, found.Object, nil
}

// open is a content that is being read.
type open struct{ *bytes.Reader }

func (open) Close() error { return nil }

// Stat says what is known of a content. See [Store].
func (m *Memory) Stat(_ context.Context, h Hash) (Object, error) {
	found, err := m.find(h)
	return found.Object, err
}

// Delete removes a content. See [Store].
func (m *Memory) Delete(_ context.Context, h Hash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	delete(m.contents, h)
	return nil
}

// Discard removes a content that is not fresh. See [Store].
func (m *Memory) Discard(_ context.Context, h Hash, putBefore time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.contents[h].put.Before(putBefore) {
		delete(m.contents, h)
	}
	return nil
}

// Walk visits every content. See [Store].
func (m *Memory) Walk(ctx context.Context, visit func(h Hash, put time.Time) error) error {
	m.mu.RLock()
	closed, contents := m.closed, maps.Clone(m.contents)
	m.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	for h, c := range contents {
		err := ctx.Err()
		if err == nil {
			err = visit(h, c.put)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close forgets everything.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.contents = true, nil
	return nil
}
