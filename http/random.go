package http

import (
	"crypto/rand"
	"encoding/hex"
)

// randomHex gives n random bytes as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (documented)
	return hex.EncodeToString(b)
}
