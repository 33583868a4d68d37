package certs_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parley/http/certs"
	"parley/http/certs/acmetest"
)

// listen gives a listener on loopback and its port.
func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the server has closed it
	return l, l.Addr().(*net.TCPAddr).Port
}

// serve serves on a listener until the end of the test.
func serve(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-served); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// to gives a client for which every host is at an address.
func to(address string, config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: config, DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       10 * time.Second,
	}
}

// A real authority validates for real, one way and the other, and a process
// that comes after has what the first one got.
func TestCertificatesAreGot(t *testing.T) { // F077
	for _, way := range []string{"TLS-ALPN-01", "HTTP-01 and TLS-ALPN-01", "HTTP-01"} {
		t.Run(way, func(t *testing.T) {
			secure, securePort := listen(t)
			plain, plainPort := listen(t)
			reachable := securePort
			if way == "HTTP-01" {
				_, reachable = listen(t) // nobody answers there
			}
			ca := acmetest.Start(t, plainPort, reachable)
			var logged lines
			o := certs.Options{
				Hosts: []string{"parley.test", "www.parley.test"}, Dir: t.TempDir(), CA: ca.Directory,
				Roots: acmetest.Pool(t, ca.Itself), TLS: secure.Addr(), Logger: slog.New(slog.NewTextHandler(&logged, nil)),
			}
			if way != "TLS-ALPN-01" {
				o.HTTP = plain.Addr()
			}
			a := certs.NewAutomatic(o)
			defer a.Stop()
			serve(t, tls.NewListener(secure, a.Config()), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.TLS.NegotiatedProtocol)
			}))
			if o.HTTP != nil {
				serve(t, plain, a.Challenges(certs.Redirect("https://parley.test")))
			}
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			roots := acmetest.Pool(t, ca.Roots)
			for _, host := range o.Hosts {
				client := to(secure.Addr().String(), &tls.Config{RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}})
				body := ""
				for began := time.Now(); body == ""; time.Sleep(20 * time.Millisecond) {
					response, err := client.Get("https://" + host)
					if err != nil {
						if time.Since(began) > 30*time.Second {
							t.Fatalf("%s: %v\n%s", host, err, logged.text.String())
						}
						continue
					}
					raw, err := io.ReadAll(response.Body)
					if body = string(raw); err != nil || body != "http/1.1" {
						t.Fatalf("%q %v", body, err)
					}
					_ = response.Body.Close()
				}
			}
			if n := logged.count("new certificate\""); n != 2 {
				t.Errorf("news of %d certificates", n)
			}
			client := to(secure.Addr().String(), &tls.Config{RootCAs: roots})
			if _, err := client.Get("https://other.test"); err == nil {
				t.Error("a host that is not ours has a certificate")
			}

			ca.Stop()
			o.Logger = slog.New(slog.DiscardHandler)
			b := certs.NewAutomatic(o)
			defer b.Stop()
			if err := b.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
				_, err := shake(t, b.Config(), &tls.Config{RootCAs: roots, ServerName: "www.parley.test"})
				if err == nil {
					break
				}
				if time.Since(began) > 10*time.Second {
					t.Fatalf("what was got before is not found again: %v", err)
				}
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	for _, c := range []struct {
		base, method, path string
		status             int
		location           string
	}{
		{"https://parley.test", http.MethodGet, "/api/v1/bot/list?take=1&order=asc", 308, "https://parley.test/api/v1/bot/list?take=1&order=asc"},
		{"https://parley.test", http.MethodHead, "/", 308, "https://parley.test/"},
		{"https://parley.test", http.MethodGet, "//evil.test/", 308, "https://parley.test//evil.test/"},
		{"https://parley.test", http.MethodPost, "/api/v1/bot/create", 403, ""},
		{"https://:443", http.MethodGet, "/a", 308, "https://anything.test/a"},
		{"https://0.0.0.0:443", http.MethodGet, "/a", 308, "https://anything.test/a"},
		{"https://[::]:8443", http.MethodGet, "/a", 308, "https://anything.test:8443/a"},
		{"https://192.0.2.1:8443", http.MethodGet, "/a", 308, "https://192.0.2.1:8443/a"},
	} {
		w := httptest.NewRecorder()
		certs.Redirect(c.base).ServeHTTP(w, httptest.NewRequest(c.method, "http://anything.test:80"+c.path, nil))
		if w.Code != c.status || w.Header().Get("Location") != c.location {
			t.Errorf("%s %s from %s: %d, %s", c.method, c.path, c.base, w.Code, w.Header().Get("Location"))
		}
	}
}
