package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"

	"parley/media"
)

// window is how much of a content is asked for at a time: who wants a part of a
// large file has little more than that sent, and who reads slowly keeps nobody
// waiting.
const window = 4 << 20

// Open gives a content. See [media.Store].
func (s *Store) Open(ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
	if s.closed.Load() {
		return nil, media.Object{}, media.ErrClosed
	}
	e, o, err := s.find(ctx, h)
	if err != nil {
		return nil, media.Object{}, err
	}
	life, end := context.WithCancel(ctx)
	return &reader{store: s, object: o, key: e.key, life: life, end: end}, o, nil
}

// Stat says what is known of a content. See [media.Store].
func (s *Store) Stat(ctx context.Context, h media.Hash) (media.Object, error) {
	if s.closed.Load() {
		return media.Object{}, media.ErrClosed
	}
	_, o, err := s.find(ctx, h)
	return o, err
}

// reader is a content that is being read. Nothing is asked for before the first
// Read.
type reader struct {
	store  *Store
	object media.Object
	key    string
	life   context.Context
	end    context.CancelFunc

	at   int64
	body *blob.Reader // what comes next, nil if it is to be asked for
	left int64        // of body
}

// Read implements io.Reader. What is cut off on the way is asked for again from
// there.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	var problem error
	for range tries {
		if r.at >= r.object.Size {
			return 0, io.EOF
		}
		if problem = r.ask(); problem != nil {
			break
		}
		n, err := r.body.Read(p)
		r.at, r.left = r.at+int64(n), r.left-int64(n)
		if err != nil || r.left <= 0 {
			r.drop()
		}
		if n > 0 {
			return n, nil
		}
		if problem = err; err == nil || errors.Is(err, io.EOF) {
			problem = io.ErrUnexpectedEOF
		}
	}
	return 0, failed(r.life, "read media", problem)
}

// ask asks for what comes next. Another edition has the same bytes.
func (r *reader) ask() (err error) {
	if r.body != nil {
		return nil
	}
	r.left = min(window, r.object.Size-r.at)
	if r.body, err = r.store.bucket.NewRangeReader(r.life, r.key, r.at, r.left, nil); !isMissing(err) {
		return err
	}
	e, _, err := r.store.find(r.life, r.object.Hash)
	if err != nil {
		return err
	}
	r.key = e.key
	r.body, err = r.store.bucket.NewRangeReader(r.life, r.key, r.at, r.left, nil)
	return err
}

func (r *reader) drop() {
	if r.body != nil {
		_ = r.body.Close() // everything that was wanted is read
		r.body = nil
	}
}

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.object.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek media: before its beginning")
	}
	if offset != r.at {
		r.drop()
		r.at = offset
	}
	return offset, nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.drop()
	r.end()
	return nil
}
