package parley_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/media/guard"
)

func TestWhoMayDownload(t *testing.T) { // A10 A23 F037 P8
	inHouse(t, options{}, func(h *house) {
		for visibility, want := range map[string]struct{ nobody, wrong, owner, other int }{
			"private":   {401, 401, 200, 404},
			"protected": {401, 401, 200, 404},
			"public":    {200, 200, 200, 200},
		} {
			h.rule(visibility, func(t rule) {
				id := h.create("/file", object{"visibility": visibility, "alias": visibility})
				h.deliver("/file/"+id, "menu.txt", "text/plain", menu)
				for _, accept := range []string{"*/*", "application/json"} {
					for secret, status := range map[string]int{"": want.nobody, "sk-wrong": want.wrong, apiSecret: want.owner, otherSecret: want.other} {
						a := h.call(http.MethodGet, "/file/"+id+"/download", secret, nil, "Accept", accept)
						if a.status != status || status == 200 && accept == "*/*" && a.text != string(menu) {
							t.Errorf("%q as %s: %d %s", secret, accept, a.status, a.text)
						}
						if status != 200 {
							unknown := h.call(http.MethodGet, "/file/"+unknown+"/download", secret, nil, "Accept", accept)
							if unknown.status != a.status || unknown.text != a.text {
								t.Errorf("%q: %d %s, for an unknown one %d %s", secret, a.status, a.text, unknown.status, unknown.text)
							}
						}
					}
				}
				if a := h.call(http.MethodGet, "/file/@"+visibility+"/download", otherSecret, nil); a.status != 404 {
					t.Errorf("another account's alias: %d", a.status)
				}
				if a := h.call(http.MethodGet, "/file/@"+visibility+"/download", "", nil); a.status != 401 {
					t.Errorf("nobody's alias: %d", a.status)
				}
				if a := h.call(http.MethodGet, "/file/"+id+"/download", apiSecret, nil, "X-RunAs-User-ID", "somebody"); a.status != want.nobody {
					t.Errorf("as somebody else: %d", a.status)
				}
			})
		}
		h.rule("a file that is made private is so at once", func(t rule) {
			h.post("/file/@public/update", object{"visibility": "private"})
			id := h.get("/file/@public/fetch")["id"].(string)
			if a := h.call(http.MethodGet, "/file/"+id+"/download", "", nil); a.status != 401 {
				t.Errorf("%d", a.status)
			}
		})
	})
}

func TestAddressesOfDownloads(t *testing.T) { // A23 F037
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{})
		h.deliver("/file/"+id, "men\u00fc 1.txt", "text/plain", menu)
		address := func() string {
			a := h.download("/file/"+id, "Accept", "application/json")
			if a.status != 200 || len(a.body) != 1 {
				h.t.Fatalf("%d %s", a.status, a.text)
			}
			return a.body["url"].(string)
		}
		take := func(address string) answer {
			u, err := url.Parse(address)
			if err != nil {
				h.t.Fatal(err)
			}
			return h.call(http.MethodGet, u.RequestURI(), "", nil)
		}
		first := address()
		h.rule("it needs no secret, again and again, and ends with the file's name", func(t rule) {
			for range 3 {
				if a := take(first); a.status != 200 || a.text != string(menu) || !strings.HasSuffix(first, "/men%C3%BC%201.txt") {
					t.Errorf("%s: %d %s", first, a.status, a.text)
				}
			}
		})
		h.rule("it gives what the file holds now", func(t rule) {
			h.deliver("/file/"+id, "b.txt", "text/plain", []byte("newer"))
			if a := take(first); a.text != "newer" {
				t.Errorf("%q", a.text)
			}
		})
		h.rule("it expires", func(t rule) {
			second := address()
			time.Sleep(15 * time.Minute)
			if a := take(second); a.status != 403 || !strings.Contains(a.text, "expired") {
				t.Errorf("%d %s", a.status, a.text)
			}
			if a := take(strings.Replace(second, "/download/", "/download/x", 1)); a.status != 403 {
				t.Errorf("forged: %d %s", a.status, a.text)
			}
		})
	})
}

