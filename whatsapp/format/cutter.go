package format

import "strings"

// place says what kind of place a cut would be at. More is worse.
type place uint8

const (
	free     place = iota // outside of marks and code
	inBlock               // in a block of code
	inMark                // within a line, in marks or code
	inURL                 // in a URL
	inTheWay              // between the characters of a mark, or between it and what it marks
)

// cutter knows a text's spans, and what each place is. No cut may be at the
// first places of a span nor at the last, lest its marks stand around nothing.
type cutter struct {
	s      string
	spans  []span
	places []place // by offset
}

func newCutter(s string) *cutter {
	c := &cutter{s, scan(s), make([]place, len(s)+1)}
	for _, sp := range c.spans {
		switch {
		case sp.isURL():
			c.raise(sp.from+1, sp.to, inURL)
			continue
		case sp.isBlock():
			c.raise(sp.from+1, sp.to, inBlock)
		case !sp.isQuote():
			c.raise(sp.from+1, sp.to, inMark)
		}
		c.guardEdges(sp)
	}
	return c
}

// guardEdges keeps cuts away from a span's marks and the white space inside.
func (c *cutter) guardEdges(sp span) {
	content := c.s[sp.from+len(sp.opener) : sp.to-len(sp.closer)]
	before := len(content) - len(strings.TrimLeftFunc(content, isHidden))
	c.raise(sp.from+1, min(sp.to, sp.from+len(sp.opener)+before+1), inTheWay)
	if sp.closer != "" {
		behind := len(content) - len(strings.TrimRightFunc(content, isHidden))
		c.raise(sp.to-len(sp.closer)-behind, sp.to, inTheWay)
	}
}

func (c *cutter) raise(from, to int, p place) {
	for i := from; i < to; i++ {
		c.places[i] = max(c.places[i], p)
	}
}

// forget drops spans that are over.
func (c *cutter) forget(before int) {
	for len(c.spans) > 0 && c.spans[0].to <= before {
		c.spans = c.spans[1:]
	}
}

// around gives the spans that a place is in, the outermost first.
func (c *cutter) around(at int) []span {
	var around []span
	for _, sp := range c.spans {
		if sp.from >= at {
			break
		}
		if at < sp.to {
			around = append(around, sp)
		}
	}
	return around
}

func (c *cutter) openers(at int) string {
	var marks string
	for _, sp := range c.around(at) {
		marks += sp.opener
	}
	return marks
}

func (c *cutter) closers(at int) string {
	var marks string
	for _, sp := range c.around(at) {
		marks = sp.closer + marks
	}
	return marks
}
