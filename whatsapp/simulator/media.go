package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// Meta: media, IDs of webhooks are good for 7 days, addresses for 5 minutes.
	idLife      = 7 * 24 * time.Hour
	addressLife = 5 * time.Minute

	// filesHost is where files are fetched from without sockets; through a
	// socket it is where the Graph API is.
	filesHost = "https://lookaside.fbsbx.com"
	filesPath = "/whatsapp_business/attachments/"
	// privateHost stands for a private network. What answers there must not be
	// asked.
	privateHost = "169.254.169.254"
)

// File is a file that a person sends. Kind and Bytes are needed.
type File struct {
	// Kind is "image", "video", "audio", "voice" (an audio that was recorded in
	// the chat), "document" or "sticker".
	Kind  string
	Bytes []byte
	// MIME is what the phone says it is; empty means the kind's usual one.
	MIME string
	// Caption is not of audio and stickers. Name is of documents.
	Caption, Name string
}

var usualMIME = map[string]string{
	"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "voice": "audio/ogg; codecs=opus",
	"document": "application/pdf", "sticker": "image/webp",
}

// file is a file that can be fetched from Meta.
type file struct {
	id, number, mime string
	bytes            []byte
	sent             time.Time
	fault            fileFault
	// addresses are where it was said to be, by their key; served counts what
	// was given.
	addresses map[string]time.Time
	served    int
}

// SendFile sends a file and returns its wamid. The bytes must not be changed
// afterwards.
func (p Person) SendFile(f File) string {
	kind, mime := f.Kind, f.MIME
	if mime == "" {
		mime = usualMIME[kind]
	}
	s := p.s
	s.mu.Lock()
	t := s.thread(p.number, p.id)
	id := mediaIDOf(p.number, p.id, strconv.Itoa(t.files))
	t.files++
	s.files[id] = &file{
		id: id, number: p.number, mime: mime, bytes: f.Bytes, sent: time.Now(),
		fault: roleOf(p.id).file, addresses: make(map[string]time.Time),
	}
	s.mu.Unlock()
	sum := sha256.Sum256(f.Bytes)
	item := object{"id": id, "mime_type": mime, "sha256": base64.StdEncoding.EncodeToString(sum[:])}
	switch kind {
	case "voice":
		kind, item["voice"] = "audio", true
	case "audio":
		item["voice"] = false
	case "sticker":
		item["animated"] = false
	}
	if f.Caption != "" {
		item["caption"] = f.Caption
	}
	if f.Name != "" {
		item["filename"] = f.Name
	}
	return p.Send(object{"type": kind, kind: item})
}

// mediaIDOf makes an ID like Meta's, which is digits.
func mediaIDOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strconv.FormatUint(1e15+binary.BigEndian.Uint64(sum[:])%9e15, 10)
}

var mediaPath = regexp.MustCompile(`^/v\d+\.\d+/(\d+)$`)

// media handles the calls that are about files. origin is where they can be
// fetched. It reports false if the call is about something else. The lock is
// held.
func (s *Simulator) media(call *Call, r *http.Request, origin string) (answer, bool) {
	match := mediaPath.FindStringSubmatch(r.URL.Path)
	switch {
	case r.URL.Hostname() == privateHost:
		call.Kind = "private"
		return answer{status: http.StatusOK, mime: "text/plain", body: []byte("the secrets of the private network")}, true
	case r.Method == http.MethodGet && match != nil:
		call.Kind, call.Media = "media", match[1]
		return s.lookUp(call, r, origin), true
	case r.Method == http.MethodGet && r.URL.Path == filesPath:
		call.Kind, call.Media = "download", r.URL.Query().Get("mid")
		return s.fetch(call, r), true
	}
	return answer{}, false
}

// lookUp says where a file is.
// Meta: media, retrieve media URL.
func (s *Simulator) lookUp(call *Call, r *http.Request, origin string) answer {
	f := s.files[call.Media]
	if bearer(r) == "" {
		return call.refuse(noToken)
	}
	if f == nil || f.fault == fileGone || time.Since(f.sent) > idLife {
		return call.refuse(invisible(r.Method, call.Media))
	}
	call.Number = f.number
	if asked := r.URL.Query().Get("phone_number_id"); asked != "" && asked != f.number {
		return call.refuse(invisible(r.Method, call.Media))
	}
	if n := s.numbers[f.number]; n == nil || bearer(r) != n.Token {
		return call.refuse(badToken)
	}
	key := meaningless("address", f.id, strconv.Itoa(len(f.addresses)))
	expiry := time.Now().Add(addressLife)
	f.addresses[key] = expiry
	if f.fault == fileMissing && len(f.addresses) == 1 {
		f.addresses[key] = time.Time{}
	}
	query := url.Values{"mid": {f.id}, "ext": {strconv.FormatInt(expiry.Unix(), 10)}, "hash": {key}}
	sum := sha256.Sum256(f.bytes)
	return succeed(object{
		"messaging_product": "whatsapp", "id": f.id, "mime_type": f.mime, "file_size": len(f.bytes),
		"sha256": hex.EncodeToString(sum[:]), "url": origin + filesPath + "?" + query.Encode(),
	})
}

// fetch gives the bytes of a file.
// Meta: media, download media.
func (s *Simulator) fetch(call *Call, r *http.Request) answer {
	f := s.files[call.Media]
	if f == nil || time.Now().After(f.addresses[r.URL.Query().Get("hash")]) {
		return plain(http.StatusNotFound, "URL signature expired")
	}
	call.Number = f.number
	if n := s.numbers[f.number]; n == nil || bearer(r) != n.Token {
		return plain(http.StatusUnauthorized, "Unauthorized")
	}
	if agent := r.UserAgent(); agent == "" || slices.ContainsFunc(refusedAgents, func(a string) bool { return strings.HasPrefix(agent, a) }) {
		return plain(http.StatusForbidden, "Forbidden")
	}
	f.served++
	return f.answer()
}

// refusedAgents are those of programs that do not say who they are.
var refusedAgents = []string{"Go-http-client", "python-requests", "axios"}

// answer serves the bytes, or what comes in their place.
func (f *file) answer() answer {
	a := answer{status: http.StatusOK, mime: f.mime, body: f.bytes}
	switch {
	case f.fault == fileCorrupt:
		a.body = bytes.Clone(f.bytes)
		a.body[len(a.body)/2] ^= 1
	case f.fault == fileJSON && f.served == 1:
		a.body, a.mime = encode(object{"error": object{"message": "An unknown error has occurred.", "code": 1}}), "application/json"
	case f.fault == fileRedirect:
		a = plain(http.StatusFound, "")
		a.location = "https://" + privateHost + "/latest/meta-data/"
	case f.fault == fileCut && f.served == 1, f.fault == fileStill, f.fault == fileSlow, f.fault == fileEndless:
		a.pace = f.fault
	}
	return a
}

func plain(status int, text string) answer {
	return answer{status: status, mime: "text/plain", body: []byte(text)}
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// presentFile is how a chat shows a file.
func presentFile(kind, name, caption string) string {
	return strings.TrimSpace(fmt.Sprintf("[%s] %s", strings.TrimSpace(kind+" "+name), caption))
}
