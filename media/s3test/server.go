package s3test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// What every service has. It knows the secrets as little as S3 does, but nobody
// may ever print them.
const (
	Bucket    = "media"
	AccessKey = "AKIA-bucket-test-access-key"
	Secret    = "bucket-test-secret-access-key"
)

// Server is a service with one empty bucket.
type Server struct {
	// Dial reaches the service where there is no network; nil is over the
	// network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	host    string
	s3      http.Handler
	backend *s3mem.Backend

	mutex sync.Mutex
	ahead time.Duration
	fault Fault
	calls []Call
}

// Fault may answer in the place of the service, or do something before it does.
// It reports whether it answered. To cut the connection it panics with
// http.ErrAbortHandler.
type Fault func(w http.ResponseWriter, r *http.Request) (answered bool)

// Call is a request that reached the service.
type Call struct {
	// Method and Query are the request's, Key the object's, "" for the bucket.
	Method, Key string
	Query       url.Values
	// Sent is how many bytes came with it, Copied that they came from within
	// the bucket.
	Sent   int64
	Copied bool
}

// Start starts a service on the network of this machine, which ends with the
// test, and sets the environment's credentials to ours.
func Start(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, l)
	s.host = l.Addr().String()
	return s
}

// StartWithin is Start without a network, for a test in virtual time.
func StartWithin(t testing.TB) *Server {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := newServer(t, l)
	s.host, s.Dial = "s3.test", l.dial
	return s
}

func newServer(t testing.TB, l net.Listener) *Server {
	t.Helper()
	s := &Server{}
	backend := s3mem.New(s3mem.WithTimeSource(s))
	if err := backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	s.s3, s.backend = gofakes3.New(backend, gofakes3.WithTimeSource(s), gofakes3.WithTimeSkewLimit(0)).Server(), backend
	server := &http.Server{Handler: s}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close() // the error is Serve's, too
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the service ended by itself: %v", err)
		}
	})
	for name, value := range Environment() {
		t.Setenv(name, value)
	}
	return s
}

// Environment is what a process needs to use the service. No file of this
// machine and no cloud is asked for anything else.
func Environment() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": Secret, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	}
}

// Address is the bucket's, for PARLEY_MEDIA.
func (s *Server) Address(prefix string) string {
	q := url.Values{"region": {"us-east-1"}, "endpoint": {"http://" + s.host}, "use_path_style": {"true"}}
	if prefix != "" {
		q.Set("prefix", prefix)
	}
	return "s3://" + Bucket + "?" + q.Encode()
}

// Break puts a fault in the place of the one before; nil is none.
func (s *Server) Break(f Fault) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fault = f
}

// Advance puts the service's clock forward, or back.
func (s *Server) Advance(by time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.ahead += by
}

// Now implements gofakes3.TimeSource.
func (s *Server) Now() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return time.Now().Add(s.ahead)
}

// Since implements gofakes3.TimeSource.
func (s *Server) Since(t time.Time) time.Duration { return s.Now().Sub(t) }

// Calls gives what was asked since the last time.
func (s *Server) Calls() []Call {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, key, _ := cutBucket(r.URL.Path)
	s.mutex.Lock()
	fault := s.fault
	s.calls = append(s.calls, Call{
		Method: r.Method, Key: key, Query: r.URL.Query(), Sent: max(0, r.ContentLength), Copied: r.Header.Get("X-Amz-Copy-Source") != "",
	})
	s.mutex.Unlock()
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	if fault == nil || !fault(w, r) {
		s.s3.ServeHTTP(w, r)
	}
}

// Serve answers as the service does, past every fault.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) { s.s3.ServeHTTP(w, r) }
