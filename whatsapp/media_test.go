package whatsapp_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

const (
	mediaID   = "1003383421387256"
	lookaside = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&hash=ARk"
)

var picture = append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("picture "), 1000)...)

// web is the internet: what each host answers, and who was asked for what.
type web struct {
	hosts  map[string]http.HandlerFunc
	visits []string
}

// RoundTrip notes the address and whether the token went there.
func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	visit := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	switch r.Header.Get("Authorization") {
	case "Bearer " + secretToken:
		visit += " with token"
	case "":
	default:
		visit += " with something else"
	}
	w.visits = append(w.visits, visit)
	host := w.hosts[r.URL.Host]
	if host == nil {
		return nil, fmt.Errorf("dial %s: no such host", r.URL.Host)
	}
	return simulator.Through(host).RoundTrip(r)
}

// found is the answer to a look-up of the picture.
func found(address string) map[string]any {
	sum := sha256.Sum256(picture)
	return map[string]any{
		"messaging_product": "whatsapp", "id": mediaID, "url": address, "mime_type": "image/jpeg",
		"sha256": hex.EncodeToString(sum[:]), "file_size": len(picture),
	}
}

func answers(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
}

func gives(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
}

func redirects(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

func fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// inTurn answers differently each time; the last answer stays.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(n, len(handlers)-1)](w, r)
		n++
	}
}

// meta is an internet with the picture at an address.
func meta(address string, hosts map[string]http.HandlerFunc) *web {
	all := map[string]http.HandlerFunc{"graph.facebook.com": answers(found(address)), "lookaside.fbsbx.com": gives(picture)}
	maps.Copy(all, hosts)
	return &web{hosts: all}
}

// download fetches the file as a whole.
func download(t testing.TB, rt http.RoundTripper, limit int64) ([]byte, error) {
	t.Helper()
	d, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", rt).Download(t.Context(), credentials, mediaID, limit)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(d)
	return content, errors.Join(err, d.Close())
}

// checkProblem checks why a download failed; "" means that it did not.
func checkProblem(t testing.TB, err error, want whatsapp.MediaProblem) {
	t.Helper()
	var e *whatsapp.MediaError
	if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.Problem != want) {
		t.Errorf("error %v, expected %q", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), secretToken) || strings.Contains(err.Error(), "hash=")) {
		t.Errorf("the error tells too much: %v", err)
	}
}

