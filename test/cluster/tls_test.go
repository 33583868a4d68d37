//go:build system

package cluster

import (
	"crypto/tls"
	"testing"
	"time"

	"parley/test/process"
)

// proof are the settings of nodes that prove themselves to each other.
func proof(p process.PEMs) []string {
	return []string{"--cluster-tls-ca", p.CA, "--cluster-tls-cert", p.Cert, "--cluster-tls-key", p.Key}
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
