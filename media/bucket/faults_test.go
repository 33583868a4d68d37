package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/media"
	"parley/media/bucket"
	"parley/media/s3test"
)

// calls are all calls of a store.
func calls(ctx context.Context, s media.Store) map[string]error {
	h := media.Hash(sha256.Sum256([]byte("x")))
	_, put := s.Put(ctx, strings.NewReader("x"), media.Limits{})
	_, _, open := s.Open(ctx, h)
	_, stat := s.Stat(ctx, h)
	return map[string]error{
		"put": put, "open": open, "stat": stat, "delete": s.Delete(ctx, h), "discard": s.Discard(ctx, h, time.Now()),
		"walk": s.Walk(ctx, func(media.Hash, time.Time) error { return nil }),
	}
}

// Whatever is wrong with the bucket, every call ends in time with an error that
// says so, and none says that a content is not there.
func TestABucketThatDoesNotWork(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	for name, fault := range map[string]s3test.Fault{
		"answers 500":         s3test.Refuse(500, "InternalError"),
		"answers 503":         s3test.Refuse(503, "SlowDown"),
		"denies":              s3test.Refuse(403, "AccessDenied"),
		"is gone":             s3test.Refuse(404, "NoSuchBucket"),
		"never answers":       hang,
		"breaks connections":  func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
		"lists and does else": s3test.Refuse(500, "InternalError", "PUT", "HEAD"),
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
				keep(t, s, []byte("x"))
				time.Sleep(time.Hour) // so that it is put anew
				server.Break(fault)
				began := time.Now()
				for call, err := range calls(t.Context(), s) {
					if strings.HasPrefix(name, "lists") && call == "walk" {
						continue
					}
					if !errors.Is(err, media.ErrUnavailable) || errors.Is(err, media.ErrNotFound) {
						t.Errorf("%s: %v, expected ErrUnavailable", call, err)
					}
					checkSilent(t, err)
				}
				if took := time.Since(began); took > 6*2*time.Minute {
					t.Errorf("all of it took %v", took)
				}
				server.Break(nil)
				keep(t, s, []byte("x"))
				checkHolds(t, s, []byte("x"))
			})
		})
	}
}

// checkSilent looks for credentials in an error. P9
func checkSilent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{s3test.AccessKey, s3test.Secret} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("an error holds credentials: %v", err)
		}
	}
}

func TestAFaultThatPassesIsNotNoticed(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content, n := noise(100_000), 0
		server.Break(func(w http.ResponseWriter, r *http.Request) bool {
			n++
			return n%2 == 1 && s3test.Refuse(503, "SlowDown")(w, r)
		})
		keep(t, s, content)
		checkHolds(t, s, content)
	})
}

func TestAContentThatIsCutOffOnTheWayIsReadWhole(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(5_000_000)
		keep(t, s, content)
		server.Break(server.Cut(700_000))
		checkHolds(t, s, content)
		server.Break(server.Cut(0))
		r, _, err := s.Open(t.Context(), sha256.Sum256(content))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); !errors.Is(err, media.ErrUnavailable) || n > 0 {
			t.Errorf("%d bytes of a content that never comes, %v", n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An upload that breaks in the middle leaves nothing to be seen.
func TestAPutThatIsCutOff(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(1_000_000)
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			_, _ = io.CopyN(io.Discard, r.Body, 500_000)
			panic(http.ErrAbortHandler)
		})
		if _, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{}); !errors.Is(err, media.ErrUnavailable) {
			t.Errorf("error %v, expected ErrUnavailable", err)
		}
		if keys := server.Keys(t); len(keys) > 0 {
			t.Errorf("there is %v", keys)
		}
		server.Break(nil)
		keep(t, s, content)
		checkHolds(t, s, content)
	})
}

// The bucket has the content, and nobody heard of it.
func TestAPutWhoseAnswerIsLost(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content, lost := noise(1_000_000), 0
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || lost > 0 {
				return false
			}
			lost++
			server.Serve(discard{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})
		keep(t, s, content)
		if keys := server.Keys(t); len(keys) != 1 || lost != 1 {
			t.Errorf("there is %v", keys)
		}
	})
}

// discard is an answer that nobody hears.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// A line that is slow, but on which something moves, is given its time.
func TestASlowLineIsGivenItsTime(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(1_000_000)
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				r.Body = slow{r.Body}
			}
			return false
		})
		began := time.Now()
		keep(t, s, content)
		if took := time.Since(began); took < time.Minute {
			t.Errorf("it took only %v, and proves nothing", took)
		}
		checkHolds(t, s, content)
	})
}

// slow is read at some kilobytes a second.
type slow struct{ io.ReadCloser }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return s.ReadCloser.Read(p[:min(len(p), 10_000)])
}

// A context that ends does not leave its caller waiting for the bucket.
func TestAContextThatEnds(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return false
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		for call, err := range calls(ctx, s) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, expected the context's", call, err)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		server.Break(nil)
	})
}

// A node that stops does not wait for a bucket that hangs.
func TestReadingEndsWithItsContext(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		o := keep(t, s, noise(1000))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, _, err := s.Open(ctx, o.Hash)
		if err != nil {
			t.Fatal(err)
		}
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return false
		})
		began := time.Now()
		if _, err := io.ReadAll(r); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		server.Break(nil)
	})
}

// Others put the content again while it is read, and remove the edition.
func TestReadingGoesOnInAnotherEdition(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, _ *s3test.Server) {
		content := noise(9 << 20)
		o := keep(t, s, content)
		r, _, err := s.Open(t.Context(), o.Hash)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1000)
		if _, err := io.ReadFull(r, first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		keep(t, s, content)
		rest, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(append(first, rest...), content) {
			t.Errorf("%d bytes, %v", len(rest), err)
		}
	})
}

// A small part of a large content is not paid for with the whole.
func TestAPartIsReadAlone(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(40 << 20)
		o := keep(t, s, content)
		server.Calls()
		var asked []string
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			if part := r.Header.Get("Range"); part != "" {
				asked = append(asked, part)
			}
			return false
		})
		r, _, err := s.Open(t.Context(), o.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Seek(-10, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, content[40<<20-10:]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if len(asked) != 1 || asked[0] != "bytes=41943030-41943039" {
			t.Errorf("asked for %v", asked)
		}
	})
}
