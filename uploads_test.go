package parley_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/media"
)

// offer asks for an address to upload some bytes to.
func (h *house) offer(path, name, typ string, size int) (address string, headers object) {
	h.t.Helper()
	a := h.post(path+"/upload", object{"file": object{"name": name, "type": typ, "size": size}})
	request := a["uploadRequest"].(object)
	if request["method"] != http.MethodPut {
		h.t.Fatalf("the request is %v", request)
	}
	return request["url"].(string), request["headers"].(object)
}

// send sends bytes to an address, as clients do: without a secret.
func (h *house) send(address string, headers object, content []byte) answer {
	h.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPut, u.RequestURI(), bytes.NewReader(content))
	r.Header.Set("content-type", "application/octet-stream")
	for name, value := range headers {
		r.Header.Set(name, value.(string))
	}
	return h.do(r)
}

// deliver uploads in both steps.
func (h *house) deliver(path, name, typ string, content []byte) {
	h.t.Helper()
	address, headers := h.offer(path, name, typ, len(content))
	if a := h.send(address, headers, content); a.status != http.StatusOK {
		h.t.Fatalf("upload to %s: %d %s", path, a.status, a.text)
	}
}

// download downloads as acme.
func (h *house) download(path string, header ...string) answer {
	h.t.Helper()
	return h.call(http.MethodGet, path+"/download", apiSecret, nil, header...)
}

// contents counts what the media store holds.
func (h *house) contents() (n int) {
	h.t.Helper()
	err := h.files.Walk(h.t.Context(), func(media.Hash, time.Time) error { n++; return nil })
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

var menu = []byte("Soup of the day, bread and butter\n")

func TestUploadsInTwoSteps(t *testing.T) { // A23
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{"name": "Menu", "alias": "menu"})
		path := "/file/" + id
		h.rule("nothing is there before", func(t rule) {
			if a := h.download(path); a.status != http.StatusNoContent || a.text != "" {
				t.Errorf("%d %s", a.status, a.text)
			}
			if a := h.download(path, "Accept", "application/json"); a.status != 404 {
				t.Errorf("as JSON: %d %s", a.status, a.text)
			}
		})
		h.rule("the address is for this file, its header names are in lower case", func(t rule) {
			a := h.post("/file/@menu/upload", object{"file": object{"name": "menu.txt", "type": "text/plain", "size": len(menu)}})
			request := a["uploadRequest"].(object)
			if a["id"] != id || !strings.HasPrefix(request["url"].(string), "http://example.com/api/v1/upload/") {
				t.Errorf("%v", a)
			}
			if fmt.Sprint(request["headers"]) != "map[content-type:text/plain]" {
				t.Errorf("headers %v", request["headers"])
			}
		})
		h.rule("the bytes come back with their type, and as nothing that runs", func(t rule) {
			h.deliver(path, "menu.txt", "text/plain; charset=utf-8", menu)
			for _, name := range []string{path, "/file/@menu"} {
				a := h.download(name)
				if a.status != 200 || a.text != string(menu) {
					t.Errorf("%d %q", a.status, a.text)
				}
				for header, want := range map[string]string{
					"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
					"Content-Disposition": `inline; filename="menu.txt"`, "Content-Length": fmt.Sprint(len(menu)),
				} {
					if got := a.header.Get(header); got != want {
						t.Errorf("%s: %q, want %q", header, got, want)
					}
				}
				if !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
					t.Errorf("policy %q", a.header.Get("Content-Security-Policy"))
				}
			}
			if got := h.get(path + "/fetch")["meta"].(object)["contentType"]; got != "text/plain; charset=utf-8" {
				t.Errorf("meta says %v", got)
			}
		})
		h.rule("a second upload replaces", func(t rule) {
			h.deliver(path, "other.bin", "", []byte{1, 2, 3})
			if a := h.download(path); a.text != "\x01\x02\x03" || a.header.Get("Content-Type") != "application/octet-stream" {
				t.Errorf("%q %v", a.text, a.header)
			}
		})
		h.rule("meta of one's own stays", func(t rule) {
			h.post(path+"/update", object{"meta": object{"mine": 1}})
			h.deliver(path, "x.png", "image/png", png)
			if got := h.get(path + "/fetch")["meta"].(object); got["mine"] != 1.0 || got["contentType"] != "image/png" {
				t.Errorf("%v", got)
			}
		})
		h.rule("a preflight lets browsers send it", func(t rule) {
			a := h.call(http.MethodOptions, "/upload/x", "", nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "PUT")
			if a.status != 200 || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PUT") || a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%d %v", a.status, a.header)
			}
		})
	})
}

