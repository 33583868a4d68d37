package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"parley/media"
)

func testRead(t *testing.T, f Factory) {
	t.Run("a content can be read from any place", func(t *testing.T) {
		s, content := open(t, f), noise(10_000)
		r, _, err := s.Open(t.Context(), s.keep(content).Hash)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		for _, from := range []int64{9_000, 0, 4_567, 10_000} {
			at, err := r.Seek(from, io.SeekStart)
			if err != nil || at != from {
				t.Fatalf("seek to %d: %d, %v", from, at, err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content[from:]) {
				t.Errorf("from %d: %d bytes, %v", from, len(got), err)
			}
		}
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Run("readers of one content do not disturb each other", func(t *testing.T) {
		s, content := open(t, f), noise(10_000)
		h := s.keep(content).Hash
		a, _, errA := s.Open(t.Context(), h)
		b, _, errB := s.Open(t.Context(), h)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatalf("open: %v", err)
		}
		if _, err := io.CopyN(io.Discard, a, 5_000); err != nil {
			t.Fatalf("read: %v", err)
		}
		all, err := io.ReadAll(b)
		if err := errors.Join(err, a.Close(), b.Close()); err != nil || !bytes.Equal(all, content) {
			t.Errorf("%d bytes, %v", len(all), err)
		}
	})
	t.Run("a content that is put again while it is read stays as it is", func(t *testing.T) {
		s, content := open(t, f), noise(100_000)
		r, _, err := s.Open(t.Context(), s.keep(content).Hash)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		s.keep(content)
		all, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(all, content) {
			t.Errorf("%d bytes, %v", len(all), err)
		}
	})
}

func testDelete(t *testing.T, f Factory) {
	t.Run("a deleted content is gone, and others are not", func(t *testing.T) {
		s := open(t, f)
		gone, kept := s.keep([]byte("gone")), s.keep([]byte("kept"))
		for range 2 { // the second time changes nothing
			if err := s.Delete(t.Context(), gone.Hash); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		s.checkLacks(gone.Hash)
		s.checkHolds([]byte("kept"), kept)
	})
	t.Run("a deleted content can be put again", func(t *testing.T) {
		s := open(t, f)
		o := s.keep([]byte("back"))
		if err := s.Delete(t.Context(), o.Hash); err != nil {
			t.Errorf("delete: %v", err)
		}
		s.keep([]byte("back"))
		s.checkHolds([]byte("back"), o)
	})
}

func testConcurrency(t *testing.T, f Factory) {
	t.Run("many may put and read the same and other contents at once", func(t *testing.T) {
		s := open(t, f)
		var wg sync.WaitGroup
		for worker := range 16 {
			wg.Go(func() {
				for i := range 10 {
					content := fmt.Appendf(noise(5_000), "content %d", (worker+i)%4)
					if err := s.roundTrip(content); err != nil {
						t.Errorf("worker %d: %v", worker, err)
					}
				}
			})
		}
		wg.Wait()
	})
	t.Run("a reader sees all of a content or none while others put and delete it", func(t *testing.T) {
		s, content := open(t, f), noise(200_000)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					if _, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
						t.Errorf("put: %v", err)
					}
					if err := s.Delete(t.Context(), hashOf(content)); err != nil {
						t.Errorf("delete: %v", err)
					}
				}
			})
			wg.Go(func() {
				for range 50 {
					o, err := s.Stat(t.Context(), hashOf(content))
					if err != nil && !errors.Is(err, media.ErrNotFound) || err == nil && o.Size != int64(len(content)) {
						t.Errorf("%d bytes, %v", o.Size, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// roundTrip puts a content and reads it.
func (s shelf) roundTrip(content []byte) error {
	o, err := s.Put(s.Context(), bytes.NewReader(content), media.Limits{})
	if err != nil {
		return err
	}
	r, _, err := s.Open(s.Context(), o.Hash)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, content) {
		err = fmt.Errorf("read %d bytes that are not the content", len(got))
	}
	return errors.Join(err, r.Close())
}
