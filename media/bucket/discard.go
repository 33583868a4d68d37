package bucket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gocloud.dev/blob"

	"parley/media"
)

// Delete removes a content. See [media.Store].
func (s *Store) Delete(ctx context.Context, h media.Hash) error {
	return s.remove(ctx, h, func(edition) bool { return true })
}

// Discard removes the editions of a content that are not fresh. One that
// somebody makes meanwhile has another name, and stays. See [media.Store].
func (s *Store) Discard(ctx context.Context, h media.Hash, putBefore time.Time) error {
	return s.remove(ctx, h, func(e edition) bool { return s.lastPut(e).Before(putBefore) })
}

func (s *Store) remove(ctx context.Context, h media.Hash, old func(edition) bool) error {
	if s.closed.Load() {
		return media.ErrClosed
	}
	all, err := s.editions(ctx, h)
	if err != nil {
		return fmt.Errorf("discard media: %w", err)
	}
	for _, e := range all {
		if !old(e) {
			continue
		}
		if err := s.bucket.Delete(ctx, e.key); err != nil && !isMissing(err) {
			return failed(ctx, "discard media", err)
		}
	}
	return nil
}

// Walk visits every content. See [media.Store].
func (s *Store) Walk(ctx context.Context, visit func(h media.Hash, put time.Time) error) error {
	if s.closed.Load() {
		return media.ErrClosed
	}
	var last media.Hash // its editions follow each other
	var put time.Time   // zero before the first
	begin := s.key(folder) + "/"
	err := s.list(ctx, begin, func(o *blob.ListObject) (err error) {
		name, _, _ := strings.Cut(strings.TrimPrefix(o.Key, begin), "/")
		h, err := media.ParseHash(name)
		if err != nil {
			return nil // not ours
		}
		if h != last && !put.IsZero() {
			if err := visit(last, put); err != nil {
				return err
			}
			put = time.Time{}
		}
		if at := s.lastPut(edition{written: o.ModTime}); at.After(put) {
			put = at
		}
		last = h
		return ctx.Err()
	})
	if err == nil && !put.IsZero() {
		err = visit(last, put)
	}
	return err
}
