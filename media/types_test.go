package media_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"parley/media"
)

// The beginnings of the files that people send.
// Meta: media, supported types.
var beginnings = map[string]string{
	"image/jpeg":      "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01",
	"image/png":       "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
	"image/webp":      "RIFF\x24\x00\x00\x00WEBPVP8 ",
	"audio/ogg":       "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01",
	"audio/amr":       "#!AMR\n\x3c\x91",
	"audio/mpeg":      "ID3\x03\x00\x00\x00\x00\x00\x0aTIT2\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64",
	"audio/aac":       "\xff\xf1\x50\x80\x02\x1f\xfc",
	"video/mp4":       "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
	"video/3gpp":      "\x00\x00\x00\x1cftyp3gp4\x00\x00\x02\x003gp4",
	"application/pdf": "%PDF-1.7\n",
	"application/zip": "PK\x03\x04\x14\x00\x00\x00\x08\x00",
	"text/plain":      "just words",
	"text/html":       "<!DOCTYPE html><html><script>alert(1)</script>",
}

// F068, F204, F208: the type of what is stored.
func TestThatTypesAreSeen(t *testing.T) {
	for typ, content := range beginnings {
		o, err := media.NewMemory().Put(t.Context(), strings.NewReader(content), media.Limits{})
		if err != nil || o.Type != typ {
			t.Errorf("%q looks like %s (%v), expected %s", content, o.Type, err, typ)
		}
	}
}

func TestTypesThatAreClaimed(t *testing.T) {
	const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	cases := []struct {
		rule, claimed, seen, want string
		agree                     bool
	}{
		{"the same", "image/jpeg", "image/jpeg", "image/jpeg", true},
		{"parameters and case do not matter", "Audio/OGG; codecs=opus", "audio/ogg", "audio/ogg", true},
		{"broken parameters do not matter", "audio/ogg; codecs", "audio/ogg", "audio/ogg", true},
		{"another name of the same", "application/x-pdf", "application/pdf", "application/x-pdf", true},
		{"no claim", "", "image/png", "image/png", true},
		{"a claim that says nothing", "application/octet-stream", "image/png", "image/png", true},
		{"a document that is seen as a zip", docx, "application/zip", docx, true},
		{"an old document that is seen as its container", "application/msword", "application/x-ole-storage", "application/msword", true},
		{"a zip that is seen as a document", "application/zip", docx, "application/zip", true},
		{"a table that is seen as text", "text/csv", "text/plain", "text/csv", true},
		{"text that looks like a script", "text/plain", "text/x-python", "text/plain", true},
		{"a voice message that is seen as a film", "audio/mp4", "video/mp4", "audio/mp4", true},
		{"an older phone's film", "video/3gpp", "video/mp4", "video/3gpp", true},
		{"opus that is seen as ogg only", "audio/opus", "application/ogg", "audio/opus", true},
		{"a format nobody knows", "application/vnd.acme", "application/octet-stream", "application/vnd.acme", true},
		{"a format nobody knows, in a zip", "application/vnd.acme", "application/zip", "application/vnd.acme", true},

		{"a picture that is a page", "image/jpeg", "text/html", "text/html", false},
		{"a picture that is another", "image/jpeg", "image/png", "image/png", false},
		{"a picture that is a program", "image/png", "application/x-elf", "application/x-elf", false},
		{"a picture that is a JSON error", "image/jpeg", "application/json", "application/json", false},
		{"a picture that looks like nothing", "image/jpeg", "application/octet-stream", "application/octet-stream", false},
		{"a format nobody knows that is a picture", "application/vnd.acme", "image/png", "image/png", false},
		{"a film that is a sound of another kind", "video/mp4", "audio/ogg", "audio/ogg", false},
		{"no type at all", "picture", "image/png", "image/png", false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if typ, agree := media.Settle(c.claimed, c.seen); typ != c.want || agree != c.agree {
				t.Errorf("got %s, %v", typ, agree)
			}
		})
	}
}

