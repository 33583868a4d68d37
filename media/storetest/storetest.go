package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/media"
)

// Factory makes the stores that are tested.
type Factory struct {
	// New opens an empty store. The suite closes it.
	New func(testing.TB) media.Store
	// Reopen closes a store that New opened and opens the same one again; nil
	// if nothing survives closing.
	Reopen func(testing.TB, media.Store) media.Store
}

// Run tests all of the contract.
func Run(t *testing.T, f Factory) {
	t.Run("put", func(t *testing.T) { testPut(t, f) })
	t.Run("refusals", func(t *testing.T) { testRefusals(t, f) })
	t.Run("half a content", func(t *testing.T) { testHalf(t, f) })
	t.Run("read", func(t *testing.T) { testRead(t, f) })
	t.Run("delete", func(t *testing.T) { testDelete(t, f) })
	t.Run("discard", func(t *testing.T) { testDiscard(t, f) })
	t.Run("walk", func(t *testing.T) { testWalk(t, f) })
	t.Run("concurrency", func(t *testing.T) { testConcurrency(t, f) })
	t.Run("close", func(t *testing.T) { testClose(t, f) })
	if f.Reopen != nil {
		t.Run("reopen", func(t *testing.T) { testReopen(t, f) })
	}
}

// shelf is a store under test.
type shelf struct {
	testing.TB
	media.Store
}

func open(t testing.TB, f Factory) shelf {
	t.Helper()
	s := f.New(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return shelf{t, s}
}

func hashOf(content []byte) media.Hash { return sha256.Sum256(content) }

// keep puts a content that must be taken.
func (s shelf) keep(content []byte) media.Object {
	s.Helper()
	o, err := s.Put(s.Context(), bytes.NewReader(content), media.Limits{})
	if err != nil {
		s.Fatalf("put %d bytes: %v", len(content), err)
	}
	return o
}

// checkHolds checks that a content can be read, and is described so.
func (s shelf) checkHolds(content []byte, want media.Object) {
	s.Helper()
	r, o, err := s.Open(s.Context(), want.Hash)
	if err != nil {
		s.Fatalf("open: %v", err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		s.Errorf("read: %v", err)
	}
	if !bytes.Equal(got, content) {
		s.Errorf("read %d bytes that are not the %d of the content", len(got), len(content))
	}
	stat, err := s.Stat(s.Context(), want.Hash)
	if err != nil {
		s.Errorf("stat: %v", err)
	}
	if diff := cmp.Diff([]media.Object{want, want}, []media.Object{o, stat}); diff != "" {
		s.Errorf("opened and described (-want +got):\n%s", diff)
	}
}

// checkLacks checks that a content is not there.
func (s shelf) checkLacks(h media.Hash) {
	s.Helper()
	if _, err := s.Stat(s.Context(), h); !errors.Is(err, media.ErrNotFound) {
		s.Errorf("stat: %v, expected ErrNotFound", err)
	}
	if r, _, err := s.Open(s.Context(), h); !errors.Is(err, media.ErrNotFound) || r != nil {
		s.Errorf("open: %v, %v, expected ErrNotFound", r, err)
	}
}

// calls are all calls of a store.
func calls(ctx context.Context, s media.Store, h media.Hash) map[string]error {
	_, put := s.Put(ctx, bytes.NewReader([]byte("x")), media.Limits{})
	_, _, open := s.Open(ctx, h)
	_, stat := s.Stat(ctx, h)
	return map[string]error{
		"put": put, "open": open, "stat": stat, "delete": s.Delete(ctx, h), "discard": s.Discard(ctx, h, time.Now()),
		"walk": s.Walk(ctx, func(media.Hash, time.Time) error { return nil }),
	}
}

func testClose(t *testing.T, f Factory) {
	t.Run("a closed store answers ErrClosed, and may be closed again", func(t *testing.T) {
		s := open(t, f)
		o := s.keep([]byte("content"))
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		for call, err := range calls(t.Context(), s, o.Hash) {
			if !errors.Is(err, media.ErrClosed) {
				t.Errorf("%s: %v, expected ErrClosed", call, err)
			}
		}
	})
}

func testReopen(t *testing.T, f Factory) {
	t.Run("what was put is there after closing and opening", func(t *testing.T) {
		content := bytes.Repeat([]byte("content "), 1000)
		s := f.New(t)
		before := shelf{t, s}
		kept, gone := before.keep(content), before.keep([]byte("gone"))
		if err := s.Delete(t.Context(), gone.Hash); err != nil {
			t.Fatalf("delete: %v", err)
		}
		after := shelf{t, f.Reopen(t, s)}
		after.checkHolds(content, kept)
		after.checkLacks(gone.Hash)
		if err := after.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
