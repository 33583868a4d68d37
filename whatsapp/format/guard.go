package format

import "unicode"

// WhatsApp has no escape character. Where a character that means itself would
// be taken for a mark, one that looks like it takes its place; everywhere else
// it stays, so that what is copied from a chat is what it seems.
var lookAlikes = map[rune]rune{
	'*': '∗', // asterisk operator
	'_': '＿', // full-width low line
	'~': '∼', // tilde operator
	'`': '｀', // full-width grave accent
	'-': '–', // en dash
	'>': '＞', // full-width greater-than sign
}

// canOpen and canClose say whether WhatsApp might take the mark between two
// characters for the beginning or the end of a stretch. 0 is the line's end.
func canOpen(before, after rune) bool {
	return !isWord(before) && after != 0 && !unicode.IsSpace(after)
}

func canClose(before, after rune) bool {
	return before != 0 && !unicode.IsSpace(before) && !isWord(after)
}

// run is a stretch of the same character that might be read as a mark.
type run struct {
	from, to    int
	opens, ends bool
	isMark      bool
}

// guard replaces the literal characters c that WhatsApp would pair, with each
// other or with marks, and those that touch one.
func guard(cells []cell, c rune) {
	runs := runsOf(cells, c)
	pending, inside := false, false // a literal that opens was seen; within marks
	for i := range runs {
		switch r := &runs[i]; {
		case r.isMark && inside:
			inside = false
		case r.isMark:
			inside = true
		case r.ends && (pending || inside) || isMark(cells, r.from-1, c) || isMark(cells, r.to, c):
			replace(cells[r.from:r.to])
			pending = pending || r.opens
		default:
			pending = pending || r.opens
		}
	}
	pending = false // something that ends was seen
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if !r.isMark && r.opens && pending {
			replace(cells[r.from:r.to])
		}
		pending = pending || r.ends
	}
}

// isMark reports that a cell is the mark c.
func isMark(cells []cell, i int, c rune) bool {
	return i >= 0 && i < len(cells) && cells[i].kind == mark && cells[i].r == c
}

// runsOf finds the marks and the stretches of literal characters c.
func runsOf(cells []cell, c rune) []run {
	at := func(i int) rune {
		if i < 0 || i >= len(cells) {
			return 0
		}
		return cells[i].r
	}
	var runs []run
	for i := 0; i < len(cells); i++ {
		if cells[i].r != c || cells[i].kind != mark && cells[i].kind != literal {
			continue
		}
		r := run{from: i, to: i + 1, isMark: cells[i].kind == mark}
		for !r.isMark && r.to < len(cells) && cells[r.to].r == c && cells[r.to].kind == literal {
			r.to++
		}
		r.opens = canOpen(at(r.from-1), at(r.to))
		r.ends = canClose(at(r.from-1), at(r.to))
		runs = append(runs, r)
		i = r.to - 1
	}
	return runs
}

// guardBackticks replaces literal backticks if there are two on a line. Those at
// the end of code are left over when it is closed, so none may follow them.
func guardBackticks(cells []cell) {
	count := 0
	for i := len(cells) - 1; i >= 0; i-- {
		if cells[i].r != '`' {
			continue
		}
		if cells[i].kind == codeEnd && count > len("```") {
			replace(cells[i : i+1])
		}
		count++
	}
	for i := range cells {
		if cells[i].r == '`' && cells[i].kind == literal && count > 1 {
			replace(cells[i : i+1])
		}
	}
}

// guardStart keeps a line from being read as a quote or an item of a list.
func guardStart(cells []cell) {
	if len(cells) < 2 || cells[1].r != ' ' {
		return
	}
	switch cells[0].r {
	case '>', '-', '*':
		replace(cells[:1])
	}
}

func replace(cells []cell) {
	for i := range cells {
		if alike, ok := lookAlikes[cells[i].r]; ok {
			cells[i].r = alike
		}
	}
}
