package storetest

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"parley/media"
)

func testDiscard(t *testing.T, f Factory) {
	discard := func(s shelf, h media.Hash, putBefore time.Time) {
		s.Helper()
		if err := s.Discard(s.Context(), h, putBefore); err != nil {
			s.Errorf("discard: %v", err)
		}
	}
	t.Run("a content that was put long ago is gone, and others are not", func(t *testing.T) {
		s := open(t, f)
		gone, kept := s.keep([]byte("gone")), s.keep([]byte("kept"))
		for range 2 { // the second time changes nothing
			discard(s, gone.Hash, time.Now().Add(time.Hour))
		}
		s.checkLacks(gone.Hash)
		s.checkHolds([]byte("kept"), kept)
	})
	t.Run("a content that was put since stays", func(t *testing.T) {
		s := open(t, f)
		o := s.keep([]byte("fresh"))
		discard(s, o.Hash, time.Now().Add(-time.Hour))
		s.checkHolds([]byte("fresh"), o)
	})
	t.Run("what is not there is no error", func(t *testing.T) {
		s := open(t, f)
		discard(s, hashOf([]byte("never")), time.Now())
	})
	t.Run("what is put again while others discard it is there in the end", func(t *testing.T) {
		s, content := open(t, f), noise(20_000)
		old := time.Now().Add(-time.Hour)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					if _, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
						t.Errorf("put: %v", err)
					}
					if _, err := s.Stat(t.Context(), hashOf(content)); err != nil {
						t.Errorf("what was put just now: %v", err)
					}
				}
			})
			wg.Go(func() {
				for range 50 {
					discard(s, hashOf(content), old)
				}
			})
		}
		wg.Wait()
	})
}

func testWalk(t *testing.T, f Factory) {
	t.Run("every content is visited once, with its time", func(t *testing.T) {
		s := open(t, f)
		began := time.Now().Add(-time.Minute)
		want := map[media.Hash]bool{}
		for i := range 40 {
			want[s.keep(noise(100+i)).Hash] = true
		}
		s.keep(noise(100)) // the same again
		err := s.Walk(t.Context(), func(h media.Hash, put time.Time) error {
			if !want[h] || put.Before(began) || put.After(time.Now().Add(time.Minute)) {
				t.Errorf("visited %v of %v", h, put)
			}
			delete(want, h)
			return nil
		})
		if err != nil || len(want) > 0 {
			t.Errorf("%v, not visited: %v", err, want)
		}
	})
	t.Run("what is visited may be discarded", func(t *testing.T) {
		s := open(t, f)
		o := s.keep([]byte("gone"))
		err := s.Walk(t.Context(), func(h media.Hash, put time.Time) error {
			return s.Discard(t.Context(), h, put.Add(time.Second))
		})
		if err != nil {
			t.Errorf("walk: %v", err)
		}
		s.checkLacks(o.Hash)
	})
	t.Run("it ends with the first error", func(t *testing.T) {
		s := open(t, f)
		s.keep([]byte("one"))
		s.keep([]byte("two"))
		visits, enough := 0, errors.New("enough")
		err := s.Walk(t.Context(), func(media.Hash, time.Time) error {
			visits++
			return enough
		})
		if !errors.Is(err, enough) || visits != 1 {
			t.Errorf("%v after %d visits", err, visits)
		}
	})
}
