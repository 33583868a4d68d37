package format

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// What no person writes, but a confused model may, is left as text beyond these
// bounds: the parser takes more than linear time for it.
const (
	maxDepth      = 24   // containers in containers; a list takes two
	maxColumns    = 32   // of a table
	maxFootnotes  = 256  // marks in a text, not the notes
	maxReferences = 256  // targets of links, line by line
	maxBrackets   = 1024 // of a block
	maxMarks      = 2048 // of a block
)

// shallow opens no containers below maxDepth.
type shallow struct{ parser.BlockParser }

func (s shallow) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	depth := 0
	for n := parent; n != nil; n = n.Parent() {
		depth++
	}
	if depth > maxDepth && parent.Kind() != ast.KindList { // a list goes on at any depth
		return nil, parser.NoChildren
	}
	return s.BlockParser.Open(parent, reader, pc)
}

// footnotes reads the first marks of a text; finding the note of each takes
// time in proportion to the number of notes.
type footnotes struct{ parser.InlineParser }

var footnotesRead = parser.NewContextKey()

func (f footnotes) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	read, _ := pc.Get(footnotesRead).(int)
	if read == maxFootnotes {
		return nil
	}
	n := f.InlineParser.Parse(parent, block, pc)
	if n != nil {
		pc.Set(footnotesRead, read+1)
	}
	return n
}

// links reads the first links of a block. The end of a target is looked for up
// to the end of the block.
type links struct{ parser.InlineParser }

var bracketsRead = parser.NewContextKey()

func (l links) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	read, _ := pc.Get(bracketsRead).(int)
	if read == maxBrackets {
		return nil
	}
	pc.Set(bracketsRead, read+1)
	return l.InlineParser.Parse(parent, block, pc)
}

// CloseBlock begins to count anew.
func (l links) CloseBlock(parent ast.Node, block text.Reader, pc parser.Context) {
	pc.Set(bracketsRead, nil)
	if c, ok := l.InlineParser.(parser.CloseBlocker); ok {
		c.CloseBlock(parent, block, pc)
	}
}

// references reads the targets that stand below a text, if they are not too
// many.
type references struct{ parser.ParagraphTransformer }

func (r references) Transform(p *ast.Paragraph, reader text.Reader, pc parser.Context) {
	if p.Lines().Len() <= maxReferences {
		r.ParagraphTransformer.Transform(p, reader, pc)
	}
}

// tables reads narrow tables.
type tables struct{ parser.ParagraphTransformer }

func (t tables) Transform(p *ast.Paragraph, reader text.Reader, pc parser.Context) {
	for _, line := range p.Lines().Sliced(0, p.Lines().Len()) {
		if bytes.Count(line.Value(reader.Source()), []byte("|")) > maxColumns {
			return
		}
	}
	t.ParagraphTransformer.Transform(p, reader, pc)
}
