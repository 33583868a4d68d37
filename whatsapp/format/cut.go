package format

import (
	"strings"

	"github.com/rivo/uniseg"
)

// border says what ends at a place. Less is better.
type border uint8

const (
	endOfLine border = iota
	endOfSentence
	endOfWord
	endOfCharacter
)

// choices are the cuts within a paragraph, best first.
var choices = []struct {
	place  place
	border border
}{
	{free, endOfSentence},
	{free, endOfWord},
	{inBlock, endOfLine},
	{inMark, endOfSentence},
	{inMark, endOfWord},
	{inBlock, endOfWord},
	{free, endOfCharacter},
	{inMark, endOfCharacter},
	{inBlock, endOfCharacter},
}

// longestCloser is the length of the marks that may be open in one place: the
// three of styles and one of code.
const longestCloser = len("*_~```")

// cut gives the end of the part that begins at an offset and has room for so
// many units, without the marks that close it: they fit, too. A border counts
// only past the first quarter, lest a heading stand alone, unless there is none.
func (c *cutter) cut(from, room int) int {
	end := from + prefix(c.s[from:], room)
	if end == len(c.s) {
		return end
	}
	quarter := from + (end-from)/4
	if at := c.lineBreak(quarter, end); at > quarter {
		return at
	}
	inside := from + prefix(c.s[from:], room-longestCloser)
	last := c.last(from, end, inside)
	for _, least := range []int{quarter, from} {
		if at := c.lineBreak(least, end); at > least {
			return at
		}
		for _, choice := range choices {
			if at := last[choice.place][choice.border]; at > least {
				return at
			}
		}
	}
	if at := last[inURL][endOfCharacter]; at > from {
		return at
	}
	return inside // one character fills it all
}

// lineBreak gives the last end of a paragraph, else of a line, in free places.
func (c *cutter) lineBreak(least, end int) int {
	for _, separator := range []string{"\n\n", "\n"} {
		for to := min(end+len(separator), len(c.s)); to > least+1; {
			at := least + 1 + strings.LastIndex(c.s[least+1:to], separator)
			if at <= least {
				break
			}
			if c.places[at] == free {
				return at
			}
			to = at + len(separator) - 1
		}
	}
	return least
}

// last gives the last place of every kind where a border of every kind is, or
// of a better one. Marks are closed up to the offset inside. Spaces before a
// place need no room.
func (c *cutter) last(from, end, inside int) (last [inURL + 1][endOfCharacter + 1]int) {
	rest, state := c.s[from:min(len(c.s), end+longestCharacter)], -1
	for at, spaces := from, 0; rest != ""; {
		var character string
		var bounds int
		character, rest, bounds, state = uniseg.StepString(rest, state)
		at, spaces = at+len(character), spaces+1
		if character != " " {
			spaces = 0
		}
		if at-spaces > end {
			break
		}
		p := c.places[at]
		if p == inTheWay || p != free && at-spaces > inside {
			continue
		}
		for b := borderOf(bounds, rest); b <= endOfCharacter; b++ {
			last[p][b] = at
		}
	}
	return last
}

// borderOf reads what the segmentation says about the place before rest.
// Unicode: UAX #14 (lines), UAX #29 (sentences, characters).
func borderOf(bounds int, rest string) border {
	switch {
	case strings.HasPrefix(rest, "\n"):
		return endOfLine
	case bounds&uniseg.MaskSentence != 0:
		return endOfSentence
	case bounds&uniseg.MaskLine != uniseg.LineDontBreak:
		return endOfWord
	}
	return endOfCharacter
}

// next gives the offset at which the part after a cut begins. The indentation
// of a line stays.
func (c *cutter) next(at int) int {
	rest := strings.TrimLeft(c.s[at:], " ")
	if breaks := strings.TrimLeft(rest, "\n"); breaks != rest {
		return len(c.s) - len(breaks)
	}
	return len(c.s) - len(rest)
}
