//go:build system

package system

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/test/process"
)

// offer makes a file and asks for the address to upload it to.
func (w *world) offer(size int64) (id, address string) {
	w.t.Helper()
	id = w.create("/file", object{"visibility": "public"})
	a := w.post("/file/"+id+"/upload", object{"file": object{"name": "a.bin", "type": "application/x-parley-test", "size": size}})
	return id, a["uploadRequest"].(object)["url"].(string)
}

// send puts bytes to an address.
func (w *world) send(address string, body io.Reader, size int64) (answer, error) {
	r, err := http.NewRequest(http.MethodPut, address, body)
	if err != nil {
		return answer{}, err
	}
	r.ContentLength = size
	return w.do(r)
}

// zeros are so many bytes of nothing.
func zeros(size int64) io.Reader { return io.LimitReader(nothing{}, size) }

type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// kept lists the contents and the drafts of the media store, by their size.
func (w *world) kept() (sizes map[string]int64) {
	w.t.Helper()
	sizes = map[string]int64{}
	err := filepath.WalkDir(filepath.Join(w.options.data, "media"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		stat, err := d.Info()
		if err == nil {
			sizes[d.Name()] = stat.Size()
		}
		return nil // what goes meanwhile is not there
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return sizes
}

// peak is the most memory that the process ever had, in bytes.
func (w *world) peak() int64 {
	w.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.process.PID()))
	if err != nil {
		w.t.Skipf("the kernel does not tell: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "VmHWM:" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				w.t.Fatal(err)
			}
			return n << 10
		}
	}
	w.t.Skip("the kernel does not tell")
	return 0
}

// A large upload goes to the disk as it comes, and from there as it goes. A23
func TestLargeUploadsNeedNoMemory(t *testing.T) {
	w := newWorld(t, options{})
	const size = 95 << 20
	before := w.peak()
	id, address := w.offer(size)
	if a, err := w.send(address, zeros(size), size); err != nil || a.status != http.StatusOK {
		t.Fatalf("%v, %d %s", err, a.status, a.text)
	}
	r, err := client.Get(w.base() + "/api/v1/file/" + id + "/download")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	_ = r.Body.Close() // it was read
	name := hex.EncodeToString(hash.Sum(nil))
	if err != nil || n != size || w.kept()[name] != size {
		t.Errorf("%v, %d bytes came back", err, n)
	}
	if grown := w.peak() - before; grown > 40<<20 {
		t.Errorf("the process grew by %d MB", grown>>20)
	}
}

// Uploads that are too large get an answer that an ordinary client can read,
// however it sends them. A12 A23
func TestTooLargeUploadsAreAnswered(t *testing.T) {
	w := newWorld(t, options{settings: []string{"--upload-limit", "1"}})
	id, address := w.offer(1000)
	raw := w.base() + "/api/v1/file/" + id + "/upload"
	for _, c := range []struct {
		name, method, address string
		size                  int64 // -1 if it is not told
		sent                  int64
	}{
		{"one byte more than was said", http.MethodPut, address, 1001, 1001},
		{"much more than was said", http.MethodPut, address, 40 << 20, 40 << 20},
		{"more than was said, of unknown length", http.MethodPut, address, -1, 40 << 20},
		{"one byte more than the limit", http.MethodPost, raw, 1<<20 + 1, 1<<20 + 1},
		{"much more than the limit", http.MethodPost, raw, 40 << 20, 40 << 20},
		{"more than the limit, of unknown length", http.MethodPost, raw, -1, 40 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 5 { // it is a race
				r, err := http.NewRequest(c.method, c.address, stream{zeros(c.sent)})
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = c.size
				r.Header.Set("Content-Type", "application/octet-stream")
				if c.method == http.MethodPost {
					r.Header.Set("Authorization", "Bearer "+apiSecret)
				}
				a, err := w.do(r)
				if err != nil || a.status != http.StatusRequestEntityTooLarge || a.body()["code"] != "CONTENT_TOO_LARGE" {
					t.Fatalf("%v, %d %s", err, a.status, a.text)
				}
			}
		})
	}
	t.Run("less than was said, of unknown length", func(t *testing.T) {
		a, err := w.send(address, stream{zeros(999)}, -1)
		if err != nil || a.status != http.StatusBadRequest || !strings.Contains(a.text, "999 bytes and not 1000") {
			t.Errorf("%v, %d %s", err, a.status, a.text)
		}
	})
	if kept := w.kept(); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
}

// Uploads that stop in the middle are told so, and leave nothing; a process
// that is killed meanwhile leaves nothing either. A12 A23
func TestUploadsThatStop(t *testing.T) {
	w := newWorld(t, options{})
	const size = 10 << 20
	begin := func(method, address string) net.Conn {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the process may have closed it
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
			method, u.RequestURI(), u.Host, apiSecret, size)
		_, _ = conn.Write(make([]byte, size/2))
		return conn
	}
	_, slow := w.offer(size)
	waiting := begin(http.MethodPut, slow)
	id, address := w.offer(size)
	raw := w.base() + "/api/v1/file/" + id + "/upload"
	for _, conn := range []net.Conn{begin(http.MethodPut, address), begin(http.MethodPost, raw)} {
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	process.Eventually(t, 10*time.Second, "only the slow one is under way", func() bool { return len(w.kept()) == 1 })

	if a := w.call(http.MethodGet, "/file/"+id+"/download", nil); a.status != http.StatusNoContent {
		t.Errorf("the file holds something: %d", a.status)
	}
	_ = waiting.SetReadDeadline(time.Now().Add(50 * time.Second)) // then the read fails
	told, err := io.ReadAll(waiting)
	if err != nil || !bytes.HasPrefix(told, []byte("HTTP/1.1 408 ")) || !bytes.Contains(told, []byte(`"TIMEOUT"`)) {
		t.Errorf("the slow one was told %q, %v", told, err)
	}
	if kept := w.kept(); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}

	begin(http.MethodPut, address)
	process.Eventually(t, 10*time.Second, "a draft is there", func() bool { return len(w.kept()) == 1 })
	w.process.Kill()
	w.start()
	if kept := w.kept(); len(kept) != 0 {
		t.Errorf("after a kill there is %v", kept)
	}
	if a, err := w.send(address, zeros(size), size); err != nil || a.status != http.StatusOK || a.body()["id"] != id {
		t.Errorf("the same address after a kill: %v, %d %s", err, a.status, a.text)
	}
	if a, err := w.send(address, bytes.NewReader(bytes.Repeat([]byte("x"), size)), size); err != nil || a.status != http.StatusConflict {
		t.Errorf("other bytes: %v, %d %s", err, a.status, a.text)
	}
}
