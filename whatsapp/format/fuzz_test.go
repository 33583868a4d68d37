package format_test

import (
	"bufio"
	"bytes"
	stdhtml "html"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer/html"

	"parley/whatsapp/format"
)

// spoken keeps the letters and digits of a text, in small letters: a link may
// show its URL for its text, which has the same letters.
func spoken(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// visible keeps everything of a text that is seen but WhatsApp's marks.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) || strings.ContainsRune("*_~`>", r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
}

// listener collects what Markdown says, by its tree: the text of all inlines
// and blocks of code, and of images what stands for them. It leaves out tags,
// URLs with a text, numbers of footnotes, and the header of a table whose
// rows get one by one under their first cells. Footnotes go last.
type listener struct {
	source []byte
	heard  strings.Builder
	notes  ast.Node
}

func listen(markdown string) string {
	document, source := format.Parse(markdown)
	l := &listener{source: source}
	l.walk(document)
	if l.notes != nil {
		for n := l.notes.FirstChild(); n != nil; n = n.NextSibling() {
			l.walk(n)
		}
	}
	return spoken(l.heard.String())
}

func (l *listener) walk(from ast.Node) {
	_ = ast.Walk(from, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *extast.FootnoteList:
			l.notes = n
			return ast.WalkSkipChildren, nil
		case *extast.TableHeader:
			if n.ChildCount() > 2 && n.NextSibling() != nil {
				return ast.WalkSkipChildren, nil
			}
		case *ast.Text:
			l.text(n)
		case *ast.AutoLink:
			l.heard.Write(n.Label(l.source))
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			l.heard.Write(n.Lines().Value(l.source))
		}
		return ast.WalkContinue, nil
	})
}

// text resolves entities as the parser's own renderer does.
func (l *listener) text(n *ast.Text) {
	raw := n.Segment.Value(l.source)
	if n.Parent().Kind() == ast.KindCodeSpan {
		l.heard.Write(raw)
		return
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	html.DefaultWriter.Write(w, raw)
	_ = w.Flush()
	l.heard.WriteString(stdhtml.UnescapeString(b.String()))
}

// isWithin reports that all of want is in got, in this order.
func isWithin(want, got string) bool {
	rest := []rune(want)
	for _, r := range got {
		if len(rest) > 0 && r == rest[0] {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

// F229, F231
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{
		"# T\n\n**b** _i_ ~~s~~ `c` [t](https://u.v) ![a](https://u.v/w.png)\n> q\n\n- [x] l\n  1. m\n\n---\n\n```go\nx\n```",
		"|a|b|c|\n|-|:-:|-|\n|`d\\|e`|![f](g)|h|", "x[^1] &amp; <b>y<br></b>\n\n[^1]: z\n[k]: l\n", "```md\n**a\nb**\n```",
		"**Name:**Ada 这是**重点**内容 5*3*2 \\*x\\* https://a.b/*c*", "\xff\x00\r\n\u0301👨‍👩‍👧",
	} {
		f.Add(seed, uint16(1))
	}
	f.Fuzz(func(t *testing.T, markdown string, n uint16) {
		checkLiteral(t, markdown)
		markdown = strings.Repeat(markdown, int(n)%64+1)
		if len(markdown) > 1<<15 {
			return
		}
		checkStyles(t, markdown)
		want := listen(markdown)
		if got := spoken(format.Text(markdown)); !isWithin(want, got) {
			t.Errorf("text: %q is not in %q", want, got)
		}
		blocks := format.Blocks(markdown)
		check(t, markdown, blocks)
		var got strings.Builder
		for _, b := range blocks {
			got.WriteString(b.Text + b.Media.Caption)
			if b.Media.Kind == "audio" || !utf8.ValidString(b.Media.Caption+b.Media.URL) {
				t.Logf("%+v", b.Media)
			}
		}
		if got := spoken(got.String()); !isWithin(want, got) {
			t.Errorf("blocks: %q is not in %q", want, got)
		}
	})
}

// checkLiteral wants that a text whose every punctuation mark is escaped stays
// what it is, and shows no marks.
func checkLiteral(t *testing.T, s string) {
	t.Helper()
	lines := strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i]) // four spaces would make it code
	}
	plain := strings.Join(lines, "\n")
	got := format.Text(format.Escape(plain))
	if spoken(got) != spoken(plain) {
		t.Errorf("%q became %q", plain, got)
	}
	if marked := format.Marked(got); len(marked) > 0 {
		t.Errorf("%q became %q, with marks around %q", plain, got, marked)
	}
}

