package simulator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// picture is a file of many pieces.
var picture = append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte("picture "), 20_000)...)

// receive lets a person send a file, and gives what the callback was told.
func (l *life) receive(t testing.TB, person string, f simulator.File) whatsapp.Message {
	t.Helper()
	wamid := l.Person(numberID, person).SendFile(f)
	l.idle(t)
	for _, m := range l.server.messages {
		if m.ID == wamid {
			return m
		}
	}
	t.Fatalf("message %s did not come", wamid)
	return whatsapp.Message{}
}

// download fetches a file as a whole.
func (l *life) download(ctx context.Context, id string, limit int64) ([]byte, error) {
	d, err := l.client.Download(ctx, l.Credentials(numberID), id, limit)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(d)
	return content, errors.Join(err, d.Close())
}

// problem is why a download failed.
func problem(err error) whatsapp.MediaProblem {
	var e *whatsapp.MediaError
	if errors.As(err, &e) {
		return e.Problem
	}
	return ""
}

// F010, F035, F068
func TestAPersonSendsAFileOfEachKind(t *testing.T) {
	cases := []struct {
		file simulator.File
		typ  string
		want whatsapp.Media
	}{
		{simulator.File{Kind: "image", Caption: "look"}, "image", whatsapp.Media{MIME: "image/jpeg", Caption: "look"}},
		{simulator.File{Kind: "video", MIME: "video/3gpp"}, "video", whatsapp.Media{MIME: "video/3gpp"}},
		{simulator.File{Kind: "audio"}, "audio", whatsapp.Media{MIME: "audio/mpeg"}},
		{simulator.File{Kind: "voice"}, "audio", whatsapp.Media{MIME: "audio/ogg; codecs=opus", Voice: true}},
		{simulator.File{Kind: "document", Name: "a/b.pdf", Caption: "read"}, "document", whatsapp.Media{MIME: "application/pdf", Filename: "a/b.pdf", Caption: "read"}},
		{simulator.File{Kind: "sticker"}, "sticker", whatsapp.Media{MIME: "image/webp"}},
	}
	for _, c := range cases {
		t.Run(c.file.Kind, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				c.file.Bytes = picture
				m := l.receive(t, ann, c.file)
				if m.Type != c.typ || m.Media == nil {
					t.Fatalf("%s: %+v", m.Type, m.Media)
				}
				c.want.ID, c.want.SHA256 = m.Media.ID, m.Media.SHA256
				if diff := cmp.Diff(&c.want, m.Media); diff != "" || len(m.Media.SHA256) != 44 {
					t.Errorf("-want +got:\n%s", diff)
				}
				d, err := l.client.Download(t.Context(), l.Credentials(numberID), m.Media.ID, 0)
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(d)
				if err := errors.Join(err, d.Close()); err != nil || !bytes.Equal(content, picture) || d.MIME != c.want.MIME || d.Size != int64(len(picture)) {
					t.Errorf("%d bytes of %s, %v", len(content), d.MIME, err)
				}
			})
		})
	}
}

