package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/media"
)

// noise is a content that looks like nothing.
func noise(size int) []byte {
	b := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = random.Read(b) // never fails
	b[0] = 0x01           // no format begins so
	return b
}

func testPut(t *testing.T, f Factory) {
	cases := []struct {
		rule    string
		content []byte
		typ     string
	}{
		{"one byte is a content", []byte{1}, "application/octet-stream"},
		{"a text is known by its bytes", []byte("hello, wörld"), "text/plain"},
		{"a picture is known by its bytes", append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), noise(100)...), "image/jpeg"},
		{"a content as long as what its type is told from", noise(3072), "application/octet-stream"},
		{"a content of many buffers", noise(3<<20 + 7), "application/octet-stream"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			s := open(t, f)
			want := media.Object{Hash: hashOf(c.content), Size: int64(len(c.content)), Type: c.typ}
			s.checkLacks(want.Hash)
			if diff := cmp.Diff(want, s.keep(c.content)); diff != "" {
				t.Errorf("put (-want +got):\n%s", diff)
			}
			s.checkHolds(c.content, want)
		})
	}
	t.Run("the same content is kept once, whoever puts it", func(t *testing.T) {
		s, content := open(t, f), noise(100_000)
		first, second := s.keep(content), s.keep(content)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
		s.checkHolds(content, first)
		if err := s.Delete(t.Context(), first.Hash); err != nil {
			t.Fatalf("delete: %v", err)
		}
		s.checkLacks(first.Hash)
	})
	t.Run("a content that comes in small pieces is the same", func(t *testing.T) {
		s, content := open(t, f), noise(10_000)
		o, err := s.Put(t.Context(), oneByte{bytes.NewReader(content)}, media.Limits{})
		if err != nil {
			t.Fatalf("put: %v", err)
		}
		s.checkHolds(content, o)
	})
}

// oneByte reads one byte at a time.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(1, len(p))]) }

func testRefusals(t *testing.T, f Factory) {
	t.Run("an empty content is refused", func(t *testing.T) {
		s := open(t, f)
		if _, err := s.Put(t.Context(), strings.NewReader(""), media.Limits{}); !errors.Is(err, media.ErrEmpty) {
			t.Errorf("error %v, expected ErrEmpty", err)
		}
		s.checkLacks(hashOf(nil))
	})
	sizes := []struct {
		rule  string
		limit int64
		size  int
		want  error
	}{
		{"a content of just the limit is taken", 1000, 1000, nil},
		{"one byte more is refused", 1000, 1001, media.ErrTooLarge},
		{"much more is refused", 10, 1 << 20, media.ErrTooLarge},
		{"the largest limit is none", math.MaxInt64, 1000, nil},
		{"no limit means the usual one", 0, 1000, nil},
	}
	for _, c := range sizes {
		t.Run(c.rule, func(t *testing.T) {
			s, content := open(t, f), noise(c.size)
			o, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{Bytes: c.limit})
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, expected %v", err, c.want)
			}
			if c.want == nil {
				s.checkHolds(content, o)
			} else {
				s.checkLacks(hashOf(content))
				s.checkLacks(hashOf(content[:c.limit]))
			}
		})
	}
	t.Run("an endless content is read little further than the limit", func(t *testing.T) {
		s, endless := open(t, f), &endless{}
		if _, err := s.Put(t.Context(), endless, media.Limits{Bytes: 100_000}); !errors.Is(err, media.ErrTooLarge) {
			t.Errorf("error %v, expected ErrTooLarge", err)
		}
		if endless.read > 200_000 {
			t.Errorf("%d bytes were read", endless.read)
		}
	})
}

// endless is a content without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += len(p)
	return len(p), nil
}

// broken fails after some bytes.
type broken struct {
	io.Reader
	err error
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.err
	}
	return n, err
}

type typedError struct{ why string }

func (e *typedError) Error() string { return e.why }

func testHalf(t *testing.T, f Factory) {
	t.Run("a reader's error is passed on, and nothing is kept", func(t *testing.T) {
		s, content := open(t, f), noise(50_000)
		_, err := s.Put(t.Context(), broken{bytes.NewReader(content), &typedError{"cut off"}}, media.Limits{})
		if typed := (*typedError)(nil); !errors.As(err, &typed) || typed.why != "cut off" {
			t.Errorf("error %v, expected the reader's", err)
		}
		s.checkLacks(hashOf(content))
	})
	t.Run("a content is not there before its end was read", func(t *testing.T) {
		s, content := open(t, f), noise(50_000)
		look := then(func() { s.checkLacks(hashOf(content)) })
		o, err := s.Put(t.Context(), io.MultiReader(bytes.NewReader(content), look), media.Limits{})
		if err != nil {
			t.Fatalf("put: %v", err)
		}
		s.checkHolds(content, o)
	})
	t.Run("a context that ends in the middle ends a put", func(t *testing.T) {
		s, content := open(t, f), noise(50_000)
		ctx, cancel := context.WithCancel(t.Context())
		content2 := append(noise(50_000), noise(50_001)...)
		reader := io.MultiReader(bytes.NewReader(content), then(cancel), bytes.NewReader(content2[len(content):]))
		if _, err := s.Put(ctx, reader, media.Limits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, expected the context's", err)
		}
		s.checkLacks(hashOf(content))
		s.checkLacks(hashOf(content2))
	})
}

// then does something when everything before it was read.
type then func()

func (f then) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}
