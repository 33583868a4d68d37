package bucket

import (
	"context"
	"io"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"parley/media"
)

// edition is one object that holds a content.
type edition struct {
	key     string
	size    int64
	written time.Time // by the bucket's clock, in whole seconds
}

// folder is where the contents are.
const folder = "sha256"

// An edition that was written recently serves for whoever puts the same content
// meanwhile. So it may have been put until recent after it was written; what is
// between the two is for clocks and slow answers.
const (
	sharedFor = 15 * time.Second
	recent    = 30 * time.Second
)

// lastPut is the latest time at which somebody may have put an edition, by our
// own clock.
func (s *Store) lastPut(e edition) time.Time { return s.clock.ours(e.written).Add(recent) }

// isShared reports that a content need not be put again.
func (s *Store) isShared(e edition) bool {
	return s.clock.now().Sub(e.written).Abs() < sharedFor
}

// editions gives what there is of a content, the newest last.
func (s *Store) editions(ctx context.Context, h media.Hash) (all []edition, err error) {
	err = s.list(ctx, s.key(folder, h.String())+"/", func(o *blob.ListObject) error {
		e := edition{o.Key, o.Size, o.ModTime}
		if last := len(all) - 1; last >= 0 && all[last].written.After(e.written) {
			all = append(all[:last], e, all[last])
		} else {
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

// list visits every object whose key begins so, in the order of keys.
func (s *Store) list(ctx context.Context, prefix string, visit func(*blob.ListObject) error) error {
	objects := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := objects.Next(ctx)
		if err == io.EOF { // and nothing that wraps it: a connection that is cut off is no end
			return nil
		}
		if err != nil {
			return failed(ctx, "list media", err)
		}
		if err := visit(o); err != nil {
			return err
		}
	}
}

// tries is how often a content is looked for that others put again at the same
// time: its older editions go.
const tries = 5

// find gives the newest edition of a content, and what the bucket says of it.
func (s *Store) find(ctx context.Context, h media.Hash) (edition, media.Object, error) {
	var problem error
	for range tries {
		all, err := s.editions(ctx, h)
		if err != nil {
			return edition{}, media.Object{}, err
		}
		if len(all) == 0 {
			return edition{}, media.Object{}, media.ErrNotFound
		}
		e := all[len(all)-1]
		said, err := s.bucket.Attributes(ctx, e.key)
		if err == nil {
			typ, _, _ := strings.Cut(said.ContentType, ";")
			return e, media.Object{Hash: h, Size: said.Size, Type: typ}, nil
		}
		if problem = err; !isMissing(err) {
			break
		}
	}
	return edition{}, media.Object{}, failed(ctx, "find media", problem)
}

func isMissing(err error) bool { return gcerrors.Code(err) == gcerrors.NotFound }
