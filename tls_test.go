package parley_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/events"
	"parley/events/memory"
)

// secured is a node that shows a certificate on a real listener.
type secured struct {
	address, plain string
	client         *http.Client
}

// secure starts one with the certificate that Go's own tests use.
func secure(t *testing.T) secured {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := freePort(t)
	cert, key, pool := testCertificate(t)
	config, err := parley.LoadConfig("serve", []string{
		"--data", t.TempDir(), "--listen", listener.Addr().String(), "--tls-cert", cert, "--tls-key", key, "--tls-plain", plain,
	}, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	config.Tokens = map[string]events.Secret{"acme": events.NewSecret(apiSecret)}
	node, err := parley.Start(t.Context(), config, parley.Parts{Store: memory.New(), Engine: echo()}, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return secured{listener.Addr().String(), plain, &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}}
}

// testCertificate writes a certificate for 127.0.0.1 into files.
func testCertificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	donor := httptest.NewTLSServer(http.NotFoundHandler())
	defer donor.Close()
	own := donor.TLS.Certificates[0]
	raw, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: own.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: raw},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AddCert(donor.Certificate())
	return cert, key, pool
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// call calls the API, and gives status and body.
func (s secured) call(t *testing.T, method, url string, body io.Reader) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return response.StatusCode, response.Header, string(text)
}

func TestTLS(t *testing.T) { // F076 F077
	s := secure(t)
	list := "https://" + s.address + "/api/v1/bot/list"
	t.Run("the API answers", func(t *testing.T) {
		if status, _, text := s.call(t, http.MethodGet, list, nil); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	})
	t.Run("whoever does not shake hands keeps nobody waiting", func(t *testing.T) {
		for range 100 {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		s.client.CloseIdleConnections()
		if status, _, text := s.call(t, http.MethodGet, list, nil); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	})
	t.Run("what is too large is answered before it is read", func(t *testing.T) { // A12
		for range 20 { // it is a race
			status, _, text := s.call(t, http.MethodPost, "https://"+s.address+"/api/v1/bot/create", bytes.NewReader(make([]byte, 20<<20)))
			if status != 413 || !strings.Contains(text, "CONTENT_TOO_LARGE") {
				t.Errorf("%d %s", status, text)
			}
		}
	})
	t.Run("who comes without TLS is told", func(t *testing.T) {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: parley\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(conn) // the connection is cut after it
		if !strings.HasPrefix(string(said), "HTTP/1.0 400 ") || !strings.Contains(string(said), "call it by https://") {
			t.Errorf("%q", said)
		}
	})
	t.Run("the address without TLS leads here", func(t *testing.T) {
		status, header, _ := s.call(t, http.MethodGet, "http://"+s.plain+"/healthz?a=b", nil)
		if status != 308 || header.Get("Location") != "https://"+s.address+"/healthz?a=b" {
			t.Errorf("%d %s", status, header.Get("Location"))
		}
		if status, _, _ := s.call(t, http.MethodPost, "http://"+s.plain+"/api/v1/bot/create", strings.NewReader("{}")); status != 403 {
			t.Errorf("a post: %d", status)
		}
	})
}

func TestABadCertificateStopsTheStart(t *testing.T) {
	cert, _, _ := testCertificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	config, err := load(t, nil, "--data", t.TempDir(), "--tls-cert", cert, "--tls-key", cert, "--tokens", "acme:x")
	if err != nil {
		t.Fatal(err)
	}
	_, err = parley.Start(t.Context(), config, parley.Parts{Store: memory.New(), Engine: echo()}, slog.New(slog.DiscardHandler), listener)
	if err == nil || !strings.HasPrefix(err.Error(), "start the door: read the certificate: ") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("the error is %v", err)
	}
}
