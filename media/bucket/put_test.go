package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/media"
	"parley/media/bucket"
	"parley/media/s3test"
)

// within runs a test against a service in virtual time.
func within(t *testing.T, test func(t *testing.T, s *bucket.Store, server *s3test.Server)) {
	t.Helper()
	for name, value := range s3test.Environment() {
		t.Setenv(name, value)
	}
	synctest.Test(t, func(t *testing.T) {
		server := s3test.StartWithin(t)
		test(t, open(t, server, "p/"), server)
	})
}

func noise(size int) []byte {
	b := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = random.Read(b) // never fails
	b[0] = 0x01
	return b
}

func keep(t *testing.T, s media.Store, content []byte) media.Object {
	t.Helper()
	o, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	return o
}

// checkHolds checks that a content is there whole.
func checkHolds(t *testing.T, s media.Store, content []byte) {
	t.Helper()
	r, o, err := s.Open(t.Context(), sha256.Sum256(content))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, content) || o.Size != int64(len(content)) {
		t.Errorf("%d bytes of %d, %v", len(got), len(content), err)
	}
}

// objects are the keys in a bucket.
func objects(t *testing.T, server *s3test.Server) (keys []string) {
	t.Helper()
	for _, key := range server.Keys(t) {
		keys = append(keys, key[:strings.LastIndex(key, "/")])
	}
	return keys
}

// sent are the bytes that came in since the last time, and how often the bucket
// copied within.
func sent(server *s3test.Server) (n int64, copies int) {
	for _, c := range server.Calls() {
		if n += c.Sent; c.Copied {
			copies++
		}
	}
	return n, copies
}

func TestAContentThatIsThereIsNotSentAgain(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(3 << 20)
		for i, c := range []struct {
			after  time.Duration
			sent   int64
			copies int
		}{{0, 3 << 20, 0}, {time.Second, 0, 0}, {time.Hour, 0, 1}, {time.Hour, 0, 1}} {
			time.Sleep(c.after)
			o := keep(t, s, content)
			if n, copies := sent(server); n != c.sent || copies != c.copies {
				t.Errorf("put %d: sent %d bytes and copied %d times, expected %d and %d", i, n, copies, c.sent, c.copies)
			}
			if diff := cmp.Diff([]string{"p/sha256/" + o.Hash.String()}, objects(t, server)); diff != "" {
				t.Errorf("put %d: objects (-want +got):\n%s", i, diff)
			}
			checkHolds(t, s, content)
			sent(server)
		}
	})
}

// Who puts what somebody else put a moment ago counts, though nothing is written.
func TestWhatIsSharedIsAsFreshAsItsLastPut(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(1000)
		keep(t, s, content)
		time.Sleep(10 * time.Second)
		again := time.Now()
		o := keep(t, s, content)
		if keys := server.Keys(t); len(keys) != 1 {
			t.Errorf("there is %v", keys)
		}
		if err := s.Walk(t.Context(), func(_ media.Hash, put time.Time) error {
			if put.Before(again) {
				t.Errorf("put at %v, by the walk at %v", again, put)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if err := s.Discard(t.Context(), o.Hash, again); err != nil {
			t.Error(err)
		}
		checkHolds(t, s, content)
	})
}

func TestALargeContentIsOneObjectAtOnceOrNone(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := noise(40 << 20)
		keep(t, s, content)
		puts := 0
		for _, c := range server.Calls() {
			if c.Method == http.MethodPost || c.Query.Has("uploadId") {
				t.Errorf("%s %s is sent in pieces, which a crash would leave there", c.Method, c.Key)
			}
			if c.Method == http.MethodPut {
				puts++
			}
		}
		if puts != 1 {
			t.Errorf("%d puts", puts)
		}
		checkHolds(t, s, content)
	})
}

func TestASpoiltContentIsHealedByPuttingItAgain(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		content := []byte("hello")
		keep(t, s, content)
		server.Write(t, server.Keys(t)[0], []byte("jell"))
		keep(t, s, content)
		checkHolds(t, s, content)
	})
}

