package format

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// grammar reads Markdown. It is not changed after it is made, and may be used
// by many at a time.
var grammar = newGrammar()

// parse gives the tree of a text, and the source that its nodes point into.
func parse(markdown string) (ast.Node, []byte) {
	source := []byte(unwrap(clean(markdown)))
	return grammar.Parse(text.NewReader(source)), source
}

// newGrammar is CommonMark and GitHub's additions but for blocks of HTML: in a
// chat, HTML is a stray tag or two around Markdown, so tags are inline only.
func newGrammar() parser.Parser {
	bare := extension.NewLinkifyParser(extension.WithLinkifyURLRegexp(bareURL), extension.WithLinkifyWWWRegexp(bareWWW))
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(shallow{parser.NewListParser()}, 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(shallow{parser.NewBlockquoteParser()}, 800),
			util.Prioritized(shallow{extension.NewFootnoteBlockParser()}, 900),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(footnotes{extension.NewFootnoteParser()}, 150),
			util.Prioritized(links{parser.NewLinkParser()}, 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewRawHTMLParser(), 400),
			util.Prioritized(marks{parser.NewEmphasisParser()}, 500),
			util.Prioritized(marks{extension.NewStrikethroughParser()}, 500),
			util.Prioritized(bare, 999),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(references{parser.LinkReferenceParagraphTransformer}, 100),
			util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200),
		),
	)
}

// unwrap takes off a fence around the whole answer that calls it Markdown, as
// models like to put there. It need not be closed: answers get cut off.
func unwrap(markdown string) string {
	first, body, _ := strings.Cut(strings.TrimSpace(markdown), "\n")
	fence := fenceOf(first)
	switch strings.ToLower(strings.TrimSpace(first[len(fence):])) {
	case "markdown", "md":
	default:
		return markdown
	}
	if fence == "" {
		return markdown
	}
	if at := strings.LastIndexByte(body, '\n') + 1; closes(body[at:], fence) {
		body = body[:at]
	}
	if !isBalanced(body) {
		return markdown
	}
	return body
}

// isBalanced reports that every fence in a text is closed.
func isBalanced(body string) bool {
	open := ""
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		switch fence := fenceOf(line); {
		case open == "":
			open = fence
		case closes(line, open):
			open = ""
		}
	}
	return open == ""
}

// fenceOf gives the three or more backticks or tildes that a line begins with.
func fenceOf(line string) string {
	for _, c := range []string{"`", "~"} {
		if rest := strings.TrimLeft(line, c); len(line)-len(rest) >= 3 {
			return line[:len(line)-len(rest)]
		}
	}
	return ""
}

func closes(line, fence string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= 3 && strings.HasPrefix(line, fence) && strings.Trim(line, fence[:1]) == ""
}