func TestHowFilesAreGiven(t *testing.T) { // A23
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{})
		path := "/file/" + id
		html := []byte("<!DOCTYPE html><html><script>alert(1)</script></html>")
		h.rule("nothing runs in our origin, and names do no harm", func(t rule) {
			for _, c := range []struct {
				name, typ string
				content   []byte
				want      string
			}{
				{"page.html", "text/html", html, `attachment; filename="page.html"`},
				{"page.png", "image/png", html, `attachment; filename="page.png"`}, // it only says so
				{"picture.svg", "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), `attachment; filename="picture.svg"`},
				{"code.js", "text/javascript", []byte("alert(1)"), `attachment; filename="code.js"`},
				{"data.xml", "application/xml", []byte("<a/>"), `attachment; filename="data.xml"`},
				{"a.pdf", "application/pdf", []byte("%PDF-1.7"), `attachment; filename="a.pdf"`},
				{"picture.png", "image/png", png, `inline; filename="picture.png"`},
				{"../../etc/passwd", "text/plain", menu, `inline; filename="passwd.txt"`},
				{`C:\boot.ini`, "text/plain", menu, `inline; filename="boot.ini"`},
				{"a\"; filename=\"b.exe", "text/plain", menu, `inline; filename="a_; filename=_b.exe"`},
				{"a\r\nX-Evil: 1.txt", "text/plain", menu, `inline; filename="a X-Evil_ 1.txt"`},
				{"", "text/plain", menu, `inline; filename="file.txt"`},
				{"..", "text/plain", menu, `inline; filename="file.txt"`},
				{"CON.txt", "text/plain", menu, `inline; filename="_CON.txt"`},
				{"menü 50%.txt", "text/plain", menu, `inline; filename="men_ 50_.txt"; filename*=UTF-8''men%C3%BC%2050%25.txt`},
				{"\u202etxt.exe", "text/plain", menu, `inline; filename="txt.exe"`},
				{strings.Repeat("n", 500) + ".txt", "text/plain", menu, `inline; filename="` + strings.Repeat("n", 176) + `.txt"`},
			} {
				h.deliver(path, c.name, c.typ, c.content)
				a := h.download(path)
				if got := a.header.Get("Content-Disposition"); got != c.want || a.header.Get("X-Evil") != "" {
					t.Errorf("%q: %s, want %s", c.name, got, c.want)
				}
				if a.header.Get("Content-Type") != c.typ || a.header.Get("X-Content-Type-Options") != "nosniff" ||
					!strings.HasSuffix(a.header.Get("Content-Security-Policy"), "; sandbox") || a.text != string(c.content) {
					t.Errorf("%q: %v", c.name, a.header)
				}
			}
		})
		h.deliver(path, "digits.txt", "text/plain", []byte("0123456789"))
		whole := h.download(path)
		etag := whole.header.Get("ETag")
		h.rule("parts can be had", func(t rule) {
			for wanted, want := range map[string]string{
				"bytes=0-0": "206 0 bytes 0-0/10", "bytes=2-4": "206 234 bytes 2-4/10", "bytes=8-": "206 89 bytes 8-9/10", "bytes=-3": "206 789 bytes 7-9/10",
				"bytes=5-999": "206 56789 bytes 5-9/10", "bytes=-99": "206 0123456789 bytes 0-9/10",
				"bytes=0-1,3-4": "200 0123456789 ", "lines=1-2": "200 0123456789 ",
			} {
				a := h.download(path, "Range", wanted)
				if got := fmt.Sprint(a.status, " ", a.text, " ", a.header.Get("Content-Range")); got != want || a.header.Get("Content-Length") != fmt.Sprint(len(a.text)) {
					t.Errorf("%s: %s %v", wanted, got, a.header)
				}
			}
			for _, wanted := range []string{"bytes=10-", "bytes=5-2", "bytes=x-y", "bytes=", "bytes=-", "bytes=99999999999999999999-"} {
				if a := h.download(path, "Range", wanted); a.status != 416 || a.header.Get("Content-Range") != "bytes */10" || a.body["code"] == nil {
					t.Errorf("%s: %d %s", wanted, a.status, a.text)
				}
			}
			for which, status := range map[string]int{etag: 206, `"other"`: 200} {
				if a := h.download(path, "Range", "bytes=0-1", "If-Range", which); a.status != status {
					t.Errorf("if it is %s: %d", which, a.status)
				}
			}
		})
		h.rule("who has it is told so", func(t rule) {
			for tags, status := range map[string]int{etag: 304, "W/" + etag: 304, `"a", ` + etag: 304, "*": 304, `"a"`: 200, "": 200} {
				if a := h.download(path, "If-None-Match", tags); a.status != status || status == 304 && a.text != "" {
					t.Errorf("%s: %d %q", tags, a.status, a.text)
				}
			}
		})
		h.rule("a HEAD tells the size", func(t rule) {
			a := h.call(http.MethodHead, path+"/download", apiSecret, nil)
			if a.status != 200 || a.header.Get("ETag") != etag {
				t.Errorf("%d %v", a.status, a.header)
			}
		})
	})
}

