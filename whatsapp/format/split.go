package format

import (
	"strings"
	"unicode"
)

// minLimit is the least limit that [Split] keeps. Every text that Meta takes
// may be this long.
const minLimit = 20

// Split cuts a text in WhatsApp's marks into parts of at most limit UTF-16
// units: [MaxText], [MaxCaption] or another one; less than 20 is taken as 20. A
// text that fits is one part, a blank one is none.
//
// It cuts between paragraphs, else lines, sentences, words, and at last between
// any two characters that a reader can tell apart; outside of marks and code if
// there is such a place, and else it closes and opens them again. A URL is cut
// only if it fits no part. White space at the cuts is lost, and nothing else.
func Split(text string, limit int) []string {
	limit = max(limit, minLimit)
	s := strings.TrimRightFunc(strings.TrimLeft(clean(text), "\n"), unicode.IsSpace)
	if isBlank(s) {
		return nil
	}
	if prefix(s, limit) == len(s) {
		return []string{s}
	}
	var parts []string
	c := newCutter(s)
	for from := 0; from < len(s); {
		c.forget(from)
		head := c.openers(from)
		to := c.cut(from, limit-Length(head))
		if piece := s[from:to]; !isBlank(piece) {
			parts = append(parts, head+strings.TrimRightFunc(piece, unicode.IsSpace)+c.closers(to))
		}
		from = c.next(to)
	}
	return parts
}