func TestWaysToUpload(t *testing.T) { // A23
	inHouse(t, options{}, func(h *house) {
		form := func(field, name, typ string, content []byte) (body []byte, contentType string) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			_ = w.WriteField("other", "words")
			part, _ := w.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, field, name)}, "Content-Type": {typ},
			})
			_, _ = part.Write(content) // a buffer takes everything
			_ = w.Close()
			return b.Bytes(), w.FormDataContentType()
		}
		upload := func(id, contentType string, body []byte) answer {
			r := httptest.NewRequest(http.MethodPost, "/api/v1/file/"+id+"/upload", bytes.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+apiSecret)
			if contentType != "" {
				r.Header.Set("Content-Type", contentType)
			}
			return h.do(r)
		}
		told := func(id, file string) answer {
			return h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": file})
		}
		data := "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
		for name, c := range map[string]struct {
			by        func(id string) answer
			typ, file string
		}{
			"a form": {func(id string) answer {
				body, typ := form("file", "a/b\\c.png", "image/png", png)
				return upload(id, typ, body)
			}, "image/png", "c.png"},
			"a raw body":             {func(id string) answer { return upload(id, "image/png", png) }, "image/png", "Menu.png"},
			"a raw body of whatever": {func(id string) answer { return upload(id, "", png) }, "image/png", "Menu.png"},
			"a data: address":        {func(id string) answer { return told(id, data) }, "image/png", "Menu.png"},
		} {
			h.rule(name, func(t rule) {
				id := h.create("/file", object{"name": "Menu"})
				if a := c.by(id); a.status != 200 || a.body["id"] != id || len(a.body) != 1 {
					t.Fatalf("%d %s", a.status, a.text)
				}
				a := h.download("/file/" + id)
				if a.text != string(png) || a.header.Get("Content-Type") != c.typ || a.header.Get("Content-Disposition") != `inline; filename="`+c.file+`"` {
					t.Errorf("%d bytes, %v", len(a.text), a.header)
				}
			})
		}
		id := h.create("/file", object{})
		noFile, noFileType := form("other", "x", "text/plain", png)
		half, halfType := form("file", "x", "text/plain", png)
		for name, a := range map[string]answer{
			"an empty body":                 upload(id, "", nil),
			"a form without a file":         upload(id, noFileType, noFile),
			"half a form":                   upload(id, halfType, half[:len(half)-30]),
			"a form without its boundary":   upload(id, "multipart/form-data", half),
			"broken JSON":                   upload(id, "application/json", []byte(`{"file":`)),
			"no file":                       h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{}),
			"a number":                      h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": 5}),
			"null":                          h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": nil}),
			"another field":                 h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": data, "more": 1}),
			"a field within":                h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"size": 1, "type": "a/b", "more": 1}}),
			"no size":                       h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/b"}}),
			"a size of nothing":             h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/b", "size": 0}}),
			"a size below nothing":          h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/b", "size": -1}}),
			"half a byte":                   h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/b", "size": 0.5}}),
			"no content type":               h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "picture", "size": 1}}),
			"a line end in the type":        h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/b\r\nX: y", "size": 1}}),
			"a long type":                   h.call(http.MethodPost, "/file/"+id+"/upload", apiSecret, object{"file": object{"type": "a/" + strings.Repeat("b", 300), "size": 1}}),
			"words":                         told(id, "menu.txt"),
			"an empty address":              told(id, ""),
			"a file of the server's":        told(id, "file:///etc/passwd"),
			"another protocol":              told(id, "ftp://files.example/a"),
			"no host":                       told(id, "http:///a"),
			"data that is not base64":       told(id, "data:text/plain,hello"),
			"data that says it is base64":   told(id, "data:text/plain;base64,%%%"),
			"data without anything":         told(id, "data:text/plain;base64,"),
			"data without a comma":          told(id, "data:text/plain;base64"),
			"data of a type that is none":   told(id, "data:text;base64,aGVsbG8="),
			"an address that is no address": told(id, "http://[::1"),
		} {
			if a.status != 400 || a.body["code"] != "BAD_REQUEST" || a.body["message"] == "" {
				h.t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		if a := h.download("/file/" + id); a.status != http.StatusNoContent {
			h.t.Errorf("something was stored: %d", a.status)
		}
	})
}

