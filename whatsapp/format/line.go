package format

import (
	"slices"
	"strings"
	"unicode"
)

// cell is one character of a line.
type cell struct {
	r     rune
	kind  kind
	style style
}

// render writes pieces as one line in WhatsApp's marks. atStart says that
// nothing will stand before it, so that its beginning might be read as that of
// a list or a quote.
func render(pieces []piece, atStart bool) string {
	cells := cellsOf(pieces)
	findURLs(cells)
	for _, s := range styles {
		settle(cells, s)
	}
	cells = spell(cells)
	if atStart {
		guardStart(cells)
	}
	for _, c := range "*_~" {
		guard(cells, c)
	}
	guardBackticks(cells)
	var b strings.Builder
	for _, c := range cells {
		b.WriteRune(c.r)
	}
	return b.String()
}

// cellsOf takes pieces apart, without the white space around them.
func cellsOf(pieces []piece) []cell {
	length := 0
	for _, p := range pieces {
		length += len(p.text)
	}
	cells := make([]cell, 0, length)
	for _, p := range pieces {
		for _, r := range p.text {
			if r == '\n' {
				r = ' '
			}
			cells = append(cells, cell{r, p.kind, p.style})
		}
	}
	for len(cells) > 0 && isMargin(cells[0].r) {
		cells = cells[1:]
	}
	for len(cells) > 0 && isMargin(cells[len(cells)-1].r) {
		cells = cells[:len(cells)-1]
	}
	return cells
}

func isMargin(r rune) bool { return r == ' ' || r == '\t' }

// isWord reports that a mark may not touch a character from outside.
func isWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }

// isTight reports that no mark may stand next to a cell.
func isTight(c cell) bool {
	return isWord(c.r) || c.kind == address && !unicode.IsSpace(c.r)
}

// settle leaves a style only where WhatsApp would show its marks: not next to
// a letter, a digit or a URL, and not around white space.
func settle(cells []cell, s style) {
	for from := 0; from < len(cells); {
		if cells[from].style&s == 0 {
			from++
			continue
		}
		to := endOf(cells, from, s)
		first, last := from, to // the last is the first behind
		for first < last && unicode.IsSpace(cells[first].r) {
			first++
		}
		for first < last && unicode.IsSpace(cells[last-1].r) {
			last--
		}
		if first > 0 && isTight(cells[first-1]) || last < len(cells) && isTight(cells[last]) {
			last = first
		}
		strip(cells[from:first], s)
		strip(cells[last:to], s)
		from = to
	}
}

// endOf is the offset behind the stretch of a style.
func endOf(cells []cell, from int, s style) int {
	for from < len(cells) && cells[from].style&s != 0 {
		from++
	}
	return from
}

func strip(cells []cell, s style) {
	for i := range cells {
		cells[i].style &^= s
	}
}

// markOf gives the character of each style.
var markOf = map[style]rune{bold: '*', italic: '_', strike: '~'}

// spell writes styles as marks. Stretches that overlap cannot be written: the
// one that began later ends with the other.
func spell(cells []cell) []cell {
	spelled := make([]cell, 0, len(cells)+16)
	var open []style
	closeTo := func(n int) {
		for len(open) > n {
			spelled = append(spelled, cell{r: markOf[open[len(open)-1]], kind: mark})
			open = open[:len(open)-1]
		}
	}
	for i := range cells {
		for n, s := range open {
			if cells[i].style&s == 0 {
				for _, crossing := range open[n+1:] {
					strip(cells[i:endOf(cells, i, crossing)], crossing)
				}
				closeTo(n)
				break
			}
		}
		for _, s := range opening(cells, i, open) {
			open = append(open, s)
			spelled = append(spelled, cell{r: markOf[s], kind: mark})
		}
		spelled = append(spelled, cells[i])
	}
	closeTo(0)
	return spelled
}

// opening lists the styles that begin at a cell, those that end last first.
func opening(cells []cell, i int, open []style) []style {
	if cells[i].style == 0 || i > 0 && cells[i].style == cells[i-1].style {
		return nil
	}
	var begin []style
	for _, s := range styles {
		if cells[i].style&s != 0 && !slices.Contains(open, s) {
			begin = append(begin, s)
		}
	}
	slices.SortStableFunc(begin, func(a, b style) int { return endOf(cells, i, b) - endOf(cells, i, a) })
	return begin
}