// F203: both calls carry the token.
func TestFilesAreAskedForWithTheToken(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.receive(t, ann, simulator.File{Kind: "image", Bytes: picture}).Media.ID
		if _, err := l.download(t.Context(), id, 0); err != nil {
			t.Fatal(err)
		}
		want := []simulator.Call{
			{Number: numberID, Kind: "media", Media: id, WithToken: true, Status: 200},
			{Number: numberID, Kind: "download", Media: id, WithToken: true, Status: 200},
		}
		calls := l.Calls()
		for i := range calls {
			calls[i].At = time.Time{}
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// Each person's files, as the client gets them.
func TestFileRoles(t *testing.T) {
	expected := map[string]struct {
		// first and second are what the first and second download come to.
		first, second whatsapp.MediaProblem
		after         time.Duration
	}{
		"15550003404": {},
		"15550003410": {first: whatsapp.MediaGone, second: whatsapp.MediaGone},
		"15550003256": {first: whatsapp.MediaCorrupt, second: whatsapp.MediaCorrupt},
		"15550003200": {first: whatsapp.MediaCorrupt},
		"15550003302": {first: whatsapp.MediaUnsafe, second: whatsapp.MediaUnsafe},
		"15550003499": {first: whatsapp.MediaInterrupted},
		"15550003408": {first: whatsapp.MediaInterrupted, second: whatsapp.MediaInterrupted, after: 30 * time.Second},
		"15550003425": {after: 90 * time.Second},
		"15550003999": {first: whatsapp.MediaTooLarge, second: whatsapp.MediaTooLarge},
	}
	for _, role := range simulator.FileCast() {
		t.Run(role.Does, func(t *testing.T) {
			want, ok := expected[role.Number]
			if !ok {
				t.Fatalf("%s is not tested", role.Number)
			}
			bubble(t, calm(), func(t *testing.T, l *life) {
				id := l.receive(t, role.Number, simulator.File{Kind: "image", Bytes: picture}).Media.ID
				for i, want := range []whatsapp.MediaProblem{want.first, want.second} {
					start := time.Now()
					content, err := l.download(t.Context(), id, 10<<20)
					if problem(err) != want || want == "" && (err != nil || !bytes.Equal(content, picture)) {
						t.Errorf("download %d: %d bytes, %v, expected %q", i+1, len(content), err, want)
					}
					if took := time.Since(start); took != expected[role.Number].after {
						t.Errorf("download %d took %v", i+1, took)
					}
				}
				for _, c := range l.Calls() {
					if c.Kind == "private" || c.Kind == "unknown" {
						t.Errorf("a call that must not be made: %+v", c)
					}
				}
			})
		})
	}
}

// raw fetches an address as it is.
func (l *life) raw(t testing.TB, address, token, agent string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("User-Agent", agent)
	response, err := l.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

func TestAnAddressIsGoodForFiveMinutesAndWithTheTokenOnly(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.receive(t, ann, simulator.File{Kind: "image", Bytes: picture}).Media.ID
		f, err := l.client.FindMedia(t.Context(), l.Credentials(numberID), id)
		if err != nil {
			t.Fatal(err)
		}
		check := func(rule, address, token, agent string, want int) {
			t.Helper()
			if got := l.raw(t, address, token, agent); got != want {
				t.Errorf("%s: %d, expected %d", rule, got, want)
			}
		}
		check("as it should be", f.URL, business.Token, "Parley", 200)
		check("no token", f.URL, "", "Parley", 401)
		check("another token", f.URL, "other", "Parley", 401)
		check("an agent that says nothing", f.URL, business.Token, "", 403)
		check("an agent of no name", f.URL, business.Token, "Go-http-client/1.1", 403)
		check("another key", strings.Replace(f.URL, "hash=", "hash=x", 1), business.Token, "Parley", 404)
		time.Sleep(5*time.Minute + time.Second)
		check("after five minutes", f.URL, business.Token, "Parley", 404)
		if _, err := l.download(t.Context(), id, 0); err != nil {
			t.Errorf("a new address: %v", err)
		}
		time.Sleep(7 * 24 * time.Hour)
		if _, err := l.download(t.Context(), id, 0); problem(err) != whatsapp.MediaGone {
			t.Errorf("after seven days: %v", err)
		}
	})
}

func TestLookUpsThatMetaRefuses(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.receive(t, ann, simulator.File{Kind: "image", Bytes: picture}).Media.ID
		cases := []struct {
			rule, path, token string
			status            int
			code              [2]int
		}{
			{"no token", "/v25.0/" + id, "", 401, [2]int{104, 0}},
			{"another token", "/v25.0/" + id, "other", 401, [2]int{190, 0}},
			{"an unknown file", "/v25.0/123", business.Token, 400, [2]int{100, 33}},
			{"a file of another number", "/v25.0/" + id + "?phone_number_id=1", business.Token, 400, [2]int{100, 33}},
			{"its own number", "/v25.0/" + id + "?phone_number_id=" + numberID, business.Token, 200, [2]int{}},
			{"no number", "/v25.0/" + id, business.Token, 200, [2]int{}},
		}
		for _, c := range cases {
			status, body := l.do(t, "GET", c.path, c.token, "")
			if status != c.status || status != 200 && codeOf(t, body) != c.code {
				t.Errorf("%s: %d %s", c.rule, status, body)
			}
		}
	})
}

func TestADownloadThatIsCancelledEnds(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.receive(t, "15550003408", simulator.File{Kind: "image", Bytes: picture}).Media.ID
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			cancel()
		}()
		start := time.Now()
		if _, err := l.download(ctx, id, 0); !errors.Is(err, context.Canceled) || time.Since(start) > 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestFilesComeThroughSockets(t *testing.T) {
	l := start(t, calm())
	defer l.Close()
	server := httptest.NewServer(l)
	defer server.Close()
	l.client = whatsapp.NewClient(server.URL, "v25.0", nil)
	cases := []struct {
		person string
		want   whatsapp.MediaProblem
	}{
		{ann, ""},
		{"15550003404", ""},
		{"15550003256", whatsapp.MediaCorrupt},
		{"15550003302", whatsapp.MediaUnsafe},
		{"15550003499", whatsapp.MediaInterrupted},
		{"15550003999", whatsapp.MediaTooLarge},
	}
	for _, c := range cases {
		id := l.receive(t, c.person, simulator.File{Kind: "image", Bytes: picture}).Media.ID
		content, err := l.download(t.Context(), id, 1<<20)
		if problem(err) != c.want || c.want == "" && (err != nil || !bytes.Equal(content, picture)) {
			t.Errorf("%s: %d bytes, %v", c.person, len(content), err)
		}
	}
	id := l.receive(t, ann, simulator.File{Kind: "image", Bytes: picture}).Media.ID
	f, err := l.client.FindMedia(t.Context(), l.Credentials(numberID), id)
	if u, parseErr := url.Parse(f.URL); err != nil || parseErr != nil || "http://"+u.Host != server.URL {
		t.Errorf("the address is %s (%v)", f.URL, err)
	}
}
