package whatsapp

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxText is the longest text message, in UTF-16 units.
// Meta: text messages; it is not said what a character is, so the strictest
// reading is used.
const maxText = 4096

// Text makes messages of a text, one if it fits. Longer ones are split where
// it hurts least: between paragraphs, else lines, sentences, words, and at
// last between any two characters that can be told apart. Only white space at
// the splits is lost. A blank text makes none.
//
// The text is sent as it is: it should already be in WhatsApp's own marks.
func Text(s string) []Outbound {
	var parts []Outbound
	for _, piece := range split(s, maxText) {
		preview := strings.Contains(piece, "https://") || strings.Contains(piece, "http://")
		parts = append(parts, Outbound{outbound{Type: "text", Text: &outText{Body: piece, Preview: preview}}})
	}
	return parts
}

// split cuts a text into pieces of at most limit UTF-16 units, none of them
// blank.
func split(s string, limit int) []string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var pieces []string
	for !isBlank(s) {
		end := cut(s, limit)
		if piece := s[:end]; !isBlank(piece) {
			pieces = append(pieces, strings.TrimRightFunc(piece, unicode.IsSpace))
		}
		s = s[end:]
		if len(pieces) > 0 {
			s = strings.TrimLeft(s, "\r\n") // keeps the indentation of a line
		}
	}
	return pieces
}

// borders are the places to cut at, best first. Each gives the offset after
// the last such place in a window, or a negative one.
var borders = []func(window string) int{
	func(w string) int { return afterLast(w, "\n\n") },
	func(w string) int { return afterLast(w, "\n") },
	afterSentence,
	afterWord,
}

// cut gives the length of the first piece of s. A border counts only past the
// first quarter of what fits, lest a heading stand alone.
func cut(s string, limit int) int {
	end := prefix(s, limit)
	if end == len(s) {
		return end
	}
	window := s[:end]
	for _, border := range borders {
		if at := border(window); at > len(window)/4 {
			return at
		}
	}
	return cutCharacters(s, end)
}

// prefix is the length of the longest prefix of at most limit UTF-16 units.
func prefix(s string, limit int) int {
	for i, r := range s {
		if limit -= utf16.RuneLen(r); limit < 0 {
			return i
		}
	}
	return len(s)
}

// length counts UTF-16 units.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// shorten cuts a text that is too long, marked with an ellipsis.
func shorten(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if length(s) <= limit {
		return s
	}
	end := cutCharacters(s, prefix(s, limit-1))
	return strings.TrimRightFunc(s[:end], unicode.IsSpace) + "…"
}

func afterSentence(w string) int {
	at := -1
	for i, r := range w {
		if !strings.ContainsRune(".!?…。！？", r) {
			continue
		}
		next, size := utf8.DecodeRuneInString(w[i+utf8.RuneLen(r):])
		switch {
		case size > 0 && unicode.IsSpace(next):
			at = i + utf8.RuneLen(r) + size
		case strings.ContainsRune("。！？", r): // no space follows in Chinese and Japanese
			at = i + utf8.RuneLen(r)
		}
	}
	return at
}

func afterLast(w, separator string) int {
	at := strings.LastIndex(w, separator)
	if at < 0 {
		return at
	}
	return at + len(separator)
}

func afterWord(w string) int {
	at := strings.LastIndexFunc(w, unicode.IsSpace)
	if at < 0 {
		return at
	}
	_, size := utf8.DecodeRuneInString(w[at:])
	return at + size
}

// longestCharacter bounds how far back a border between characters is looked
// for, in bytes. Marks can be piled up without end.
const longestCharacter = 256

// cutCharacters moves a cut at a rune border back so that it does not divide
// what a reader sees as one character.
func cutCharacters(s string, end int) int {
	for at := end; at > 0 && end-at <= longestCharacter; {
		if isBorder(s, at) {
			return at
		}
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return end
}

// isBorder reports that a character ends before offset at. It knows combining
// marks, emoji sequences, flags and Korean syllables, which is all but the
// rarest of Unicode's rules for grapheme clusters (UAX #29).
func isBorder(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	const joiner = '\u200d'
	switch {
	case before == joiner || after == joiner || before == '\r' && after == '\n':
		return false
	case unicode.In(after, unicode.Mn, unicode.Me, unicode.Mc):
		return false
	case after >= 0x1F3FB && after <= 0x1F3FF: // skin tones
		return false
	case after >= 0xE0020 && after <= 0xE007F: // tags of regional flags
		return false
	case after >= 0x1160 && after <= 0x11FF: // vowels and finals of Korean syllables
		return false
	case isFlagLetter(before) && isFlagLetter(after):
		return flagLetters(s[:at])%2 == 0
	}
	return true
}

func isFlagLetter(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// flagLetters counts those at the end of s.
func flagLetters(s string) int {
	n := 0
	for {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isFlagLetter(r) {
			return n
		}
		n++
		s = s[:len(s)-size]
	}
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }
