package format

import (
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// marks reads asterisks, underscores and tildes. It departs from CommonMark,
// for the sake of what models write and what a phone shows:
//
// In "**Name:**Ada", CommonMark sees four asterisks, for a mark between
// punctuation and a letter neither opens nor closes. It is written often, above
// all where no spaces stand between words. So two asterisks open before anything
// but white space and close behind anything but white space.
//
// In "5*3*2" and in "3~5 days, 1~2 times", CommonMark sees marks. They would be
// left out, as all in a word, and the numbers would be others.
type marks struct{ parser.InlineParser }

var marksRead = parser.NewContextKey()

// Parse reads the first marks of a block; pairing them takes time in
// proportion to the square of their number.
func (m marks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	read, _ := pc.Get(marksRead).(int)
	if read == maxMarks {
		return nil
	}
	before := block.PrecendingCharacter()
	n := m.InlineParser.Parse(parent, block, pc)
	if n == nil {
		return nil
	}
	pc.Set(marksRead, read+1)
	if d, ok := n.(*parser.Delimiter); ok {
		line, _ := block.PeekLine()
		after := ' '
		if len(line) > 0 {
			after = util.ToRune(line, 0)
		}
		if isSign(d, before, after) {
			d.CanOpen, d.CanClose = false, false
		} else if d.Char == '*' && d.OriginalLength == 2 {
			loosen(d, before, after)
		}
	}
	return n
}

// CloseBlock begins to count anew.
func (marks) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) { pc.Set(marksRead, nil) }

// isSign reports that a mark stands for times, to the power of, or from and to.
func isSign(d *parser.Delimiter, before, after rune) bool {
	if d.Char == '~' {
		return d.OriginalLength == 1 && isWord(before) && isWord(after)
	}
	return isDigit(before) && (isDigit(after) || isLetter(after)) || isLetter(before) && isDigit(after)
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// isLetter knows those of formulas.
func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// loosen lets two asterisks open and close. They never pair with one or four by
// this: CommonMark's rule of three forbids it to marks that could do both.
func loosen(d *parser.Delimiter, before, after rune) {
	d.CanOpen = d.CanOpen || !unicode.IsSpace(after)
	d.CanClose = d.CanClose || !unicode.IsSpace(before)
}
