package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"strings"
)

// SignatureHeader is the request header that Verify wants the value of.
const SignatureHeader = "X-Hub-Signature-256"

const signaturePrefix = "sha256="

// Sign gives the header's value for a body, as Meta signs it with the app
// secret. Meta: create webhook endpoint, validate payloads.
func Sign(secret string, body []byte) string {
	return signaturePrefix + hex.EncodeToString(sum(secret, body))
}

// Verify reports that the header signs the body with one of the secrets.
// During a rotation both the old and the new one are given. Empty secrets are
// never right, and without any secret nothing is.
//
// The body must be the bytes as they came: Meta escapes characters in its own
// way, and a body that was decoded and encoded again has another signature.
func Verify(header string, body []byte, secrets ...string) bool {
	digits, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok {
		return false
	}
	given, err := hex.DecodeString(digits)
	if err != nil {
		return false
	}
	valid := false
	for _, secret := range secrets {
		if secret != "" && hmac.Equal(given, sum(secret, body)) {
			valid = true
		}
	}
	return valid
}

func sum(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// Challenge answers Meta's request to verify a callback address. If the mode
// and the token are right, challenge is what must be answered: exactly, as
// text/plain, for its text is the caller's. Otherwise it is "". An empty
// verifyToken is never right.
// Meta: create webhook endpoint, verification requests.
func Challenge(query url.Values, verifyToken string) (challenge string, ok bool) {
	given := query.Get("hub.verify_token")
	same := subtle.ConstantTimeCompare(hash(given), hash(verifyToken)) == 1
	if !same || verifyToken == "" || query.Get("hub.mode") != "subscribe" {
		return "", false
	}
	return query.Get("hub.challenge"), true
}

// hash makes texts of one length, so that comparing them tells nothing of the
// length either.
func hash(s string) []byte {
	digest := sha256.Sum256([]byte(s))
	return digest[:]
}
