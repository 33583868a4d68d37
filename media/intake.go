package media

import (
	"context"
	"crypto/sha256"
	"io"
	"math"
)

// take copies a content into a draft and says what came. The draft may hold one
// byte more than the limit after ErrTooLarge, and anything after other errors.
func Take(ctx context.Context, draft io.Writer, content io.Reader, limits Limits) (Object, error) {
	most := min(limits.Bytes, math.MaxInt64-1)
	if most <= 0 {
		most = DefaultBytes
	}
	hash, head := sha256.New(), &head{}
	size, err := io.Copy(io.MultiWriter(draft, hash, head), io.LimitReader(patient{ctx, content}, most+1))
	switch {
	case err != nil:
		return Object{}, err
	case size == 0:
		return Object{}, ErrEmpty
	case size > most:
		return Object{}, ErrTooLarge
	}
	return Object{Hash: Hash(hash.Sum(nil)), Size: size, Type: look(head.bytes)}, nil
}

// patient is a reader that ends with a context, between two reads.
type patient struct {
	ctx context.Context
	io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, context.Cause(p.ctx)
	}
	return p.Reader.Read(b)
}

// head keeps the first bytes of what is written.
type head struct{ bytes []byte }

func (h *head) Write(p []byte) (int, error) {
	h.bytes = append(h.bytes, p[:min(len(p), lookAt-len(h.bytes))]...)
	return len(p), nil
}
