package http_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
	"parley/events/memory"
	parleyhttp "parley/http"
	"parley/http/ticket"
	"parley/media"
	"parley/projections"
)

// late is a log that tells what is new a while after it was written, as one
// that is elsewhere may.
type late struct{ events.Store }

func (l late) Subscribe(after events.Position) events.Subscription {
	return lateSubscription{l.Store.Subscribe(after)}
}

type lateSubscription struct{ events.Subscription }

func (l lateSubscription) Next(ctx context.Context) ([]events.Recorded, error) {
	page, err := l.Subscription.Next(ctx)
	time.Sleep(50 * time.Millisecond)
	return page, err
}

// reader is a node that only reads: what it is asked for is written elsewhere,
// and it hears of it late.
type reader struct {
	t       *testing.T
	log     events.Store
	model   *projections.Model
	files   *media.Memory
	tickets *ticket.Signer
	server  *parleyhttp.Server
	written map[events.Stream]events.Revision
}

func inReader(t *testing.T, test func(r *reader)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &reader{t: t, log: late{memory.New()}, files: media.NewMemory(), written: map[events.Stream]events.Revision{}}
		var err error
		r.model, err = projections.Open(t.Context(), projections.Config{
			Path: filepath.Join(t.TempDir(), "model.db"), Store: r.log, Slack: 100 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.tickets, err = ticket.New(make([]byte, ticket.KeySize)); err != nil {
			t.Fatal(err)
		}
		r.server = parleyhttp.New(parleyhttp.Config{
			Model: r.model, Files: r.files, UploadLimit: 1 << 20, Tickets: r.tickets, Logger: slog.New(slog.DiscardHandler),
			Tokens: map[[sha256.Size]byte]string{sha256.Sum256([]byte("sk")): "acme"}, Metrics: prometheus.NewRegistry(),
		})
		ctx, stop := context.WithCancel(t.Context())
		var folding sync.WaitGroup
		folding.Go(func() { _ = r.model.Run(ctx) }) // it ends with the context
		defer func() {
			stop()
			folding.Wait()
			if err := r.model.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(r)
	})
}

// write writes facts as another node would, and gives where they stand.
func (r *reader) write(s events.Stream, facts ...events.Event) string {
	r.t.Helper()
	records, err := events.Records(s, events.Metadata{Command: events.NewKey(), Account: "acme", At: events.At(time.Now())}, facts...)
	if err != nil {
		r.t.Fatal(err)
	}
	expected, known := r.written[s]
	if !known {
		expected = events.NoStream
	}
	appended, err := r.log.Append(r.t.Context(), s, expected, records...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.written[s] = appended.Revision
	return strconv.FormatUint(uint64(appended.Position), 10)
}

// content keeps a content where all nodes find it.
func (r *reader) content(text string) events.Content {
	r.t.Helper()
	o, err := r.files.Put(r.t.Context(), strings.NewReader(text), media.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	return events.Content{Hash: o.Hash.String(), Name: "a.txt", Type: "text/plain", Size: o.Size}
}

// call calls the API; secret and position may be "".
func (r *reader) call(method, path, body, secret, position string) (status int, text string) {
	request := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if position != "" {
		request.Header.Set("X-Parley-Position", position)
	}
	w := httptest.NewRecorder()
	r.server.Handler().ServeHTTP(w, request)
	return w.Code, w.Body.String()
}

func (r *reader) ticket(purpose ticket.Purpose, id, within string) string {
	return r.tickets.Sign(ticket.Claims{
		Purpose: purpose, Account: "acme", ID: id, Within: within, Size: 9, Expires: time.Now().Add(time.Minute).UnixMilli(),
	})
}

// TestWhatAnotherNodeHasJustMade looks for a thing at the very moment at which
// another node has acknowledged it.
func TestWhatAnotherNodeHasJustMade(t *testing.T) {
	const tooSmall = "The file has 3 bytes and not 9"
	for _, c := range []struct {
		name, method, path, body, secret string
		ticket                           [3]string
		status                           int
		text                             string
	}{
		{name: "a file", method: "GET", path: "/file/f/fetch", secret: "sk", status: 200, text: `"id":"f"`},
		{name: "a file's content", method: "GET", path: "/file/f/download", secret: "sk", status: 200, text: "hello"},
		{name: "a public file's content", method: "GET", path: "/file/f/download", status: 200, text: "hello"},
		{name: "a file's content, by its address", method: "GET", path: "/download/TICKET/a.txt", ticket: [3]string{"file.download", "f"}, status: 200, text: "hello"},
		{name: "where a file's content goes", method: "POST", path: "/file/f/upload", body: `{"file":{"size":0}}`, secret: "sk", status: 400, text: "size"},
		{name: "where a file's content goes, by its address", method: "PUT", path: "/upload/TICKET", body: "abc", ticket: [3]string{"file.upload", "f"}, status: 400, text: tooSmall},
		{name: "a conversation", method: "GET", path: "/conversation/s/fetch", secret: "sk", status: 200, text: `"id":"s"`},
		{name: "a message", method: "GET", path: "/conversation/s/message/m/fetch", secret: "sk", status: 200, text: "Good morning"},
		{name: "an attachment", method: "GET", path: "/conversation/s/attachment/a/download", secret: "sk", status: 200, text: "hello"},
		{name: "an attachment, by its address", method: "GET", path: "/download/TICKET/a.txt", ticket: [3]string{"attachment.download", "a", "s"}, status: 200, text: "hello"},
		{name: "where an attachment goes", method: "POST", path: "/conversation/s/attachment/upload", body: `{"file":{"size":0}}`, secret: "sk", status: 400, text: "size"},
		{name: "where an attachment goes, by its address", method: "PUT", path: "/upload/TICKET", body: "abc", ticket: [3]string{"attachment.upload", "a", "s"}, status: 400, text: tooSmall},
	} {
		t.Run(c.name, func(t *testing.T) {
			inReader(t, func(r *reader) {
				if err := r.model.Recent(r.t.Context()); err != nil { // for the next tenth of a second nobody asks the log by himself
					t.Fatal(err)
				}
				held := r.content("hello")
				r.write("file-f", events.FileCreated{Account: "acme", Settings: events.FileSettings{Visibility: "public"}}, events.FileUploaded{Content: held})
				r.write("conversation-s", events.SessionStarted{Session: events.Session{ID: "s"}})
				r.write("conversation-s", events.MessageWritten{Session: "s", Message: "m", Type: "user", Text: "Good morning"},
					events.AttachmentUploaded{Session: "s", Attachment: events.Attachment{ID: "a", Hash: held.Hash, Name: held.Name, Type: held.Type, Size: held.Size}})
				path := strings.Replace(c.path, "TICKET", r.ticket(ticket.Purpose(c.ticket[0]), c.ticket[1], c.ticket[2]), 1)
				if status, text := r.call(c.method, path, c.body, c.secret, ""); status != c.status || !strings.Contains(text, c.text) {
					t.Errorf("%d %s", status, text)
				}
			})
		})
	}
}

// TestWhatAnotherNodeHasJustAdded looks for what was added to a thing that is
// known here already.
func TestWhatAnotherNodeHasJustAdded(t *testing.T) {
	for _, path := range []string{"/conversation/s/message/m/fetch", "/conversation/s/attachment/a/download"} {
		t.Run(path, func(t *testing.T) {
			inReader(t, func(r *reader) {
				r.write("conversation-s", events.SessionStarted{Session: events.Session{ID: "s"}})
				r.call("GET", "/conversation/s/fetch", "", "sk", "")
				held := r.content("hello")
				r.write("conversation-s", events.MessageWritten{Session: "s", Message: "m", Type: "user", Text: "hello"},
					events.AttachmentUploaded{Session: "s", Attachment: events.Attachment{ID: "a", Hash: held.Hash, Name: held.Name, Type: held.Type, Size: held.Size}})
				if status, text := r.call("GET", path, "", "sk", ""); status != 200 || !strings.Contains(text, "hello") {
					t.Errorf("%d %s", status, text)
				}
			})
		})
	}
}

// TestWhoNamesAPositionSeesWhatStandsThere also holds for those who need no
// secret: the file is known here, but what it holds now is not yet.
func TestWhoNamesAPositionSeesWhatStandsThere(t *testing.T) {
	for _, c := range []struct{ name, path, secret string }{
		{"with a secret", "/file/f/download", "sk"},
		{"without one", "/file/f/download", ""},
		{"with a ticket", "/download/TICKET/a.txt", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inReader(t, func(r *reader) {
				r.write("file-f", events.FileCreated{Account: "acme", Settings: events.FileSettings{Visibility: "public"}}, events.FileUploaded{Content: r.content("old")})
				path := strings.Replace(c.path, "TICKET", r.ticket(ticket.DownloadFile, "f", ""), 1)
				if status, text := r.call("GET", path, "", c.secret, ""); status != 200 || text != "old" {
					t.Fatalf("before: %d %s", status, text)
				}
				position := r.write("file-f", events.FileUploaded{Content: r.content("new")})
				if status, text := r.call("GET", path, "", c.secret, position); status != 200 || text != "new" {
					t.Errorf("%d %s", status, text)
				}
				if status, _ := r.call("GET", path, "", c.secret, "soon"); status != http.StatusBadRequest {
					t.Errorf("no position: %d", status)
				}
			})
		})
	}
}