func TestSizesOfUploads(t *testing.T) { // A12 A23
	inHouse(t, options{config: func(c *parley.Config) { c.UploadLimit = 1000 }}, func(h *house) {
		id := h.create("/file", object{})
		path := "/file/" + id
		full := bytes.Repeat([]byte("x"), 1001)
		tooLarge := func(t rule, name string, a answer) {
			t.Helper()
			if a.status != 413 || a.body["code"] != "CONTENT_TOO_LARGE" {
				t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		h.rule("more than the limit is refused, however it comes", func(t rule) {
			tooLarge(t, "announced", h.call(http.MethodPost, path+"/upload", apiSecret, object{"file": object{"type": "a/b", "size": 1001}}))
			tooLarge(t, "raw", h.call(http.MethodPost, path+"/upload", apiSecret, string(full), "Content-Type", "text/plain"))
			data := "data:text/plain;base64," + base64.StdEncoding.EncodeToString(full)
			tooLarge(t, "data", h.call(http.MethodPost, path+"/upload", apiSecret, object{"file": data}))
		})
		h.rule("what was said is what must come", func(t rule) {
			address, headers := h.offer(path, "a", "text/plain", 10)
			tooLarge(t, "one more", h.send(address, headers, full[:11]))
			if a := h.send(address, headers, full[:9]); a.status != 400 || !strings.Contains(a.text, "9 bytes and not 10") {
				t.Errorf("one less: %d %s", a.status, a.text)
			}
			if a := h.send(address, headers, full[:10]); a.status != 200 {
				t.Errorf("as many, after all: %d %s", a.status, a.text)
			}
		})
		if n := h.contents(); n != 1 {
			h.t.Errorf("%d contents are kept", n)
		}
	})
}

func TestTickets(t *testing.T) { // A23 F037
	inHouse(t, options{}, func(h *house) {
		id, other := h.create("/file", object{}), h.create("/file", object{})
		path := "/file/" + id
		refused := func(t rule, name string, a answer, want int) {
			t.Helper()
			if a.status != want || a.body["message"] == "" {
				t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		h.rule("a retry with the same bytes is fine, other bytes are refused", func(t rule) {
			address, headers := h.offer(path, "a.txt", "text/plain", 5)
			for range 3 {
				if a := h.send(address, headers, []byte("hello")); a.status != 200 || a.body["id"] != id {
					t.Errorf("%d %s", a.status, a.text)
				}
			}
			refused(t, "other bytes", h.send(address, headers, []byte("other")), 409)
			if got := h.download(path).text; got != "hello" {
				t.Errorf("the file holds %q", got)
			}
			h.deliver(path, "b.txt", "text/plain", []byte("newer"))
			if a := h.send(address, headers, []byte("hello")); a.status != 200 || h.download(path).text != "newer" {
				t.Errorf("a late retry: %d, and the file holds %q", a.status, h.download(path).text)
			}
		})
		h.rule("it serves for a short time", func(t rule) {
			early, headers := h.offer(path, "a.txt", "text/plain", 5)
			time.Sleep(15*time.Minute - time.Second)
			if a := h.send(early, headers, []byte("early")); a.status != 200 {
				t.Errorf("in time: %d %s", a.status, a.text)
			}
			late, headers := h.offer(path, "a.txt", "text/plain", 5)
			time.Sleep(15 * time.Minute)
			refused(t, "too late", h.send(late, headers, []byte("later")), 403)
			refused(t, "used, and too late", h.send(early, headers, []byte("other")), 403)
			if got := h.download(path).text; got != "early" {
				t.Errorf("the file holds %q", got)
			}
		})
		h.rule("it can be neither changed nor made", func(t rule) {
			address, headers := h.offer(path, "a.txt", "text/plain", 5)
			mine, _ := h.offer("/file/"+other, "a.txt", "text/plain", 5)
			cut := func(address string) (payload, signature string) {
				i := strings.LastIndex(address, ".")
				return address[:i], address[i+1:]
			}
			payload, signature := cut(address)
			_, otherSignature := cut(mine)
			decoded, err := base64.RawURLEncoding.DecodeString(payload[strings.LastIndex(payload, "/")+1:])
			if err != nil {
				t.Fatal(err)
			}
			moved := base64.RawURLEncoding.EncodeToString(bytes.Replace(decoded, []byte(id), []byte(other), 1))
			for name, forged := range map[string]string{
				"another file's":      "http://example.com/api/v1/upload/" + moved + "." + signature,
				"another's signature": payload + "." + otherSignature,
				"a changed signature": address[:len(address)-1] + "!",
				"no signature":        payload,
				"words":               "http://example.com/api/v1/upload/please",
			} {
				refused(t, name, h.send(forged, headers, []byte("wrong")), 403)
			}
			for _, id := range []string{id, other} {
				if got := h.download("/file/" + id).text; got == "wrong" {
					t.Errorf("%s was changed", id)
				}
			}
		})
		h.rule("one for downloads does not serve for uploads, nor the other way", func(t rule) {
			down := h.download(path, "Accept", "application/json").body["url"].(string)
			ticket := strings.Split(down, "/")[6]
			refused(t, "upload", h.send("http://example.com/api/v1/upload/"+ticket, nil, []byte("wrong")), 403)
			up, _ := h.offer(path, "a.txt", "text/plain", 5)
			refused(t, "download", h.call(http.MethodGet, "/download/"+strings.Split(up, "/")[6]+"/a.txt", "", nil), 403)
		})
		h.rule("of several at once one counts", func(t rule) {
			address, headers := h.offer(path, "a.txt", "text/plain", 5)
			var won, lost int
			var kept string
			var mutex sync.Mutex
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					content := fmt.Sprintf("by %02d", i)
					a := h.send(address, headers, []byte(content))
					mutex.Lock()
					defer mutex.Unlock()
					switch a.status {
					case 200:
						won, kept = won+1, content
					case 409:
						lost++
					default:
						t.Errorf("%d %s", a.status, a.text)
					}
				})
			}
			all.Wait()
			if won != 1 || lost != 15 || h.download(path).text != kept {
				t.Errorf("%d won, %d lost, %q won and %q is there", won, lost, kept, h.download(path).text)
			}
		})
		h.rule("it does not outlive the file", func(t rule) {
			address, headers := h.offer(path, "a.txt", "text/plain", 5)
			down := h.download(path, "Accept", "application/json").body["url"].(string)
			h.post(path+"/delete", nil)
			refused(t, "upload", h.send(address, headers, []byte("hello")), 404)
			refused(t, "download", h.call(http.MethodGet, strings.TrimPrefix(down, "http://example.com"), "", nil), 404)
		})
		h.rule("it outlives a restart", func(t rule) {
			address, headers := h.offer("/file/"+other, "a.txt", "text/plain", 5)
			h.crash()
			if a := h.send(address, headers, []byte("hello")); a.status != 200 {
				t.Errorf("%d %s", a.status, a.text)
			}
			h.crash()
			refused(t, "used before a crash", h.send(address, headers, []byte("other")), 409)
		})
	})
}

func TestOriginsOfUploads(t *testing.T) { // A23
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{})
		body := object{"file": object{"type": "a/b", "size": 1}}
		address := func(path string, header ...string) string {
			a := h.call(http.MethodPost, path+"/file/"+id+"/upload", apiSecret, body, header...)
			return a.body["uploadRequest"].(object)["url"].(string)
		}
		h.rule("an address lies where the client came to, whatever others say", func(t rule) {
			got := address("", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https")
			if !strings.HasPrefix(got, "http://example.com/api/v1/upload/") {
				t.Error(got)
			}
		})
		h.rule("and under its prefix", func(t rule) {
			if got := address("/v1"); !strings.HasPrefix(got, "http://example.com/v1/upload/") {
				t.Error(got)
			} else if a := h.send(got, nil, []byte("x")); a.status != 200 {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
		h.stop()
		h.config.Origin = "https://parley.example"
		h.start()
		h.rule("a configured one counts for all", func(t rule) {
			if got := address(""); !strings.HasPrefix(got, "https://parley.example/api/v1/upload/") {
				t.Error(got)
			}
		})
	})
}

// What nobody refers to any more goes, whatever happens meanwhile, and what
// somebody refers to stays. A23
func TestContentsGoWithTheirLastFile(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		a, b := h.create("/file", object{}), h.create("/file", object{})
		holds := func(id, want string) {
			h.t.Helper()
			if got := h.download("/file/" + id).text; got != want {
				h.t.Errorf("the file holds %q, want %q", got, want)
			}
		}
		count := func(what string, want int) {
			h.t.Helper()
			synctest.Wait()
			if got := h.contents(); got != want {
				h.t.Errorf("%s: %d contents, want %d", what, got, want)
			}
		}
		h.deliver("/file/"+a, "a.txt", "text/plain", []byte("shared"))
		h.deliver("/file/"+b, "b.txt", "text/plain", []byte("shared"))
		count("two files share one", 1)
		h.deliver("/file/"+a, "a.txt", "text/plain", []byte("its own"))
		time.Sleep(time.Hour)
		count("after one was given another", 2)
		holds(a, "its own")
		holds(b, "shared")

		h.post("/file/"+a+"/delete", nil)
		h.crash()
		time.Sleep(time.Minute)
		count("after a was deleted, and a crash", 1)
		holds(b, "shared")

		h.deliver("/file/"+b, "b.txt", "text/plain", []byte("newer"))
		h.deliver("/file/"+b, "b.txt", "text/plain", []byte("shared"))
		time.Sleep(time.Hour)
		count("after b was given back what it had", 1)
		holds(b, "shared")

		h.deliver("/file/"+b, "b.txt", "text/plain", []byte("fresh"))
		h.post("/file/"+b+"/delete", nil) // it could be about to be shared
		h.crash()
		time.Sleep(time.Hour)
		count("after b was deleted", 0)
	})
}

// An upload that is refused at the end, or that a crash cut off after its bytes
// were kept, leaves them for a day at most. A23
func TestWhatNobodyEverReferredToIsSwept(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{})
		address, headers := h.offer("/file/"+id, "a", "text/plain", 5)
		h.send(address, headers, []byte("hello"))
		if a := h.send(address, headers, []byte("other")); a.status != 409 {
			h.t.Errorf("%d %s", a.status, a.text)
		}
		if _, err := h.files.Put(h.t.Context(), strings.NewReader("cut off"), media.Limits{}); err != nil {
			h.t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if n := h.contents(); n != 3 {
			h.t.Errorf("%d contents: what is young was swept", n)
		}
		h.crash()
		time.Sleep(31 * time.Hour)
		if n := h.contents(); n != 1 {
			h.t.Errorf("%d contents after a day", n)
		}
		if got := h.download("/file/" + id).text; got != "hello" {
			h.t.Errorf("the file holds %q", got)
		}
	})
}
