package http

import "testing"

func TestASCII(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, ``},
		{`"plain"`, `"plain"`},
		{`"né"`, `"n\u00e9"`},
		{`"שלום"`, `"\u05e9\u05dc\u05d5\u05dd"`},
		{`"👍"`, `"\ud83d\udc4d"`},
		{"\x7f", "\x7f"},
	} {
		got := string(ascii([]byte(c.text)))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
		if n := asciiSize([]byte(c.text)); n != len(got) {
			t.Errorf("%s: %d bytes are counted, and there are %d", c.text, n, len(got))
		}
	}
}
