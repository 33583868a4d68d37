// Package acmetest is an authority that gives out certificates by ACME, for
// tests: Pebble, Let's Encrypt's own test server, in the process. It validates
// for real, by connecting to loopback.
package acmetest

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is a running one.
type Authority struct {
	// Directory is its address for clients.
	Directory string
	// Itself is the certificate that the directory is served with, which
	// clients have to trust, Roots those of what it gives out. In PEM.
	Itself, Roots []byte
	// Stop ends it before the test does.
	Stop func()
}

// Start starts an authority. It takes every name for loopback, and validates at
// these ports in place of 80 and 443.
func Start(t *testing.T, httpPort, tlsPort int) *Authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20") // clients must cope
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	validator := va.New(quiet, httpPort, tlsPort, true, startDNS(t), store)
	front := wfe.New(quiet, store, validator, authority, []string{"pebble.test"}, true, false, 0, 0)
	server := httptest.NewUnstartedServer(front.Handler())
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	management := httptest.NewRecorder()
	front.ManagementHandler().ServeHTTP(management, httptest.NewRequest(http.MethodGet, wfe.RootCertPath+"0", nil))
	if management.Code != http.StatusOK {
		t.Fatalf("the authority's root: %d %s", management.Code, management.Body)
	}
	return &Authority{
		Directory: server.URL + wfe.DirectoryPath,
		Itself:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		Roots:     management.Body.Bytes(),
		Stop:      server.Close,
	}
}

// Pool gives certificates in PEM as a pool.
func Pool(t *testing.T, certificates []byte) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		t.Fatal("no certificates in PEM")
	}
	return pool
}

// startDNS starts a name server for which every name is loopback.
func startDNS(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &dns.Server{Listener: l, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(answer)}
	served := make(chan error, 1)
	go func() { served <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-served); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func answer(w dns.ResponseWriter, asked *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(asked)
	for _, q := range asked.Question {
		if q.Qtype == dns.TypeA {
			head := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			m.Answer = append(m.Answer, &dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)})
		}
	}
	_ = w.WriteMsg(m) // who asked has gone
}