// What is fetched for clients is fetched from the public network alone, before
// and after redirects. A23
func TestFetchingReachesNoPrivateAddress(t *testing.T) {
	var visits atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		_, _ = io.WriteString(w, "secret of the private network")
	}))
	t.Cleanup(inner.Close)
	port := inner.URL[strings.LastIndex(inner.URL, ":"):]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/menu.txt":
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write(menu) // the test reads it
		case "/moved":
			http.Redirect(w, r, "/menu.txt", http.StatusFound)
		case "/inwards":
			http.Redirect(w, r, inner.URL+"/secret", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/around":
			http.Redirect(w, r, "/around", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, 1<<20+1)) // the client may go
		case "/larger":
			w.Header().Set("Content-Length", fmt.Sprint(1<<40))
			_, _ = w.Write([]byte("x")) // the client may go
		case "/torn":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("half")) // and no more
		case "/nothing":
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(front.Close)
	web, err := guard.Transport(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(web.CloseIdleConnections)
	h := outside(t, web)
	id := h.create("/file", object{})
	told := func(address string) answer {
		return h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": address})
	}
	for _, good := range []string{"/menu.txt", "/moved", "/menu.txt?x=1#there"} {
		if a := told(front.URL + good); a.status != 200 {
			t.Errorf("%s: %d %s", good, a.status, a.text)
		}
		a := h.download("/file/" + id)
		if a.text != string(menu) || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("Content-Disposition") != `inline; filename="menu.txt"` {
			t.Errorf("%s: %q %v", good, a.text, a.header)
		}
	}
	for address, want := range map[string]int{
		inner.URL: 400, "http://localhost" + port: 400, "http://127.0.0.1" + port: 400, "http://127.1" + port: 400, "http://[::1]" + port: 400,
		"http://[::ffff:127.0.0.1]" + port: 400, "http://0.0.0.0" + port: 400, "http://2130706433" + port: 400, "http://0x7f000001" + port: 400,
		"http://user:pass@127.0.0.1" + port: 400, "http://169.254.169.254/latest/meta-data": 400, "http://10.0.0.1": 400, "http://192.168.0.1:9": 400,
		"http://[fe80::1]": 400, "http://[fd00:ec2::254]": 400, "http://100.100.100.200": 400,
		front.URL + "/inwards": 400, front.URL + "/file": 400, front.URL + "/around": 400, front.URL + "/gone": 400, front.URL + "/torn": 400, front.URL + "/nothing": 400,
		front.URL + "/large": 413, front.URL + "/larger": 413,
	} {
		a := told(address)
		if a.status != want || strings.Contains(a.text, "127.0.0.1") || strings.Contains(a.text, "secret of") {
			t.Errorf("%s: %d %s", address, a.status, a.text)
		}
	}
	plain := outside(t, nil) // as a server is by itself
	for _, address := range []string{inner.URL, front.URL + "/menu.txt"} {
		path := "/file/" + plain.create("/file", object{}) + "/upload"
		if a := plain.call(http.MethodPost, path, apiSecret, object{"file": address}); a.status != 400 {
			t.Errorf("%s by itself: %d %s", address, a.status, a.text)
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("the private network was visited %d times", n)
	}
	if a := h.download("/file/" + id); a.text != string(menu) {
		t.Errorf("the file holds %q", a.text)
	}
}

// outside builds a house outside of virtual time, for what needs the network.
func outside(t *testing.T, web http.RoundTripper) *house {
	t.Helper()
	h := build(t, options{web: web, config: func(c *parley.Config) { c.UploadLimit = 1 << 20 }})
	t.Cleanup(h.close)
	return h
}
