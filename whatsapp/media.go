package whatsapp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// File is what Meta knows of a file that a person sent. Anything but ID and URL
// may be missing.
type File struct {
	ID string
	// URL serves the bytes for 5 minutes, and needs the token. Use
	// [Client.Download], which does not give the token to just anybody.
	// Meta: media.
	URL string
	// MIME is the sender's word, for example "audio/ogg; codecs=opus".
	MIME string
	// Size is in bytes, or 0.
	Size int64
	// SHA256 has 32 bytes, or none.
	SHA256 []byte
}

// FindMedia asks Meta for a file that was sent to the phone number, by the ID
// of its [Media]. IDs are good for 7 days. The error is a *MediaError, or an
// *Error if Meta refused; ask [AdviseMedia] what it means.
// Meta: media, retrieve media URL.
func (c *Client) FindMedia(ctx context.Context, credentials Credentials, id string) (File, error) {
	f, err := c.findMedia(ctx, credentials, id)
	if err != nil {
		return File{}, fmt.Errorf("find media: %w", err)
	}
	return f, nil
}

func (c *Client) findMedia(ctx context.Context, credentials Credentials, id string) (File, error) {
	if !isMediaID(id) {
		return File{}, &MediaError{Problem: MediaGone, Err: errMediaID}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	target := c.BaseURL + "/" + c.Version + "/" + id + "?phone_number_id=" + url.QueryEscape(credentials.PhoneNumberID)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return File{}, &MediaError{Problem: MediaUnsafe, Err: err}
	}
	token := credentials.Token.Reveal()
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := c.HTTP.Do(r)
	if err != nil {
		return File{}, broken(r.URL.Host, bare(err, token))
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return File{}, broken(r.URL.Host, bare(err, token))
	}
	if token != "" { // a proxy may repeat what it was sent
		answer = bytes.ReplaceAll(answer, []byte(token), []byte(mask))
	}
	if response.StatusCode != http.StatusOK {
		return File{}, unfound(r.URL.Host, refusal(response, answer))
	}
	return readFile(r.URL.Host, answer)
}

// readFile reads the answer to a look-up.
func readFile(host string, answer []byte) (File, error) {
	var w struct {
		ID     string `json:"id"`
		URL    string `json:"url"`
		MIME   string `json:"mime_type"`
		SHA256 string `json:"sha256"`
		Size   Number `json:"file_size"` // Meta: a number, and a string in the documentation
	}
	if err := decode(answer, &w); w.URL == "" {
		return File{}, &MediaError{Problem: MediaInterrupted, Host: host, Status: http.StatusOK, Err: errors.Join(errNoURL, err)}
	}
	return File{ID: w.ID, URL: w.URL, MIME: w.MIME, Size: int64(max(0, w.Size.Int())), SHA256: digest(w.SHA256)}, nil
}

// isMediaID knows what can be an ID and nothing else in an address.
func isMediaID(id string) bool {
	return id != "" && len(id) <= 256 && strings.IndexFunc(id, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// digest reads a SHA-256 in either of Meta's writings, or gives nil.
// Meta: base64 in webhooks, hexadecimal in the answer to a look-up.
func digest(s string) []byte {
	sum, err := hex.DecodeString(s)
	if err != nil {
		sum, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(sum) != sha256.Size {
		return nil
	}
	return sum
}
