package whatsapp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"parley/media"
	"parley/media/guard"
	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// A client, the guard and the store as they are joined in a server.

// A23: a name that leads into the private network is refused when it is dialled,
// whatever it said before.
func TestAGuardedDownloadDoesNotReachThePrivateNetwork(t *testing.T) {
	var visits atomic.Int32
	inner := httptest.NewUnstartedServer(gives(picture))
	inner.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			visits.Add(1)
		}
	}
	inner.StartTLS()
	defer inner.Close()
	var address string
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v25.0/") {
			answers(found(address))(w, r)
			return
		}
		redirects(302, "https://files.example/x")(w, r)
	}))
	defer graph.Close()
	rt, err := guard.Transport(graph.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.CloseIdleConnections()
	// In place of a name server: the host lies in our own network.
	dial := rt.DialContext
	rt.DialContext = func(ctx context.Context, network, authority string) (net.Conn, error) {
		if authority == "files.example:443" {
			authority = inner.Listener.Addr().String()
		}
		return dial(ctx, network, authority)
	}
	for _, address = range []string{"https://files.example/x", graph.URL + "/redirect"} {
		_, err := whatsapp.NewClient(graph.URL, "v25.0", rt).Download(t.Context(), credentials, mediaID, 0)
		checkProblem(t, err, whatsapp.MediaUnsafe)
		if got := whatsapp.AdviseMedia(err).Action; got != whatsapp.Never {
			t.Errorf("advice %s", got)
		}
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

// F204, F208: what is stored are the very bytes, or nothing.
func TestADownloadIsStoredWholeOrNotAtAll(t *testing.T) {
	ids := make(chan string, 1)
	callback := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		n, parseErr := whatsapp.Parse(body)
		if err := errors.Join(err, parseErr); err != nil {
			t.Error(err)
		}
		ids <- n.Messages[0].Media.ID
	})
	s := simulator.New(simulator.Config{Faults: simulator.Calm(), Deliver: simulator.Through(callback)})
	defer s.Close()
	s.Connect(simulator.Number{ID: credentials.PhoneNumberID, Token: secretToken, Callback: "http://parley.test/callback"})
	client := whatsapp.NewClient(whatsapp.DefaultURL, "v25.0", s.Transport())
	cases := []struct {
		person string
		want   whatsapp.MediaProblem
	}{
		{"15550100001", ""},
		{"15550003256", whatsapp.MediaCorrupt},
		{"15550003499", whatsapp.MediaInterrupted},
		{"15550003999", whatsapp.MediaTooLarge},
	}
	for _, c := range cases {
		t.Run(c.person, func(t *testing.T) {
			store := media.NewMemory()
			s.Person(credentials.PhoneNumberID, c.person).SendFile(simulator.File{Kind: "image", Bytes: picture})
			d, err := client.Download(t.Context(), credentials, <-ids, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			o, err := store.Put(t.Context(), d, media.Limits{})
			if err := errors.Join(err, d.Close()); err != nil || c.want != "" {
				checkProblem(t, err, c.want)
				return
			}
			r, _, err := store.Open(t.Context(), o.Hash)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil || string(content) != string(picture) || o.Type != "image/jpeg" {
				t.Errorf("%d bytes of %s, %v", len(content), o.Type, err)
			}
		})
	}
}