func TestNamesAreMadeSafe(t *testing.T) {
	cases := []struct{ rule, name, typ, want string }{
		{"a good name stays", "Invoice 12 (final).pdf", "application/pdf", "Invoice 12 (final).pdf"},
		{"letters of any language stay", "счёт № 7 – 請求書.pdf", "application/pdf", "счёт № 7 – 請求書.pdf"},
		{"a path keeps its last element", "../../etc/passwd.txt", "text/plain", "passwd.txt"},
		{"also of another system", `C:\Users\ann\photo.jpg`, "image/jpeg", "photo.jpg"},
		{"nothing but dots", "..", "image/jpeg", "file.jpg"},
		{"a hidden file is seen", ".htaccess", "text/plain", "htaccess.txt"},
		{"a directory", "a/", "image/png", "file.png"},
		{"no name", "", "image/webp", "file.webp"},
		{"no name and no type", "", "", "file"},
		{"no extension", "photo", "image/jpeg; charset=x", "photo.jpg"},
		{"a sentence with a dot", "Dear Ann. How are you", "text/plain", "Dear Ann. How are you.txt"},
		{"control characters", "a\x00b\r\nc.txt", "text/plain", "ab c.txt"},
		{"text that runs backwards", "photo\u202egpj.exe", "image/jpeg", "photogpj.exe"},
		{"invisible characters", "a\u200bb\ufeff.txt", "text/plain", "ab.txt"},
		{"characters of a shell", `a"b<c>d|e?f*g:h.txt`, "text/plain", "a_b_c_d_e_f_g_h.txt"},
		{"a device", "NUL.txt", "text/plain", "_NUL.txt"},
		{"a device with a number", "com1.tar.gz", "application/gzip", "_com1.tar.gz"},
		{"no device", "Console.txt", "text/plain", "Console.txt"},
		{"a dot or space at the end", "a.txt. .", "text/plain", "a.txt"},
		{"bytes that are no text", "a\xff.txt", "text/plain", "a_.txt"},
		{"a long name keeps its extension", strings.Repeat("é", 200) + ".pdf", "application/pdf", strings.Repeat("é", 88) + ".pdf"},
		{"a long name is not cut within a character", strings.Repeat("é", 200) + ".jpeg", "image/jpeg", strings.Repeat("é", 87) + ".jpeg"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := media.SafeName(c.name, c.typ); got != c.want {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

func FuzzSafeName(f *testing.F) {
	for _, seed := range []string{"", "a/b", "..", "con", "x. ", "\u202e", strings.Repeat("a.", 300), "a.\x00b", "é.é"} {
		f.Add(seed, "image/jpeg")
	}
	f.Fuzz(func(t *testing.T, name, typ string) {
		got := media.SafeName(name, typ)
		if got == "" || len(got) > 180 || strings.ContainsAny(got, "/\\\x00\r\n") || strings.HasPrefix(got, ".") || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q became %q", name, got)
		}
		if again := media.SafeName(got, typ); again != got {
			t.Errorf("%q became %q, and then %q", name, got, again)
		}
	})
}

func TestHashesAreReadBack(t *testing.T) {
	o, err := media.NewMemory().Put(t.Context(), bytes.NewReader([]byte("hello")), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := media.ParseHash(o.Hash.String()); err != nil || h != o.Hash {
		t.Errorf("%v, %v", h, err)
	}
	encoded, err := json.Marshal(o.Hash)
	var decoded media.Hash
	if err != nil || json.Unmarshal(encoded, &decoded) != nil || decoded != o.Hash {
		t.Errorf("%s became %v (%v)", encoded, decoded, err)
	}
	for _, text := range []string{"", "2cf2", strings.Repeat("g", 64), strings.Repeat("a", 63), "../" + strings.Repeat("a", 61)} {
		if h, err := media.ParseHash(text); err == nil || h != (media.Hash{}) {
			t.Errorf("%q was read as %v", text, h)
		}
	}
}
