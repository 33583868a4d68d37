package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Main builds parley into a temporary directory, puts its path into binary, and
// runs a package's tests. It gives the exit code.
func Main(m *testing.M, binary *string) (code int) {
	dir, err := os.MkdirTemp("", "parley-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) // temporary
	*binary = filepath.Join(dir, "parley")
	if err := Build(*binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Build builds parley for a test two directories below the root of the module.
// flags are further ones of go build.
func Build(path string, flags ...string) error {
	build := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), "./cmd/parley")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build parley: %w\n%s", err, out)
	}
	return nil
}

// FreeAddress gives an address of a host that nobody listens on. Its port lies
// below those that the kernel gives to outgoing connections: while a process is
// down, none of them may take its port.
func FreeAddress(t *testing.T, host string) string {
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

// Eventually waits until something holds.
func Eventually(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(within)
	for wait := time.Millisecond; !holds(); wait = min(2*wait, 100*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(wait)
	}
}
