package format

import (
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// table writes a table as lists: one in type of equal width would be broken
// into lines on a phone. Two columns become one list; of more, each row becomes
// a list of its own under its first cell.
func (w *writer) table(t *extast.Table) {
	header := w.row(t.FirstChild())
	rows := t.ChildCount() - 1
	if len(header) <= 2 || rows == 0 {
		w.titles(header)
	}
	for row := t.FirstChild().NextSibling(); row != nil; row = row.NextSibling() {
		cells := w.row(row)
		if len(header) <= 2 {
			w.item(cells...)
			continue
		}
		if row.PreviousSibling() != t.FirstChild() {
			w.gap = 2
		}
		w.lines(embolden(cells[0]))
		for i, c := range cells[1:] {
			if len(c) > 0 {
				w.item(header[i+1], c)
			}
		}
	}
}

// row gives the pieces of each cell; those of empty cells are nil.
func (w *writer) row(n ast.Node) [][]piece {
	var cells [][]piece
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		pieces := w.inline(c)
		if len(pieces) == 1 && pieces[0].kind == literal && isBlank(pieces[0].text) {
			pieces = nil
		}
		cells = append(cells, pieces)
	}
	return cells
}

// titles writes a header as a line: *Plan / Price*.
func (w *writer) titles(header [][]piece) {
	w.lines(embolden(join(" / ", header...)))
}

// item writes cells as an item of a list: "- Price: $5".
func (w *writer) item(cells ...[]piece) {
	w.level++
	w.marker = w.bullet()
	w.lines(join(": ", cells...))
	w.marker = ""
	w.level--
}

// join puts a separator between what is not empty.
func join(separator string, cells ...[]piece) []piece {
	var joined []piece
	for _, c := range cells {
		if len(c) > 0 && len(joined) > 0 {
			joined = append(joined, piece{text: separator})
		}
		joined = append(joined, c...)
	}
	return joined
}
