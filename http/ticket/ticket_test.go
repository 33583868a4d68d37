package ticket_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/http/ticket"
)

var now = time.UnixMilli(1_700_000_000_000)

func signer(t testing.TB, key byte) *ticket.Signer {
	t.Helper()
	s, err := ticket.New(bytes.Repeat([]byte{key}, ticket.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func claims() ticket.Claims {
	return ticket.Claims{
		Purpose: ticket.UploadFile, Account: "acme", ID: "f1", Nonce: "n1", Name: "menü.txt", Type: "text/plain", Size: 5,
		Expires: now.Add(time.Minute).UnixMilli(),
	}
}

func TestATicketSaysWhatWasSigned(t *testing.T) {
	s := signer(t, 1)
	text := s.Sign(claims())
	got, err := s.Open(text, now)
	if diff := cmp.Diff(claims(), got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", r)
	}) {
		t.Errorf("%s needs escapes in an address", text)
	}
}

func TestNobodyElseCanMakeOne(t *testing.T) { // A23 F037
	s := signer(t, 1)
	text := s.Sign(claims())
	payload, signature, _ := strings.Cut(text, ".")
	other := claims()
	other.ID = "f2"
	foreign := signer(t, 2).Sign(claims())
	otherPayload, _, _ := strings.Cut(s.Sign(other), ".")
	for name, forged := range map[string]string{
		"nothing": "", "a dot": ".", "no signature": payload, "an empty signature": payload + ".",
		"another key's":             foreign,
		"another one's signature":   otherPayload + "." + signature,
		"a signature cut short":     payload + "." + signature[:20],
		"a signature with padding":  text + "=",
		"a signature and more":      text + ".x",
		"a space before":            " " + text,
		"a line end behind":         text + "\n",
		"the claims without coding": `{"p":"file.upload","i":"f1","e":9999999999999}.` + signature,
		"much too long":             strings.Repeat("A", 1<<20) + "." + signature,
	} {
		if got, err := s.Open(forged, now); !errors.Is(err, ticket.ErrForged) || got != (ticket.Claims{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for i := range len(text) {
		for _, sign := range "Aa0-_." {
			changed := text[:i] + string(sign) + text[i+1:]
			if _, err := s.Open(changed, now); changed != text && !errors.Is(err, ticket.ErrForged) {
				t.Errorf("changed at %d: %v", i, err)
			}
		}
	}
}

func TestATicketExpires(t *testing.T) { // A23
	s := signer(t, 1)
	text := s.Sign(claims())
	if _, err := s.Open(text, now.Add(time.Minute-time.Millisecond)); err != nil {
		t.Errorf("in its last moment: %v", err)
	}
	if got, err := s.Open(text, now.Add(time.Minute)); !errors.Is(err, ticket.ErrExpired) || got != (ticket.Claims{}) {
		t.Errorf("after it: %v, %v", got, err)
	}
}

func TestAKeyHasItsLength(t *testing.T) {
	for _, size := range []int{0, 16, 33} {
		if _, err := ticket.New(make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes is taken", size)
		}
	}
}

// Whatever the text, it is a ticket only if it was signed; and whatever the
// claims, they come back.
func FuzzOpen(f *testing.F) {
	s := signer(f, 1)
	f.Add(s.Sign(claims()), "f1", "menü.txt", int64(5))
	f.Add(signer(f, 2).Sign(claims()), "", "a\x00\"b", int64(-1))
	f.Add("e30.e30", "@x", "../..", int64(1)<<62)
	f.Fuzz(func(t *testing.T, text, id, name string, size int64) {
		if c, err := s.Open(text, now); err == nil && s.Sign(c) != text {
			t.Fatalf("%q opens and was not signed", text)
		}
		want := ticket.Claims{Purpose: ticket.UploadFile, ID: id, Name: name, Size: size, Expires: now.UnixMilli() + 1}
		if !utf8.ValidString(id) || !utf8.ValidString(name) || len(id)+len(name) > 300 {
			return // names are harmless and short when they come here
		}
		got, err := s.Open(s.Sign(want), now)
		if err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	})
}
