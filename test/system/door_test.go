//go:build system

package system

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/test/process"
	"parley/whatsapp"
)

// maxBody is the largest body that is let in, in bytes. Spec: "Limits".
const maxBody = 4_500_000

// stream is a body of unknown length.
type stream struct{ io.Reader }

// Bodies that are too large get an answer that an ordinary client can read,
// however it sends them. A12
func TestTooLargeBodiesAreAnswered(t *testing.T) {
	w := newWorld(t, options{})
	full := func(n int) []byte { return bytes.Repeat([]byte(" "), n) }
	for _, c := range []struct {
		name string
		body func() io.Reader
		head string
	}{
		{"one byte too many", func() io.Reader { return bytes.NewReader(full(maxBody + 1)) }, ""},
		{"many bytes too many", func() io.Reader { return bytes.NewReader(full(40 << 20)) }, ""},
		{"of unknown length", func() io.Reader { return stream{bytes.NewReader(full(6_000_000))} }, ""},
		{"many, of unknown length", func() io.Reader { return stream{bytes.NewReader(full(40 << 20))} }, ""},
		{"asked for before it is sent", func() io.Reader { return bytes.NewReader(full(40 << 20)) }, "100-continue"},
	} {
		for _, path := range []string{"/bot/create", integrations + "/" + w.integration + "/callback"} {
			t.Run(c.name+" to "+path[:5], func(t *testing.T) {
				for range 10 { // it is a race
					r, err := http.NewRequest(http.MethodPost, w.base()+"/api/v1"+path, c.body())
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("Authorization", "Bearer "+apiSecret)
					if c.head != "" {
						r.Header.Set("Expect", c.head)
					}
					a, err := w.do(r)
					if err != nil || a.status != http.StatusRequestEntityTooLarge || a.body()["code"] != "CONTENT_TOO_LARGE" {
						t.Fatalf("%v, %d %s", err, a.status, a.text)
					}
				}
			})
		}
	}
	t.Run("what is just not too large is let in", func(t *testing.T) {
		padding := full(maxBody - len(text(alice, "wamid.1", "hello")))
		a, err := w.notify(appSecret, append(text(alice, "wamid.1", "hello"), padding...))
		if err != nil || a.status != http.StatusOK {
			t.Errorf("%v, %d %s", err, a.status, a.text)
		}
	})
}

// A head that is too large is answered, too. A12
func TestTooLargeHeadsAreAnswered(t *testing.T) {
	w := newWorld(t, options{})
	for _, size := range []int{20 << 10, 200 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			for range 20 {
				r, err := http.NewRequest(http.MethodGet, w.base()+"/api/v1/bot/list", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+apiSecret)
				r.Header.Set("X-Much", strings.Repeat("x", size))
				a, err := w.do(r)
				if err != nil || a.status != http.StatusRequestHeaderFieldsTooLarge || a.body()["code"] != "HEADERS_TOO_LARGE" {
					t.Fatalf("%v, %d %s", err, a.status, a.text)
				}
			}
		})
	}
}

// Clients that send their request a byte at a time keep nobody else from being
// served.
func TestSlowClientsStopNobody(t *testing.T) {
	w := newWorld(t, options{})
	const slow = 300
	stop := make(chan struct{})
	defer close(stop)
	for range slow {
		conn, err := net.Dial("tcp", w.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the process may have closed it
		go func() {
			head := "POST /api/v1/bot/create HTTP/1.1\r\nHost: parley\r\nContent-Length: 4000000\r\n\r\n"
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				next := []byte(" ")
				if i < len(head) {
					next = []byte(head[i : i+1])
				}
				if _, err := conn.Write(next); err != nil {
					return
				}
			}
		}()
	}
	for n := range 50 {
		if a, err := w.notify(appSecret, text(alice, fmt.Sprint("wamid.", n), "hello")); err != nil || a.status != http.StatusOK {
			t.Fatalf("%v, %d %s", err, a.status, a.text)
		}
	}
	process.Eventually(t, 20*time.Second, "everything is answered", func() bool { return len(w.sent(alice)) == 50 })
}

// What the callback refuses leaves nothing behind but that it was refused.
// P1 A04 A12 F177
func TestWhatIsRefusedIsNotStored(t *testing.T) {
	w := newWorld(t, options{})
	const words = "words that nobody may find"
	body := text(alice, "wamid.1", words)
	path := w.callback()[len(w.base()):]
	for _, c := range []struct {
		name, method, path, signature string
		body                          []byte
		status                        int
		code                          string
	}{
		{"what is not JSON", "POST", path, whatsapp.Sign(appSecret, []byte(words)), []byte(words), 400, "BAD_REQUEST"},
		{"what is half JSON", "POST", path, whatsapp.Sign(appSecret, body[:99]), body[:99], 400, "BAD_REQUEST"},
		{"an array", "POST", path, whatsapp.Sign(appSecret, []byte("[]")), []byte("[]"), 400, "BAD_REQUEST"},
		{"nothing", "POST", path, whatsapp.Sign(appSecret, nil), nil, 400, "BAD_REQUEST"},
		{"another secret", "POST", path, whatsapp.Sign("another", body), body, 403, "NOT_AUTHORIZED"},
		{"no signature", "POST", path, "", body, 403, "NOT_AUTHORIZED"},
		{"a signature of another body", "POST", path, whatsapp.Sign(appSecret, []byte("{}")), body, 403, "NOT_AUTHORIZED"},
		{"an integration that is not there", "POST", strings.Replace(path, w.integration, "nobody", 1), whatsapp.Sign(appSecret, body), body, 404, "NOT_FOUND"},
		{"no integration", "POST", "/api/v1/integration/whatsapp//callback", whatsapp.Sign(appSecret, body), body, 404, "NOT_FOUND"},
		{"another method", "PUT", path, whatsapp.Sign(appSecret, body), body, 405, "METHOD_NOT_ALLOWED"},
		{"a third method", "DELETE", path, whatsapp.Sign(appSecret, body), body, 405, "METHOD_NOT_ALLOWED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, w.base()+c.path, bytes.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if c.signature != "" {
				r.Header.Set(whatsapp.SignatureHeader, c.signature)
			}
			a, err := w.do(r)
			if err != nil || a.status != c.status || a.body()["code"] != c.code {
				t.Errorf("%v, %d %s", err, a.status, a.text)
			}
		})
	}
	for _, e := range w.list("/event/log/list?whatsappIntegrationId=" + w.integration) {
		if e["type"] != "integration.whatsapp.configuration.error" {
			t.Errorf("an event %v", e)
		}
	}
	if got := w.list("/conversation/list"); len(got) != 0 {
		t.Errorf("conversations %v", got)
	}
	w.process.Terminate()
	if found := w.filesWith([]byte(words)); len(found) > 0 {
		t.Errorf("what was refused stands in %v", found)
	}
}

// filesWith names the files of the data directory that hold some bytes.
func (w *world) filesWith(wanted []byte) (names []string) {
	w.t.Helper()
	return w.filesIn(w.options.data, wanted)
}

// filesIn are those below a directory that hold something.
func (w *world) filesIn(dir string, wanted []byte) (names []string) {
	w.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() { // the socket for the machine's own people is no file
			return err
		}
		held, err := os.ReadFile(path)
		if bytes.Contains(held, wanted) {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}
