//go:build system

package system

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/test/process"
)

// A second process on a data directory is refused, and is told by whom. The
// first one does not mind. P1
func TestASecondProcessIsRefused(t *testing.T) {
	w := newWorld(t, options{})
	for _, command := range []string{"serve", "try"} {
		t.Run(command, func(t *testing.T) {
			data := w.options.data
			if command == "try" { // its data lies apart
				w = newWorld(t, options{data: data + "/try"})
			}
			var said process.Record
			second := launch(t, &said, nil, command, "--data", data, "--listen", freeAddress(t), "--tokens", "acme:another-secret")
			if code := second.Wait(20 * time.Second); code != 1 {
				t.Errorf("it exits with %d", code)
			}
			want := fmt.Sprintf("it is in use by another process, pid %d", w.process.PID())
			if !strings.Contains(said.String(), want) || strings.Count(said.String(), "\n") > 3 {
				t.Errorf("it says %s", said.String())
			}
			w.meta.Person(phoneNumber, alice).Write("still here")
			process.Eventually(t, 20*time.Second, "the first process answers", func() bool { return len(w.sent(alice)) > 0 })
			if diff := cmp.Diff([]string{"You said still here"}, w.sent(alice)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A second process on an address that is in use is refused, before it opens
// the log.
func TestAnAddressInUseIsRefused(t *testing.T) {
	w := newWorld(t, options{})
	var said process.Record
	second := launch(t, &said, nil, "serve", "--data", t.TempDir(), "--listen", w.address)
	if code := second.Wait(20 * time.Second); code != 1 || !strings.Contains(said.String(), "address already in use") {
		t.Errorf("it exits with %d and says %s", code, said.String())
	}
}

// The port 0 is a free one, and the log tells which.
func TestTheAddressOfPortZeroIsTold(t *testing.T) {
	var said process.Record
	launch(t, &said, []string{"PARLEY_TOKENS=acme:" + apiSecret}, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	address := ""
	process.Eventually(t, 20*time.Second, "the address is told", func() bool {
		_, after, ok := strings.Cut(said.String(), "listen=")
		address, _, _ = strings.Cut(after, " ")
		return ok && address != ""
	})
	response, err := client.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != 200 {
		t.Errorf("%d, %v", response.StatusCode, err)
	}
}
