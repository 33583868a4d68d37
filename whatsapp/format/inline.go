package format

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// style is a set of marks.
type style uint8

const (
	bold style = 1 << iota
	italic
	strike
)

// styles lists them in the order they open in when they end together.
var styles = []style{bold, italic, strike}

// kind says how the characters of a piece are to be taken.
type kind uint8

const (
	// literal characters mean themselves; those that could be read as marks
	// need care.
	literal kind = iota
	// code stands between backticks already, and is not read by WhatsApp.
	code
	// codeEnd are backticks at the end of code, before those that close it.
	codeEnd
	// address is a URL, an e-mail address or a phone number. No mark may touch it.
	address
	// mark is a mark of WhatsApp's.
	mark
	// lineBreak ends a line.
	lineBreak
	// media is a file.
	media
)

// piece is a stretch of text in one style, or one of the things that are no
// text. Inline Markdown is a flat list of them.
type piece struct {
	kind  kind
	style style
	text  string
	media Media
}

// inline collects the pieces of one block.
type inline struct {
	source []byte
	// media makes files of images; inCell reads the pipes of a table's cell.
	media, inCell bool

	pieces []piece
	// depth and tagged say how many elements and tags of each style are open.
	depth, tagged [strike + 1]int
	// images and links say how many are open; starts, where in pieces.
	images, links int
	starts        []int
}

// walk visits everything below a block. It does not recurse: emphasis may be
// nested without end.
func (in *inline) walk(block ast.Node) []piece {
	for n := block.FirstChild(); n != nil; {
		if in.enter(n) && n.FirstChild() != nil {
			n = n.FirstChild()
			continue
		}
		in.leave(n)
		for n.NextSibling() == nil && n.Parent() != block {
			n = n.Parent()
			in.leave(n)
		}
		n = n.NextSibling()
	}
	return in.pieces
}

// enter says whether to look at the children, too.
func (in *inline) enter(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Text:
		in.add(literal, decode(n.Segment.Value(in.source)))
		if n.SoftLineBreak() || n.HardLineBreak() {
			in.endLine(fromSource)
		}
	case *ast.String:
		in.add(literal, string(n.Value))
	case *ast.CodeSpan:
		in.code(n)
		return false
	case *ast.AutoLink:
		in.add(address, string(n.Label(in.source)))
	case *ast.RawHTML:
		in.tag(string(n.Segments.Value(in.source)))
	case *ast.Emphasis:
		in.depth[emphasis(n)]++
	case *extast.Strikethrough:
		in.depth[strike]++
	case *extast.FootnoteLink:
		in.footnote(n.Index)
	case *ast.Link:
		in.links++
		in.starts = append(in.starts, len(in.pieces))
	case *ast.Image:
		in.images++
		in.starts = append(in.starts, len(in.pieces))
	}
	return true
}

func (in *inline) leave(n ast.Node) {
	switch n := n.(type) {
	case *ast.Emphasis:
		in.depth[emphasis(n)]--
	case *extast.Strikethrough:
		in.depth[strike]--
	case *ast.Link:
		in.links--
		in.target(decode(n.Destination))
	case *ast.Image:
		in.images--
		in.image(decode(n.Destination))
	}
}

func emphasis(n *ast.Emphasis) style {
	if n.Level == 2 {
		return bold
	}
	return italic
}

func (in *inline) add(k kind, text string) {
	if text == "" {
		return
	}
	p := piece{kind: k, text: text}
	for _, s := range styles {
		if k != address && in.depth[s]+in.tagged[s] > 0 {
			p.style |= s
		}
	}
	in.pieces = append(in.pieces, p)
}

// A line break is that of the source, or a tag.
const (
	fromSource = "\n"
	fromTag    = "<br>"
)

// endLine adds a line break. A tag at the beginning or end of a line makes no
// second one.
func (in *inline) endLine(by string) {
	for n := len(in.pieces); n > 0; n-- {
		last := &in.pieces[n-1]
		if last.kind == lineBreak && (by == fromSource || last.text == fromSource) {
			last.text = by
			return
		}
		if last.kind != literal || !isBlank(last.text) {
			break
		}
	}
	in.add(lineBreak, by)
}

// footnote makes "Fast[^1]" into "Fast [1]".
func (in *inline) footnote(index int) {
	space := ""
	if n := len(in.pieces); n > 0 && !strings.HasSuffix(in.pieces[n-1].text, " ") && in.pieces[n-1].kind != lineBreak {
		space = " "
	}
	in.add(literal, fmt.Sprintf("%s[%d]", space, index))
}

// code adds a span of code. Code that holds a backtick needs three on each
// side, and cannot hold three itself.
func (in *inline) code(n *ast.CodeSpan) {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(in.source))
		}
	}
	text := strings.ReplaceAll(b.String(), "\n", " ")
	if in.inCell {
		text = strings.ReplaceAll(text, `\|`, "|")
	}
	switch {
	case isBlank(text):
		in.add(literal, text)
	case strings.Contains(text, "`"):
		text = hideFences(text)
		within := strings.TrimRight(text, "`")
		in.add(code, "```"+within)
		in.add(codeEnd, text[len(within):])
		in.add(code, "```")
	default:
		in.add(code, "`"+text+"`")
	}
}

// hideFences takes from code what would end it.
func hideFences(text string) string { return strings.ReplaceAll(text, "```", "｀｀｀") }
