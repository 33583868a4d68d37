package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf16"
)

// maxRequest bounds what a call may send, in bytes.
const maxRequest = 1 << 20

// ServeHTTP is the Graph API through a socket.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
		return
	}
	a := s.serve(r, originOf(r), body)
	if a.way == unreached || !s.wait(r.Context(), a) {
		panic(http.ErrAbortHandler) // the way to break the connection
	}
	maps.Copy(w.Header(), a.header())
	w.WriteHeader(a.status)
	if a.pace == fileGood {
		_, _ = w.Write(a.body) // whoever hung up does not want it
	} else if _, err := io.Copy(flusher{w}, a.stream(r.Context(), s)); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// originOf is where a request through a socket came to.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// flusher does not keep bytes that are meant to be seen.
type flusher struct{ http.ResponseWriter }

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}

func (a answer) header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	switch {
	case a.way == inHTML:
		h.Set("Content-Type", "text/html")
	case a.mime != "":
		h.Set("Content-Type", a.mime)
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	return h
}

// stream gives the body as it comes.
func (a answer) stream(ctx context.Context, s *Simulator) io.ReadCloser {
	return &stream{s: s, ctx: ctx, pace: a.pace, body: a.body}
}

// Transport is the Graph API without sockets, for a whatsapp.Client in the
// same process. It reports its steps to net/http/httptrace as net/http does,
// so that the client can tell what was sent.
func (s *Simulator) Transport() http.RoundTripper { return graph{s} }

type graph struct{ *Simulator }

// RoundTrip answers a call. It honours the request's context.
func (g graph) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxRequest)); err != nil {
			return nil, fmt.Errorf("read request: %w", err)
		}
		_ = r.Body.Close()
	}
	trace := httptrace.ContextClientTrace(r.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(r.URL.Host)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a := g.serve(r, filesHost, body)
	if a.way == unreached {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	if trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if !g.wait(r.Context(), a) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return nil, errClosed
	}
	response := respond(r, a.status, a.header(), a.body)
	if a.pace != fileGood {
		response.Body, response.ContentLength = a.stream(r.Context(), g.Simulator), -1
	}
	return response, nil
}

func respond(r *http.Request, status int, header http.Header, body []byte) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// Through is a way to a handler in this process, without sockets. The handler
// runs in the caller's goroutine and must end when the request's context does.
func Through(h http.Handler) http.RoundTripper { return through{h} }

type through struct{ http.Handler }

// RoundTrip calls the handler.
func (t through) RoundTrip(r *http.Request) (_ *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = io.ErrUnexpectedEOF
		} else if p != nil {
			panic(p)
		}
	}()
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &writer{header: make(http.Header)}
	t.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return respond(r, w.status, w.header, w.body.Bytes()), nil
}

// writer keeps what a handler answers.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// escape rewrites JSON as Meta puts it on the wire: "/" and "@" and everything
// that is not ASCII are escaped. It means the same, but has another signature.
// Meta: create webhook endpoint, validate payloads.
func escape(plain []byte) []byte {
	var b strings.Builder
	for _, r := range string(plain) {
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		case r > 0x7f || r == '@':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return []byte(b.String())
}