func TestFindMediaPutsTheRequestTogether(t *testing.T) {
	var got *http.Request
	rt := transport(func(r *http.Request) (*http.Response, error) {
		got = r
		body, err := json.Marshal(found(lookaside))
		if err != nil {
			t.Fatal(err)
		}
		return answer(200, string(body))(r)
	})
	f, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", rt).FindMedia(t.Context(), credentials, mediaID)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(picture)
	want := whatsapp.File{ID: mediaID, URL: lookaside, MIME: "image/jpeg", Size: int64(len(picture)), SHA256: sum[:]}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	request := []string{got.Method, got.URL.String(), got.Header.Get("Authorization")}
	if diff := cmp.Diff([]string{"GET", "https://graph.facebook.com/v25.0/" + mediaID + "?phone_number_id=106540352242922", "Bearer " + secretToken}, request); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Meta: the size is a number, and a string in the documentation; the sum is in
// hexadecimal here and in base64 in webhooks.
func TestLookUpsAreReadTolerantly(t *testing.T) {
	sum := sha256.Sum256(picture)
	cases := []struct {
		rule, body string
		want       whatsapp.File
	}{
		{"a size in quotes", `{"url":"u","file_size":"303833"}`, whatsapp.File{URL: "u", Size: 303833}},
		{"a size that is none", `{"url":"u","file_size":"big"}`, whatsapp.File{URL: "u"}},
		{"a negative size", `{"url":"u","file_size":-5}`, whatsapp.File{URL: "u"}},
		{"an ID that is a number", `{"url":"u","id":12345678901234567890}`, whatsapp.File{URL: "u", ID: "12345678901234567890"}},
		{"a sum in base64", `{"url":"u","sha256":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}`, whatsapp.File{URL: "u", SHA256: sum[:]}},
		{"a sum in capitals", `{"url":"u","sha256":"` + strings.ToUpper(hex.EncodeToString(sum[:])) + `"}`, whatsapp.File{URL: "u", SHA256: sum[:]}},
		{"a sum that is none", `{"url":"u","sha256":"HASH"}`, whatsapp.File{URL: "u"}},
		{"a sum of another kind", `{"url":"u","sha256":"d41d8cd98f00b204e9800998ecf8427e"}`, whatsapp.File{URL: "u"}},
		{"nothing but an address", `{"url":"u"}`, whatsapp.File{URL: "u"}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			f, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", answer(200, c.body)).FindMedia(t.Context(), credentials, mediaID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, f); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestIDsThatAreNone(t *testing.T) {
	for _, id := range []string{"", "..", "1/../me", "1?fields=x", "1#x", "a b", "1%2e", "é", strings.Repeat("1", 257)} {
		w := meta(lookaside, nil)
		_, err := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", w).FindMedia(t.Context(), credentials, id)
		checkProblem(t, err, whatsapp.MediaGone)
		if len(w.visits) > 0 {
			t.Errorf("%q was asked for: %v", id, w.visits)
		}
	}
}

// F237: 404, 500, timeout, oversize. What each failure means for a retry.
func TestAdviceAboutMedia(t *testing.T) {
	const gone = `{"error":{"message":"Unsupported get request.","type":"GraphMethodException","code":100,"error_subcode":33}}`
	cases := []struct {
		rule         string
		lookUp, file transport
		want         whatsapp.Action
		problem      whatsapp.MediaProblem
	}{
		{"Meta does not know the file", answer(400, gone), nil, whatsapp.Never, whatsapp.MediaGone},
		{"the token is bad", answer(401, `{"error":{"message":"Session has expired","type":"OAuthException","code":190}}`), nil, whatsapp.Stop, ""},
		{"a permission is missing", answer(403, `{"error":{"message":"no","type":"OAuthException","code":10}}`), nil, whatsapp.Stop, ""},
		{"Meta is asked too much", answer(400, `{"error":{"message":"slow down","type":"OAuthException","code":80007}}`), nil, whatsapp.BackOff, ""},
		{"Meta has a hiccup", answer(500, `{"error":{"message":"oops","type":"OAuthException","code":2}}`), nil, whatsapp.Retry, ""},
		{"a proxy's error page", answer(502, "<html>"), nil, whatsapp.Retry, whatsapp.MediaInterrupted},
		{"an answer without an address", answer(200, `{}`), nil, whatsapp.Retry, whatsapp.MediaInterrupted},
		{"an answer that is cut off", answer(200, `{"url":"https://x`), nil, whatsapp.Retry, whatsapp.MediaInterrupted},
		{"Meta cannot be reached", unreachable, nil, whatsapp.Retry, whatsapp.MediaInterrupted},
		{"the file is not found twice", nil, answer(404, ""), whatsapp.Never, whatsapp.MediaGone},
		{"the file is refused", nil, answer(403, ""), whatsapp.Retry, whatsapp.MediaRefused},
		{"the file's host fails", nil, answer(500, ""), whatsapp.Retry, whatsapp.MediaInterrupted},
		{"the file's host is asked too much", nil, answer(429, ""), whatsapp.Retry, whatsapp.MediaInterrupted},
		{"the file's host says something odd", nil, answer(204, ""), whatsapp.Retry, whatsapp.MediaRefused},
		{"a redirect to nowhere", nil, answer(302, ""), whatsapp.Retry, whatsapp.MediaRefused},
		{"the file's host cannot be reached", nil, unreachable, whatsapp.Retry, whatsapp.MediaInterrupted},
		{"the file's address is refused by the dialer", nil, refusedByDialer, whatsapp.Never, whatsapp.MediaUnsafe},
		{"the file is another", nil, answer(200, "x"), whatsapp.Retry, whatsapp.MediaCorrupt},
		{"the file breaks off", nil, func(r *http.Request) (*http.Response, error) {
			response, err := answer(200, "")(r)
			response.Body = io.NopCloser(io.MultiReader(strings.NewReader("x"), readError{errors.New("reset near " + secretToken)}))
			return response, err
		}, whatsapp.Retry, whatsapp.MediaInterrupted},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			_, err := download(t, transport(func(r *http.Request) (*http.Response, error) {
				switch {
				case r.URL.Host == "lookaside.fbsbx.com":
					return c.file(r)
				case c.lookUp != nil:
					return c.lookUp(r)
				}
				return meta(lookaside, nil).RoundTrip(r)
			}), 0)
			if c.problem != "" {
				checkProblem(t, err, c.problem)
			}
			if got := whatsapp.AdviseMedia(err).Action; got != c.want {
				t.Errorf("advice %q for %v, expected %q", got, err, c.want)
			}
			if unclear := (*whatsapp.Unclear)(nil); errors.As(err, &unclear) {
				t.Error("a look-up is never unclear")
			}
		})
	}
	if got := whatsapp.AdviseMedia(nil); got != (whatsapp.Advice{}) {
		t.Errorf("no error: %+v", got)
	}
	if got := whatsapp.AdviseMedia(errors.New("x")).Action; got != whatsapp.Retry {
		t.Errorf("somebody else's error: %s", got)
	}
}

func unreachable(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused, with " + secretToken)
}

// final is an error of a dialer that will not think better of it.
type final struct{ error }

func (final) Permanent() bool { return true }

func refusedByDialer(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("dial tcp: %w", final{errors.New("not a public address")})
}
