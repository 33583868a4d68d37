package lang

import (
	"regexp"
	"strings"
	"unicode"
)

// ForeignPunctuation is a regular expression of the punctuation that is not
// ASCII. It is removed from messages before they are compared, wherever it
// stands; ASCII punctuation is removed at the edges of words only, so that
// 12:30, 3.5 and ada@example.com stay what they are.
const ForeignPunctuation = `[…‽¿¡。，、！？；：؟،؛।]`

const asciiPunctuation = ".,!?;:"

var foreignPunctuation = regexp.MustCompile(ForeignPunctuation)

// Clean makes a user's text harmless in a script: whatever the interpreter
// could take for a tag, an escape or one of our marks is removed, and every
// stretch of blanks becomes one space.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case strings.ContainsRune("<>{}\\\"`", r) || unicode.Is(unicode.Co, r) || r == unicode.ReplacementChar:
			return -1
		default:
			return r
		}
	}, straight(s))
	return strings.Join(strings.Fields(s), " ")
}

// Comparable is a text as messages are compared: clean, in small letters and
// without punctuation.
func Comparable(s string) string {
	s = strings.ToLower(foreignPunctuation.ReplaceAllString(Clean(s), ""))
	var words []string
	for word := range strings.FieldsSeq(s) {
		if word = strings.Trim(word, asciiPunctuation); word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// ComparableReply is what the bot said as it is compared: without the symbols
// either that the interpreter takes out of it.
func ComparableReply(s string) string {
	return Comparable(replySymbols.Replace(Comparable(s)))
}

var replySymbols = strings.NewReplacer(
	".", "", "?", "", ",", "", "!", "", ";", "", ":", "", "@", "", "#", "", "$", "", "%", "", "^", "", "&", "", "*", "", "(", "", ")", "",
)

// straight writes the apostrophes of phones as those of keyboards.
func straight(s string) string {
	return strings.NewReplacer("’", "'", "‘", "'").Replace(s)
}

// Shorten cuts a text to a number of bytes, between characters.
func Shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
