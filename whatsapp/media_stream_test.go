package whatsapp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"parley/whatsapp"
)

// Meta: seen in place of a file, a JSON error with status 200.
func TestWhatIsNotTheFileIsNotTakenForIt(t *testing.T) {
	changed := bytes.Clone(picture)
	changed[100] ^= 1
	without := func(keys ...string) http.HandlerFunc {
		f := found(lookaside)
		for _, k := range keys {
			delete(f, k)
		}
		return answers(f)
	}
	wrongSize := found(lookaside)
	wrongSize["file_size"] = 7
	cases := []struct {
		rule    string
		lookUp  http.HandlerFunc
		content []byte
		want    whatsapp.MediaProblem
	}{
		{"a JSON error in its place", without(), []byte(`{"error":{"message":"An unknown error has occurred.","code":1}}`), whatsapp.MediaCorrupt},
		{"one bit that is another", without(), changed, whatsapp.MediaCorrupt},
		{"a part of it", without(), picture[:500], whatsapp.MediaCorrupt},
		{"nothing", without(), nil, whatsapp.MediaCorrupt},
		{"a part of it, where there is no sum", without("sha256"), picture[:500], whatsapp.MediaCorrupt},
		{"all of it, where there is no sum", without("sha256"), picture, ""},
		{"all of it, where nothing is known", without("sha256", "file_size", "mime_type"), picture, ""},
		{"all of it by the sum, whatever the size says", answers(wrongSize), picture, ""},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			w := meta(lookaside, map[string]http.HandlerFunc{"graph.facebook.com": c.lookUp, "lookaside.fbsbx.com": gives(c.content)})
			_, err := download(t, w, 0)
			checkProblem(t, err, c.want)
		})
	}
}

// F237: oversize.
func TestFilesThatAreTooLarge(t *testing.T) {
	size := int64(len(picture))
	sized := func(n int) http.HandlerFunc {
		f := found(lookaside)
		f["file_size"] = n
		return answers(f)
	}
	t.Run("just the limit is not too large", func(t *testing.T) {
		_, err := download(t, meta(lookaside, nil), size)
		checkProblem(t, err, "")
	})
	t.Run("what Meta says is too large is not fetched", func(t *testing.T) {
		w := meta(lookaside, map[string]http.HandlerFunc{"graph.facebook.com": sized(200 << 20)})
		_, err := download(t, w, 0)
		checkProblem(t, err, whatsapp.MediaTooLarge)
		if len(w.visits) != 1 {
			t.Errorf("visits %v", w.visits)
		}
	})
	for rule, length := range map[string]int64{"what its host says is too large is not read": size, "a file that says nothing is read to the limit": -1} {
		t.Run(rule, func(t *testing.T) {
			read := 0
			rt := transport(func(r *http.Request) (*http.Response, error) {
				response, err := meta(lookaside, map[string]http.HandlerFunc{"graph.facebook.com": sized(0)}).RoundTrip(r)
				if err == nil && r.URL.Host == "lookaside.fbsbx.com" {
					response.Body, response.ContentLength = io.NopCloser(counter{response.Body, &read}), length
				}
				return response, err
			})
			content, err := download(t, rt, 1000)
			checkProblem(t, err, whatsapp.MediaTooLarge)
			if len(content) > 1000 || length > 0 && read > 0 {
				t.Errorf("%d bytes were given, %d read", len(content), read)
			}
		})
	}
}

// drip is a body of one byte after each wait.
type drip struct {
	ctx  context.Context
	wait time.Duration
}

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.wait):
		return copy(p, "x"), nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}

// attentive is a body that ends with its request, as those of net/http do.
type attentive struct {
	ctx context.Context
	io.Reader
}

func (a attentive) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	return a.Reader.Read(p)
}

// F237: timeout.
func TestADownloadDoesNotLastForever(t *testing.T) {
	dripping := func(wait time.Duration) transport {
		return func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "lookaside.fbsbx.com" {
				return meta(lookaside, nil).RoundTrip(r)
			}
			response, err := answer(200, "")(r)
			response.Body, response.ContentLength = io.NopCloser(drip{r.Context(), wait}), -1
			return response, err
		}
	}
	silent := transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "lookaside.fbsbx.com" {
			return meta(lookaside, nil).RoundTrip(r)
		}
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	mute := transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	cases := []struct {
		rule  string
		rt    transport
		after time.Duration
	}{
		{"a look-up that is not answered ends after 15 seconds", mute, 15 * time.Second},
		{"a file that does not begin ends after 15 seconds", silent, 15 * time.Second},
		{"a file that stands still ends after 30 seconds", dripping(time.Hour), 30 * time.Second},
		{"a file that drips ends after 10 minutes", dripping(29 * time.Second), 10 * time.Minute},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := download(t, c.rt, 0)
				checkProblem(t, err, whatsapp.MediaInterrupted)
				if took := time.Since(start); took != c.after {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
	t.Run("a reader that takes its time is not a download that stands still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := transport(func(r *http.Request) (*http.Response, error) {
				response, err := meta(lookaside, nil).RoundTrip(r)
				response.Body = io.NopCloser(attentive{r.Context(), response.Body})
				return response, err
			})
			d, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", rt).Download(t.Context(), credentials, mediaID, 0)
			if err != nil {
				t.Fatal(err)
			}
			n, piece := 0, make([]byte, 1000)
			for err == nil {
				var k int
				k, err = d.Read(piece)
				n += k
				time.Sleep(40 * time.Second)
			}
			if !errors.Is(err, io.EOF) || n != len(picture) {
				t.Errorf("%d bytes, %v", n, err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestADownloadLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine stays
		closed := 0
		rt := transport(func(r *http.Request) (*http.Response, error) {
			response, err := meta(lookaside, map[string]http.HandlerFunc{"lookaside.fbsbx.com": inTurn(fails(404), gives(picture))}).RoundTrip(r)
			response.Body = closing{response.Body, &closed}
			return response, err
		})
		d, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", rt).Download(t.Context(), credentials, mediaID, 0)
		if err == nil {
			err = d.Close()
		}
		checkProblem(t, err, whatsapp.MediaGone)
		if closed != 4 {
			t.Errorf("%d of 4 answers were closed", closed)
		}
	})
}

type closing struct {
	io.ReadCloser
	n *int
}

func (c closing) Close() error {
	*c.n++
	return c.ReadCloser.Close()
}