// checkStyles wants no letter to be in a mark that it is not in in Markdown. It
// looks at texts without links, tables and tags, whose letters are the same.
func checkStyles(t *testing.T, markdown string) {
	t.Helper()
	document, source := format.Parse(markdown)
	var want []string
	simple := true
	_ = ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link, *ast.Image, *ast.AutoLink, *extast.Table, *ast.RawHTML, *ast.List, *extast.FootnoteList:
			simple = false
			return ast.WalkStop, nil
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			want = append(want, styled(string(n.Lines().Value(source)), n)...)
		case *ast.Text:
			l := listener{source: source}
			l.text(n)
			want = append(want, styled(l.heard.String(), n)...)
		}
		return ast.WalkContinue, nil
	})
	if !simple {
		return
	}
	got := format.Styled(format.Text(markdown))
	if len(want) != len(got) {
		t.Fatalf("%q: %d letters became %d", markdown, len(want), len(got))
	}
	for i := range got {
		if strings.Trim(got[i], want[i]) != "" {
			t.Errorf("%q: letter %d should be %q, and is %q, in %q", markdown, i, want[i], got[i], format.Text(markdown))
			return
		}
	}
}

// styled is each letter of a text, with the marks of the elements around it.
func styled(text string, n ast.Node) []string {
	marks := ""
	for ; n != nil; n = n.Parent() {
		switch n := n.(type) {
		case *ast.Heading:
			marks += "*"
		case *ast.Emphasis:
			marks += []string{"_", "*"}[n.Level-1]
		case *extast.Strikethrough:
			marks += "~"
		case *ast.CodeSpan, *ast.CodeBlock, *ast.FencedCodeBlock:
			marks += "`"
		case *ast.Blockquote:
			marks += "> "
		}
	}
	var letters []string
	for _, r := range text {
		if unicode.In(r, unicode.L, unicode.N, unicode.M) {
			letters = append(letters, string(r)+marks)
		}
	}
	return letters
}

// F231
func FuzzSplit(f *testing.F) {
	f.Add("Hello", "\n\n", uint8(3), uint8(20))
	f.Add("*A sentence. _Another_ one!* 字。", " ", uint8(60), uint8(200))
	f.Add("👨‍👩‍👧‍👦🇧🇷e\u0301", "", uint8(90), uint8(100))
	f.Add("```\ncode `x`\n\n```", "\n> *q* ", uint8(90), uint8(60))
	f.Add("see https://example.org/a_b/c?d, ", "`c`", uint8(90), uint8(40))
	f.Add("\xff\xed\xa0\x80", "\u0301", uint8(50), uint8(100))
	f.Fuzz(func(t *testing.T, piece, separator string, n, limit uint8) {
		text := strings.Repeat(piece+separator, int(n))
		if len(text) > 1<<13 {
			return
		}
		parts := format.Split(text, int(limit))
		for _, p := range parts {
			checkPart(t, text, p, max(int(limit), 20))
		}
		if format.Length(text) <= int(limit) && len(parts) > 1 {
			t.Errorf("%d parts where one would do", len(parts))
		}
		if got, want := visible(strings.Join(parts, "")), visible(text); got != want {
			t.Errorf("%.200q became %.200q", want, got)
		}
	})
}