func TestNothingIsLeftOnTheMachine(t *testing.T) {
	server := s3test.Start(t)
	drafts := t.TempDir()
	s, err := bucket.Open(t.Context(), bucket.Config{Address: server.Address(""), Drafts: drafts})
	if err != nil {
		t.Fatal(err)
	}
	look := reader(func() {
		if left, err := os.ReadDir(drafts); err != nil || len(left) > 0 {
			t.Errorf("drafts %v, %v", left, err)
		}
	})
	if _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("hello"), look), media.Limits{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// reader does something when everything before it was read.
type reader func()

func (f reader) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func TestStoresOfOnePrefixSeeEachOtherAndNoOther(t *testing.T) {
	server := s3test.Start(t)
	one, same, other := open(t, server, "a/"), open(t, server, "a/"), open(t, server, "b/")
	content := []byte("content")
	keep(t, one, content)
	checkHolds(t, same, content)
	if _, err := other.Stat(t.Context(), sha256.Sum256(content)); !errors.Is(err, media.ErrNotFound) {
		t.Errorf("another prefix: %v", err)
	}
	if err := other.Delete(t.Context(), sha256.Sum256(content)); err != nil {
		t.Error(err)
	}
	checkHolds(t, same, content)
}

// An old content that is put anew at the very moment at which it is removed, by
// somebody who just found it old.
func TestDiscardingLeavesWhatIsPutAtTheSameTime(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		other, content := open(t, server, "p/"), noise(1000)
		for _, method := range []string{http.MethodHead, http.MethodDelete} { // the first is a look before the second
			o := keep(t, s, content)
			time.Sleep(time.Hour)
			server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == method {
					server.Break(nil)
					keep(t, other, content)
				}
				return false
			})
			if err := s.Discard(t.Context(), o.Hash, time.Now().Add(-time.Minute)); err != nil {
				t.Errorf("discard: %v", err)
			}
			checkHolds(t, s, content)
		}
	})
}

// The old one is removed between the look of who puts it anew and the copy.
func TestPuttingWhatIsDiscardedAtTheSameTime(t *testing.T) {
	within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
		other, content := open(t, server, "p/"), noise(1000)
		o := keep(t, s, content)
		time.Sleep(time.Hour)
		server.Break(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				server.Break(nil)
				if err := other.Discard(t.Context(), o.Hash, time.Now().Add(-time.Minute)); err != nil {
					t.Errorf("discard: %v", err)
				}
			}
			return false
		})
		keep(t, s, content)
		checkHolds(t, s, content)
	})
}

// Many put, discard and read few contents that grow old all the time.
func TestWhatWasPutStaysWhateverOthersDo(t *testing.T) {
	server := s3test.Start(t)
	contents := [][]byte{noise(1000), noise(1001)}
	var work sync.WaitGroup
	for i := range 4 {
		s := open(t, server, "")
		work.Go(func() {
			for n := range 25 {
				content := contents[(i+n)%2]
				server.Advance(10 * time.Second) // the work of others included, below the grace of Discard
				if _, err := s.Put(t.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
					t.Errorf("put: %v", err)
				}
				if _, err := s.Stat(t.Context(), sha256.Sum256(content)); err != nil {
					t.Errorf("what was put is gone: %v", err)
				}
			}
		})
		work.Go(func() {
			for n := range 25 {
				hash := sha256.Sum256(contents[n%2])
				if err := s.Discard(t.Context(), hash, time.Now().Add(-10*time.Minute)); err != nil {
					t.Errorf("discard: %v", err)
				}
			}
		})
	}
	work.Wait()
	for _, content := range contents {
		checkHolds(t, open(t, server, ""), content)
	}
}

// The node's clock and the bucket's are apart. P1
func TestTheBucketsClockTellsWhatIsFresh(t *testing.T) {
	const fresh = 10 * time.Minute
	for _, ahead := range []time.Duration{0, 12 * time.Minute, -12 * time.Minute} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
				server.Advance(ahead)
				content := noise(1000)
				o := keep(t, s, content)
				time.Sleep(9 * time.Minute)
				if err := s.Discard(t.Context(), o.Hash, time.Now().Add(-fresh)); err != nil {
					t.Error(err)
				}
				checkHolds(t, s, content)
				time.Sleep(2 * time.Minute)
				if err := s.Discard(t.Context(), o.Hash, time.Now().Add(-fresh)); err != nil {
					t.Error(err)
				}
				if _, err := s.Stat(t.Context(), o.Hash); !errors.Is(err, media.ErrNotFound) {
					t.Errorf("an old content is there: %v", err)
				}
			})
		})
	}
}

func TestWalkingOverManyPages(t *testing.T) {
	server := s3test.Start(t)
	s := open(t, server, "p/")
	want := map[media.Hash]bool{}
	for i := range 2300 {
		content := fmt.Appendf(nil, "content %d", i)
		hash := media.Hash(sha256.Sum256(content))
		want[hash] = true
		server.Write(t, "p/sha256/"+hash.String()+"/one", content)
		if i%10 == 0 {
			server.Write(t, "p/sha256/"+hash.String()+"/two", content)
		}
	}
	server.Write(t, "p/sha256/not a hash/one", []byte("x"))
	err := s.Walk(t.Context(), func(h media.Hash, _ time.Time) error {
		if !want[h] {
			t.Errorf("visited %s, which is not there, or twice", h)
		}
		delete(want, h)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%v, %d not visited", err, len(want))
	}
}
