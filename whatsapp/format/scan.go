package format

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// span is a stretch of a text in WhatsApp's marks that is one thing.
type span struct {
	from, to int // in bytes; the marks are part of it
	// opener and closer are its marks: "*" and "*", "```" and "```", "> " and
	// "". A URL has none.
	opener, closer string
}

func (s span) isURL() bool   { return s.opener == "" }
func (s span) isQuote() bool { return s.opener == "> " }

// isBlock reports that a span may go over several lines.
func (s span) isBlock() bool { return s.opener == "```" }

// scanner finds the spans of a text, as WhatsApp would.
type scanner struct {
	s     string
	at    int
	end   int // of the line
	spans []span

	open      []span // marks of this line that may be closed
	noFence   bool   // no three backticks follow
	noTick    bool   // no single one follows on this line
	afterWord bool   // the last character is a letter or digit
}

// scan gives the spans in the order they begin in.
func scan(s string) []span {
	sc := scanner{s: s}
	for sc.startLine(); sc.at < len(s); {
		if !sc.code() && !sc.url() {
			sc.character()
		}
	}
	slices.SortStableFunc(sc.spans, func(a, b span) int {
		return cmp.Or(a.from-b.from, b.to-a.to)
	})
	return sc.spans
}

// startLine reads a quote's mark.
func (sc *scanner) startLine() {
	sc.inLine()
	if !strings.HasPrefix(sc.s[sc.at:], "> ") {
		return
	}
	sc.spans = append(sc.spans, span{sc.at, sc.end, "> ", ""})
	sc.at += len("> ")
}

// inLine forgets the marks of the line before.
func (sc *scanner) inLine() {
	sc.open, sc.afterWord, sc.noTick = sc.open[:0], false, false
	sc.end = len(sc.s)
	if length := strings.IndexByte(sc.s[sc.at:], '\n'); length >= 0 {
		sc.end = sc.at + length
	}
}

// code reads code between three backticks, or between one on the same line.
func (sc *scanner) code() bool {
	rest := sc.s[sc.at:]
	if !strings.HasPrefix(rest, "`") {
		return false
	}
	if !sc.noFence && strings.HasPrefix(rest, "```") {
		length := strings.Index(rest[3:], "```")
		sc.noFence = length < 0
		if length > 0 {
			sc.skip("```", length+6)
			return true
		}
	}
	if sc.noTick {
		return false
	}
	length := strings.IndexByte(sc.s[sc.at+1:sc.end], '`')
	sc.noTick = length < 0
	if length <= 0 {
		return false
	}
	sc.skip("`", length+2)
	return true
}

func (sc *scanner) skip(mark string, length int) {
	sc.spans = append(sc.spans, span{sc.at, sc.at + length, mark, mark})
	sc.at, sc.afterWord = sc.at+length, false
	if sc.at > sc.end {
		sc.inLine()
	}
}

// url reads a web address.
func (sc *scanner) url() bool {
	if sc.afterWord {
		return false
	}
	length := urlLength(sc.s[sc.at:])
	if length == 0 {
		return false
	}
	sc.spans = append(sc.spans, span{from: sc.at, to: sc.at + length})
	sc.at, sc.afterWord = sc.at+length, true
	return true
}

// character reads one, which may be a mark or the end of the line.
func (sc *scanner) character() {
	rest := sc.s[sc.at:]
	r, size := utf8.DecodeRuneInString(rest)
	if r == '*' || r == '_' || r == '~' {
		if size = len(rest) - len(strings.TrimLeft(rest, string(r))); size == 1 { // two in a row mean nothing
			sc.mark(string(r))
		}
	}
	sc.at += size
	sc.afterWord = isWord(r)
	if r == '\n' {
		sc.startLine()
	}
}

// mark closes a span of the line, or opens one.
func (sc *scanner) mark(m string) {
	before, _ := utf8.DecodeLastRuneInString(sc.s[:sc.at])
	after, size := utf8.DecodeRuneInString(sc.s[sc.at+1:])
	if size == 0 {
		after = 0
	}
	for i, o := range sc.open {
		if o.opener != m {
			continue
		}
		if sc.at > o.from+1 && canClose(before, after) {
			sc.spans = append(sc.spans, span{o.from, sc.at + 1, m, m})
			sc.open = sc.open[:i]
		}
		return
	}
	if canOpen(before, after) {
		sc.open = append(sc.open, span{from: sc.at, opener: m})
	}
}
