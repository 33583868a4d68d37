//go:build system

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// pems are files in PEM: an authority's certificate, and one that it signed
// with its key.
type pems struct{ ca, cert, key string }

// nodes are the settings of nodes that prove themselves to each other.
func (p pems) nodes() []string {
	return []string{"--cluster-tls-ca", p.ca, "--cluster-tls-cert", p.cert, "--cluster-tls-key", p.key}
}

// authority makes an authority and a certificate of it for some addresses.
func authority(t *testing.T, addresses ...string) pems {
	t.Helper()
	dir := t.TempDir()
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ca, caKey := template("authority"), key()
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	node, nodeKey := template("node"), key()
	for _, a := range addresses {
		node.IPAddresses = append(node.IPAddresses, net.ParseIP(a))
	}
	leaf, err := x509.CreateCertificate(rand.Reader, node, ca, &nodeKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(nodeKey)
	if err != nil {
		t.Fatal(err)
	}
	return pems{write("ca.pem", "CERTIFICATE", root), write("node.pem", "CERTIFICATE", leaf), write("node.key", "PRIVATE KEY", private)}
}

// checkOnlyNodesAreLetIn expects that who shows no certificate is turned away.
func (w *world) checkOnlyNodesAreLetIn(t *testing.T) {
	t.Helper()
	for _, n := range w.nodes {
		conn, err := tls.Dial("tcp", n.inside, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, err = conn.Read(make([]byte, 1)) // in TLS 1.3 the refusal comes after the handshake
			_ = conn.Close()
		}
		if err == nil {
			t.Errorf("%s lets in who shows no certificate", n.Name())
		}
		if _, err := tls.Dial("tcp", n.inside, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
			t.Errorf("%s speaks an old TLS", n.Name())
		}
	}
}
