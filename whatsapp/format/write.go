package format

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// writer writes the blocks of a document below each other.
type writer struct {
	source []byte
	media  bool // make files of images

	blocks []Block
	text   strings.Builder // of the last block
	gap    int             // line breaks owed before the next line

	quoted bool
	level  int    // of lists in lists
	marker string // of the item that begins, until a line is written

	notes ast.Node // the footnotes, which go last
}

// write converts Markdown. No two texts are neighbours, and none is blank; they
// may be of any length.
func write(markdown string, media bool) []Block {
	document, source := parse(markdown)
	w := writer{source: source, media: media}
	w.children(document)
	if w.notes != nil {
		w.gap = 2
		w.children(w.notes)
	}
	w.endText()
	return w.blocks
}

// children writes what is in a block.
func (w *writer) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.space(c)
		w.block(c)
	}
}

// space keeps the blank line before a block, if there is one.
func (w *writer) space(n ast.Node) {
	if n.PreviousSibling() == nil {
		return
	}
	above := w.source[:max(bytes.LastIndexByte(w.source[:start(n)], '\n'), 0)]
	above = above[bytes.LastIndexByte(above, '\n')+1:]
	if len(bytes.Trim(above, "> \t")) == 0 {
		w.gap = 2
	}
}

// start is an offset in the first line of a block. For a table, the parser
// gives that of the paragraph that it was part of.
func start(n ast.Node) int {
	if n.Kind() == extast.KindTable {
		n = n.FirstChild().FirstChild()
	}
	return max(n.Pos(), 0)
}

func (w *writer) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		w.lines(w.inline(n))
	case *ast.Heading:
		w.lines(embolden(w.inline(n)))
	case *ast.Blockquote:
		was := w.quoted
		w.quoted = true
		w.children(n)
		w.quoted = was
	case *ast.List:
		w.list(n)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		w.code(string(n.Lines().Value(w.source)))
	case *ast.ThematicBreak:
		w.line("———")
	case *extast.Table:
		w.table(n)
	case *extast.FootnoteList:
		w.notes = n
	case *extast.Footnote:
		w.marker = footnoteMarker(n)
		w.children(n)
		w.marker = ""
	default:
		w.children(n)
	}
}

func (w *writer) inline(n ast.Node) []piece {
	in := inline{source: w.source, media: w.media}
	in.inCell = n.Kind() == extast.KindTableCell
	if n.Parent().Kind() == extast.KindTableHeader { // may be written for every row
		in.media = false
	}
	return in.walk(n)
}

// embolden makes everything bold but addresses.
func embolden(pieces []piece) []piece {
	for i := range pieces {
		if pieces[i].kind != address {
			pieces[i].style |= bold
		}
	}
	return pieces
}

func (w *writer) list(n *ast.List) {
	w.level++
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		w.space(item)
		w.marker = w.bullet()
		if n.IsOrdered() {
			w.marker = fmt.Sprintf("%d. ", number)
			number++
		}
		if box := checkBox(item); box != "" {
			w.marker = box
		}
		w.children(item)
		w.marker = ""
	}
	w.level--
}

// bullet is the marker of an item at this level. WhatsApp knows lists at the
// first level only; below it, a bullet of our own looks better than a dash.
func (w *writer) bullet() string {
	if w.level == 1 {
		return "- "
	}
	return "◦ "
}

// checkBox gives the check box that a task begins with.
func checkBox(item ast.Node) string {
	text := item.FirstChild()
	if text == nil || text.FirstChild() == nil {
		return ""
	}
	box, ok := text.FirstChild().(*extast.TaskCheckBox)
	switch {
	case !ok:
		return ""
	case box.IsChecked:
		return "☑ "
	}
	return "☐ "
}

// footnoteMarker is the number of a note, or its name if nothing refers to it.
func footnoteMarker(n *extast.Footnote) string {
	if n.Index < 0 {
		return fmt.Sprintf("[%s] ", n.Ref)
	}
	return fmt.Sprintf("[%d] ", n.Index)
}

// lines writes pieces, a new line for every line break and around files.
func (w *writer) lines(pieces []piece) {
	from := 0
	for i, p := range pieces {
		switch p.kind {
		case lineBreak:
			if !w.line(w.spell(pieces[from:i])) && from > 0 {
				w.gap = 2 // two breaks in a row
			}
			from = i + 1
		case media:
			w.line(w.spell(pieces[from:i]))
			w.endText()
			w.blocks = append(w.blocks, Block{Media: p.media})
			from = i + 1
		}
	}
	w.line(w.spell(pieces[from:]))
}

func (w *writer) spell(pieces []piece) string {
	return render(pieces, !w.quoted && w.level == 0 && w.marker == "")
}

// line writes a line that is not empty.
func (w *writer) line(s string) bool {
	if s == "" {
		return false
	}
	prefix := ""
	if w.quoted {
		prefix = "> "
	}
	indent := w.level
	if w.marker != "" {
		indent--
	} else if w.text.Len() == 0 { // what follows a file
		indent = 0
	}
	w.raw(prefix + strings.Repeat("  ", max(indent, 0)) + w.marker + s)
	w.marker = ""
	return true
}

// raw writes below what is there.
func (w *writer) raw(s string) {
	if w.text.Len() > 0 {
		w.text.WriteString("\n\n"[:max(w.gap, 1)])
	}
	w.gap = 0
	w.text.WriteString(s)
}

// code writes a block of code, at the beginning of the line and outside of
// quotes: whatever stands before its lines would be shown.
func (w *writer) code(s string) {
	if isBlank(s) {
		return
	}
	s = hideFences(strings.TrimRight(strings.TrimLeft(s, "\n"), " \n"))
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = "\n" + s + "\n"
	}
	w.raw(w.marker + "```" + s + "```")
	w.marker = ""
}

func (w *writer) endText() {
	if text := strings.TrimRight(w.text.String(), " \n"); !isBlank(text) {
		w.blocks = append(w.blocks, Block{Text: text})
	}
	w.text.Reset()
	w.gap = 0
}
