// Package ticket makes words that stand for a permission and cannot be forged:
// whoever was given one may do one thing with one resource, for a short time,
// without a secret. What it allows can be read off it, so it is no secret
// itself; but nobody without the key can make one, or change one.
//
// It does not know who used which ticket already: that is the business of
// whoever lets them in. The one rule: nothing of a ticket is believed before
// its signature is.
package ticket

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// KeySize is the length of a signer's key in bytes.
const KeySize = sha256.Size

// Purpose is what a ticket allows.
type Purpose string

// The purposes. Stored tickets do not outlive a restart by much, but clients
// hold them: a purpose never changes its meaning.
const (
	// UploadFile allows to give a file its content, DownloadFile to have it.
	UploadFile   Purpose = "file.upload"
	DownloadFile Purpose = "file.download"
	// UploadAttachment allows to attach a content to a conversation,
	// DownloadAttachment to have one that is attached.
	UploadAttachment   Purpose = "attachment.upload"
	DownloadAttachment Purpose = "attachment.download"
)

// Claims are what a ticket says.
type Claims struct {
	Purpose Purpose `json:"p"`
	// Account owns the resource.
	Account string `json:"a"`
	// ID is the resource, Within the conversation of an attachment.
	ID     string `json:"i"`
	Within string `json:"w,omitempty"`
	// Nonce tells the ticket from all others.
	Nonce string `json:"n,omitempty"`
	// Name, Type (a media type) and Size (in bytes) are of what is uploaded.
	Name string `json:"f,omitempty"`
	Type string `json:"t,omitempty"`
	Size int64  `json:"s,omitempty"`
	// Expires is in milliseconds since 1970.
	Expires int64 `json:"e"`
}

// Errors of Open.
var (
	// ErrForged says that a text is no ticket of this signer's.
	ErrForged = errors.New("not a ticket")
	// ErrExpired says that the ticket's time is over.
	ErrExpired = errors.New("the ticket has expired")
)

// Signer makes tickets and recognises them. It may be used concurrently.
type Signer struct{ key []byte }

// New makes a signer. The key has KeySize bytes and serves nothing else.
func New(key []byte) (*Signer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a ticket key has %d bytes, not %d", KeySize, len(key))
	}
	return &Signer{key: key}, nil
}

// encoding has no signs that addresses need to escape.
var encoding = base64.RawURLEncoding

// maxLength bounds what is looked at, in bytes.
const maxLength = 4096

// Sign gives the ticket for some claims.
func (s *Signer) Sign(c Claims) string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	payload := encoding.EncodeToString(b)
	return payload + "." + s.mac(payload)
}

// Open gives a ticket's claims. Errors: ErrForged, and ErrExpired if it could
// be used before now.
func (s *Signer) Open(text string, now time.Time) (Claims, error) {
	payload, signature, ok := strings.Cut(text, ".")
	if !ok || len(text) > maxLength {
		return Claims{}, ErrForged
	}
	if !hmac.Equal([]byte(signature), []byte(s.mac(payload))) {
		return Claims{}, ErrForged
	}
	var c Claims
	b, err := encoding.DecodeString(payload)
	if err != nil || json.Unmarshal(b, &c) != nil {
		return Claims{}, ErrForged
	}
	if now.UnixMilli() >= c.Expires {
		return Claims{}, ErrExpired
	}
	return c, nil
}

// mac is a payload's signature. It is compared as a text: decoding overlooks
// line ends.
func (s *Signer) mac(payload string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(payload))
	return encoding.EncodeToString(h.Sum(nil))
}
