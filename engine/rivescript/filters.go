package rivescript

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

// filter is the session's answer to a tag that the compiler has put in.
func (s *session) filter(f lang.Filter, text string) string {
	switch f {
	case lang.Formal:
		return formal(text)
	case lang.Sentence:
		return capital(text)
	case lang.Step:
		// Each inline redirect gets another number of blanks, which the
		// interpreter trims. So it never replaces two of them at once, and
		// the size of a reply is bounded by the number of steps.
		_, text, _ = strings.Cut(text, " ")
		return target(text) + strings.Repeat(" ", s.nextRedirect())
	default:
		return target(text)
	}
}

// target makes the text of a redirect comparable, as a user's message is.
func target(text string) string {
	text = lang.Comparable(text)
	if len(text) > maxInput {
		panic(abort{&engine.Error{Reason: fmt.Sprintf("the bot's script redirects to a text of %d bytes, at most %d are allowed", len(text), maxInput)}})
	}
	return text
}

func formal(text string) string {
	words := strings.Split(text, " ")
	for i, w := range words {
		words[i] = capital(w)
	}
	return strings.Join(words, " ")
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToTitle(first)) + strings.ToLower(text[size:])
}
