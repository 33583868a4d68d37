package etcd_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/cluster"
	"parley/cluster/etcd"
	"parley/test/process"
)

// server starts etcd on a directory of its own, and gives its address and its
// process. flags are further ones.
func server(t *testing.T, flags ...string) (address string, process *os.Process) {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Skip("skipped: there is no etcd on this machine (Debian: etcd-server)")
	}
	var urls [2]string
	for i := range urls {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		urls[i] = "http://" + l.Addr().String()
		if i == 0 && len(flags) > 0 {
			urls[i] = "https://" + l.Addr().String()
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command(program, append([]string{
		"--data-dir", t.TempDir(), "--log-level", "error", "--name", "one",
		"--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
		"--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1], "--initial-cluster", "one=" + urls[1],
	}, flags...)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return urls[0], c.Process
}

func open(t *testing.T, address, name string) *etcd.Registry {
	t.Helper()
	r, err := etcd.Open(etcd.Config{Endpoints: []string{address}, Name: name, TTL: 4 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// eventually tries until something is so.
func eventually(t *testing.T, what string, so func() error) {
	t.Helper()
	var err error
	for until := time.Now().Add(40 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if err = so(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func beats(t *testing.T, r *etcd.Registry, self cluster.Member, want ...cluster.Member) func() error {
	return func() error {
		members, err := r.Heartbeat(t.Context(), self)
		if err != nil {
			return err
		}
		if got := fmt.Sprint(members); got != fmt.Sprint(want) {
			return fmt.Errorf("members %v, want %v", got, want)
		}
		return nil
	}
}

func TestRegistry(t *testing.T) {
	address, process := server(t)
	a, b := cluster.Member{ID: "a", Address: "10.0.0.1:7000"}, cluster.Member{ID: "b", Address: "10.0.0.2:7000"}
	ra, rb, other := open(t, address, "x"), open(t, address, "x"), open(t, address, "y")

	eventually(t, "the first member sees itself", beats(t, ra, a, a))
	eventually(t, "a second one sees both", beats(t, rb, b, a, b))
	eventually(t, "the first sees it, too", beats(t, ra, a, a, b))
	eventually(t, "a cluster of another name is another cluster", beats(t, other, b, b))

	eventually(t, "a silent member is forgotten", beats(t, ra, a, a))
	if _, err := rb.Heartbeat(t.Context(), b); !errors.Is(err, cluster.ErrLost) {
		t.Errorf("a member that was forgotten is told %v", err)
	}
	rc := open(t, address, "x")
	eventually(t, "its process may come again as another member", beats(t, rc, b, a, b))
	if err := rc.Leave(t.Context(), b); err != nil {
		t.Error(err)
	}
	eventually(t, "one that leaves is gone at once", beats(t, ra, a, a))

	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := ra.Heartbeat(ctx, a); err == nil || errors.Is(err, cluster.ErrLost) || ctx.Err() != nil {
		t.Errorf("without etcd a heartbeat says %v", err)
	}
}

// Whoever does not prove himself is told so, on both sides.
func TestTLS(t *testing.T) {
	files, strangers := process.Authority(t, "127.0.0.1"), process.Authority(t, "127.0.0.1")
	address, _ := server(t, "--cert-file", files.Cert, "--key-file", files.Key, "--client-cert-auth", "--trusted-ca-file", files.CA)
	_, host, _ := strings.Cut(address, "://")
	pool := func(p process.PEMs) *x509.CertPool {
		text, err := os.ReadFile(p.CA)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		return pool
	}
	shown := func(p process.PEMs) []tls.Certificate {
		c, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{c}
	}
	beat := func(config *tls.Config) error {
		r, err := etcd.Open(etcd.Config{Endpoints: []string{host}, Name: "x", TLS: config})
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		_, err = r.Heartbeat(t.Context(), cluster.Member{ID: "a"})
		return err
	}
	eventually(t, "a node with a certificate is let in", func() error {
		return beat(&tls.Config{RootCAs: pool(files), Certificates: shown(files)})
	})
	for name, c := range map[string]struct {
		config *tls.Config
		says   string
	}{
		"a node without TLS":             {nil, "TLS"},
		"a node that shows nothing":      {&tls.Config{RootCAs: pool(files)}, "tls: "},
		"a node that shows a stranger's": {&tls.Config{RootCAs: pool(files), Certificates: shown(strangers)}, "tls: "},
		"a node that expects another etcd": {
			&tls.Config{RootCAs: pool(strangers), Certificates: shown(files)}, "unknown authority",
		},
	} {
		if err := beat(c.config); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s is told %v", name, err)
		}
	}
}
