package format

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/rivo/uniseg"
)

// Length counts UTF-16 units, as Meta's limits are counted here. What is no
// UTF-8 counts as the character that replaces it.
func Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// Shorten cuts a plain text that is longer than limit units, and ends it with
// an ellipsis. It is for titles, which have no second part. A limit below 1 is
// taken as 1.
func Shorten(s string, limit int) string {
	s = clean(s)
	if Length(s) <= limit {
		return s
	}
	end := prefix(s, limit-1)
	cut, state := 0, -1
	for rest := s[:min(len(s), end+longestCharacter)]; ; {
		var character string
		character, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if cut+len(character) > end || character == "" {
			break
		}
		cut += len(character)
	}
	return strings.TrimRightFunc(s[:cut], unicode.IsSpace) + "…"
}

// longestCharacter bounds how far ahead the end of what a reader sees as one
// character is looked for, in bytes. Accents can be piled up without end.
const longestCharacter = 256

// prefix is the length of the longest prefix of at most limit UTF-16 units.
func prefix(s string, limit int) int {
	for i, r := range s {
		if limit -= utf16.RuneLen(r); limit < 0 {
			return i
		}
	}
	return len(s)
}

// clean makes valid UTF-8 with plain line breaks of anything.
func clean(s string) string {
	return lineBreaks.Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD")

// isBlank reports that nothing would be seen. Meta: a text message whose body
// is blank is refused.
func isBlank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !isHidden(r) }) < 0
}

func isHidden(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
}
