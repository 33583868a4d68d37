package esdb_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/events"
	"parley/events/esdb"
	"parley/events/esdbserver"
	"parley/events/memory"
)

func TestConnectionStrings(t *testing.T) {
	for rule, c := range map[string]struct{ text, says string }{
		"another scheme":        {"http://u:hunter2@host", "begins with esdb://"},
		"nothing":               {"", "begins with esdb://"},
		"an unknown setting":    {"esdb://u:hunter2@host?tsl=false", `"tsl"`},
		"a port that is none":   {"esdb://u:hunter2@host:port", "not one of EventStoreDB"},
		"a bad password":        {"esdb://u:hunter2%@host", "not one of EventStoreDB"},
		"a setting's value":     {"esdb://u:hunter2@host?tls=perhaps", "'tls' must be either true or false"},
		"a file that is absent": {"esdb://u:hunter2@host?tlsCAFile=/nowhere/ca.crt", "/nowhere/ca.crt"},
		"half a certificate":    {"esdb://u:hunter2@host?userCertFile=/nowhere", "userKeyFile"},
		"a path":                {"esdb://u:hunter2@host/path", "not one of EventStoreDB"},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := esdb.Open(events.NewSecret(c.text), esdb.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") { // P9
				t.Errorf("it shows the password: %v", err)
			}
		})
	}
	for _, text := range []string{
		"esdb://host", "esdb://u:p@a:1,b:2,c:3?tls=false&nodePreference=follower", "esdb+discover://cluster.example.org:2113?keepAliveInterval=-1",
	} {
		if err := esdb.Check(events.NewSecret(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTLSAndPassword(t *testing.T) {
	file, certificate := selfSigned(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := esdbserver.New(memory.New(), esdbserver.Options{
		User: "ada", Password: events.NewSecret("hunter2"), TLS: &tls.Config{Certificates: []tls.Certificate{certificate}},
	})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop(context.Background())
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for rule, c := range map[string]struct {
		url         string
		ok, refused bool
	}{
		"with both":            {"esdb://ada:hunter2@HOST?tlsCAFile=" + file, true, false},
		"unverified":           {"esdb://ada:hunter2@HOST?tlsVerifyCert=false", true, false},
		"as a cluster":         {"esdb+discover://ada:hunter2@HOST?tlsCAFile=" + file, true, false},
		"another password":     {"esdb://ada:hunter3@HOST?tlsCAFile=" + file, false, true},
		"another user":         {"esdb://bob:hunter2@HOST?tlsCAFile=" + file, false, true},
		"no password":          {"esdb://HOST?tlsCAFile=" + file, false, true},
		"another authority":    {"esdb://ada:hunter2@HOST", false, false},
		"a client without TLS": {"esdb://ada:hunter2@HOST?tls=false", false, false},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			store := openStore(t, strings.Replace(c.url, "HOST", listener.Addr().String(), 1))
			defer closeStore(t, store)
			_, err := store.Append(t.Context(), events.Stream("a-"+strings.ReplaceAll(rule, " ", "")), events.NoStream, facts(1)...)
			switch {
			case c.ok && err != nil, !c.ok && err == nil:
				t.Errorf("error %v", err)
			case c.refused && (errors.Is(err, events.ErrUnavailable) || !strings.Contains(err.Error(), "Unauthenticated")):
				t.Errorf("error %v does not say why", err)
			case !c.ok && !c.refused && !errors.Is(err, events.ErrUnavailable):
				t.Errorf("error %v, expected ErrUnavailable", err)
			}
		})
	}
}

// selfSigned makes a certificate for loopback, and a file with it.
func selfSigned(t *testing.T) (file string, certificate tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
