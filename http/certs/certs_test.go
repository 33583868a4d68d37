package certs_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/http/certs"
)

// authority is a private one that signs at once.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the test's own"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = newKey(t)
	a.cert = sign(t, template, template, &a.key.PublicKey, a.key)
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue gives a certificate for parley.test and its key, in PEM.
func (a *authority) issue(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	own := newKey(t)
	c := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"parley.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, a.cert, &own.PublicKey, a.key)
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// shake shakes hands, and gives the serial number of the certificate it saw.
func shake(t *testing.T, server, client *tls.Config) (serial int64, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() {
		err := tls.Server(ours, server).Handshake()
		_ = ours.Close() // a pipe
		done <- err
	}()
	c := tls.Client(theirs, client)
	if err = c.Handshake(); err == nil {
		serial = c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	_ = theirs.Close()
	if shaken := <-done; err == nil && client.MaxVersion != 0 {
		err = shaken
	}
	return serial, err
}

// lines collects what is logged.
type lines struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(text string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Count(l.text.String(), text)
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) { // F077
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t)
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		write := func(file string, content []byte) {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cert, key := a.issue(t, 1)
		write(certFile, cert)
		write(keyFile, key)
		var logged lines
		f, err := certs.Open(certFile, keyFile, slog.New(slog.NewTextHandler(&logged, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { f.Run(ctx); close(ended) }()
		server, client := f.Config(), &tls.Config{RootCAs: a.pool, ServerName: "parley.test"}
		expect := func(rule string, serial int64, news, warnings int) {
			time.Sleep(time.Minute)
			synctest.Wait()
			if got, err := shake(t, server, client); got != serial || err != nil {
				t.Errorf("%s: the certificate %d is shown, %v", rule, got, err)
			}
			if n, w := logged.count("new certificate\""), logged.count("level=WARN"); n != news || w != warnings {
				t.Errorf("%s: %d pieces of news and %d warnings", rule, n, w)
			}
		}
		expect("as at the start", 1, 0, 0)
		cert, key = a.issue(t, 2)
		write(certFile, cert)
		write(keyFile, key)
		expect("both have changed", 2, 1, 0)
		cert, key = a.issue(t, 3)
		write(certFile, cert)
		expect("the key is not the certificate's", 2, 1, 1)
		write(keyFile, key)
		expect("now it is", 3, 2, 1)
		write(certFile, []byte("nonsense"))
		expect("nonsense", 3, 2, 2)
		if err := os.Remove(certFile); err != nil {
			t.Fatal(err)
		}
		expect("no file", 3, 2, 3)
		write(certFile, cert)
		expect("as it was", 3, 3, 3)
		cert, key = a.issue(t, 4)
		if err := os.Remove(certFile); err != nil { // as certbot does it
			t.Fatal(err)
		}
		write(filepath.Join(dir, "cert4.pem"), cert)
		if err := os.Symlink("cert4.pem", certFile); err != nil {
			t.Fatal(err)
		}
		write(keyFile, key)
		expect("a link", 4, 4, 3)
		stop()
		<-ended
	})
}

func TestFilesThatAreOfNoUseAreRefusedAtTheStart(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.issue(t, 1)
	_, other := a.issue(t, 2)
	for rule, c := range map[string]struct{ cert, key []byte }{
		"no files":           {nil, nil},
		"no key":             {cert, nil},
		"nonsense":           {[]byte("nonsense"), key},
		"another's key":      {cert, other},
		"one for the other":  {key, cert},
		"a key that is cut ": {cert, key[:len(key)/2]},
	} {
		t.Run(rule, func(t *testing.T) {
			for name, content := range map[string][]byte{"cert": c.cert, "key": c.key} {
				_ = os.Remove(filepath.Join(dir, name)) // of the case before
				if content == nil {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := certs.Open(filepath.Join(dir, "cert"), filepath.Join(dir, "key"), slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), dir) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestVersionsOfTLS(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.issue(t, 1)
	for name, content := range map[string][]byte{"cert": cert, "key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := certs.Open(filepath.Join(dir, "cert"), filepath.Join(dir, "key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for version, taken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		client := &tls.Config{RootCAs: a.pool, ServerName: "parley.test", MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}}
		if _, err := shake(t, f.Config(), client); (err == nil) != taken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}
