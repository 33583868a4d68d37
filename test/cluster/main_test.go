//go:build system

package cluster

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the parley that all tests run.
var binary string

var (
	long = flag.Bool("long", false, "all scenarios, each with more people")
	keep = flag.Bool("logs", false, "show what the processes log, also of tests that pass")
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) (code int) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "parley-cluster-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) // temporary
	binary = filepath.Join(dir, "parley")
	build := exec.Command("go", "build", "-o", binary, "./cmd/parley")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build parley: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// freeAddress gives an address of a host that nobody listens on. Its port lies
// below those that the kernel gives to outgoing connections: while a process is
// down, none of them may take its port.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort(host, fmt.Sprint(15000+rand.IntN(15000)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatalf("no port of %s is free", host)
	return ""
}

// eventually waits until something holds.
func eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(within)
	for wait := 5 * time.Millisecond; !holds(); wait = min(2*wait, 100*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(wait)
	}
}
