//go:build system

package system

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/http/certs/acmetest"
	"parley/test/process"
)

// caller calls one address by any host's name, and trusts what is in PEM.
func caller(t *testing.T, address string, roots []byte) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: acmetest.Pool(t, roots)},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}

// healthy reports that somebody answers at an address, and shows a certificate.
func healthy(c *http.Client, url string) (*x509.Certificate, bool) {
	response, err := c.Get(url + "/readyz")
	if err != nil {
		return nil, false
	}
	_ = response.Body.Close()
	return response.TLS.PeerCertificates[0], response.StatusCode == http.StatusOK
}

// A process gets its certificate from a real authority that validates at its
// listener, and has it at once when it is started again. F077
func TestAutomaticCertificates(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	authority := acmetest.Start(t, 1, number)
	dir := t.TempDir()
	trusted := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(trusted, authority.Itself, 0o600); err != nil {
		t.Fatal(err)
	}
	client := caller(t, address, authority.Roots)
	for _, rule := range []string{"it is got", "it is there again, without the authority"} {
		t.Run(rule, func(t *testing.T) {
			var said process.Record
			p := launch(t, &said, []string{"SSL_CERT_FILE=" + trusted, "PARLEY_TLS_CA=" + authority.Directory},
				"serve", "--data", filepath.Join(dir, "data"), "--listen", address, "--tls-hosts", "bot.parley.test", "--tokens", "acme:x")
			process.Eventually(t, 60*time.Second, "somebody answers by TLS: "+said.Tail(), func() bool {
				c, ok := healthy(client, "https://bot.parley.test")
				return ok && c.VerifyHostname("bot.parley.test") == nil
			})
			if !strings.Contains(said.String(), "callback=https://bot.parley.test/api/v1/") {
				t.Errorf("the callback is not said: %s", said.String())
			}
			p.Terminate()
			if strings.Contains(said.String(), "PRIVATE KEY") {
				t.Error("a key is in the log")
			}
			authority.Stop()
		})
	}
}

// A process that was given files follows them, and is not hurt by bad ones. F077
func TestCertificatesFromFiles(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(file, kind string, content []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	donor := httptest.NewTLSServer(http.NotFoundHandler()) // it has a certificate for 127.0.0.1
	defer donor.Close()
	private, err := x509.MarshalPKCS8PrivateKey(donor.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(cert, "CERTIFICATE", donor.Certificate().Raw)
	write(key, "PRIVATE KEY", private)
	roots, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	var said process.Record
	p := launch(t, &said, nil, "serve", "--data", filepath.Join(dir, "data"), "--listen", address, "--tls-cert", cert, "--tls-key", key, "--tokens", "acme:x")
	client := caller(t, address, roots)
	answers := func() bool { _, ok := healthy(client, "https://"+address); return ok }
	process.Eventually(t, 30*time.Second, "somebody answers by TLS", answers)
	write(cert, "CERTIFICATE", []byte("nonsense"))
	process.Eventually(t, 30*time.Second, "the log says that the new files are of no use", func() bool {
		return strings.Contains(said.String(), "the old one stays")
	})
	if !answers() {
		t.Error("the old certificate is not shown any more")
	}
	write(cert, "CERTIFICATE", donor.Certificate().Raw)
	process.Eventually(t, 30*time.Second, "the log tells of the new files", func() bool {
		return strings.Contains(said.String(), `msg="new certificate"`)
	})
	if !answers() {
		t.Error("the new certificate is not shown")
	}
	p.Terminate()
}
