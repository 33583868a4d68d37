package format_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/format"
)

// One case of every kind of Markdown, with a reason; some could be done
// otherwise just as well. F229
func TestMarkdownBecomesWhatsApp(t *testing.T) {
	var cases []struct {
		Name, Markdown, WhatsApp, Why string
		Accept                        []string
	}
	file, err := os.ReadFile("testdata/markdown-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 80 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got := format.Text(c.Markdown)
			if got != c.WhatsApp && !slices.Contains(c.Accept, got) {
				t.Errorf("%q\n got %q\nwant %q: %s", c.Markdown, got, c.WhatsApp, c.Why)
			}
		})
	}
}

type textCase struct{ rule, markdown, whatsapp string }

func checkTexts(t *testing.T, cases []textCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.whatsapp, format.Text(c.markdown)); diff != "" {
				t.Errorf("%q -want +got\n%s", c.markdown, diff)
			}
		})
	}
}

// F229
func TestMarks(t *testing.T) {
	checkTexts(t, []textCase{
		{"three asterisks are bold and italic", "***both***", "*_both_*"},
		{"bold in bold is bold", "**a __b__ c**", "*a b c*"},
		{"bold in a heading is bold", "# **Bold** and *it*", "*Bold and _it_*"},
		{"what ends last begins first", "*a **b*** and ***a** b*", "_a *b*_ and _*a* b_"},
		{"marks do not touch a URL", "**see https://example.org/a_b.** Then", "*see* https://example.org/a_b. Then"},
		{"nor does a link's URL take them", "**[a](https://b.c) d**", "*a* (https://b.c) *d*"},
		{"nor one that stands in Chinese without a space", "**看：https://example.org/a_b。**", "看：https://example.org/a_b。"},
		{"nor one that the mark stands behind", "<https://example.org/>**b**", "https://example.org/b"},
		{"a bold URL is a URL", "**https://example.org**", "https://example.org"},
		{"marks do not stand around white space", "<b> a </b>", "*a*"},
		{"a stray tag closes nothing", "**a</b> b** **c**", "*a b* *c*"},
		{"a tag that is not closed ends with its block", "<i>a\n\nb", "_a_\n\nb"},
		{"tags may be written in capitals, with a slash", "<B>a</B><BR/>b", "*a*\nb"},
		{"marks do not cross", "x <b>a <i>b</b> c</i>", "x *a _b_* c"},
		{"a mark right before a letter is left out", "This **is**n't", "This isn't"},
		{"a mark in Chinese is left out", "这是**重点**内容, **重点**", "这是重点内容, *重点*"},
		{"an emoji is no letter", "✅**Done**✅", "✅*Done*✅"},
		{"two asterisks between punctuation and a letter are a mark", "**Name:**Ada, **注意：**请, 是**“x”**内", "Name:Ada, 注意：请, 是“x”内"},
		{"but not for one asterisk", "f(*args,*more), f(*args,**kwargs)", "f(*args,*more), f(*args,**kwargs)"},
		{"an asterisk between numbers is a sign", "5*3*2, x**2 + y**2", "5*3*2, x**2 + y**2"},
		{"a tilde between words is one, too", "3~5天，每天2~3次", "3~5天，每天2~3次"},
		{"a number in Chinese may be bold", "共**3**个", "共3个"},
		{"code keeps its backticks in a word", "two `nil`s", "two `nil`s"},
		{"code cannot hold three backticks", "```` a```b ````", "```a｀｀｀b```"},
		{"a block cannot either", "~~~\na\n```\nb\n~~~", "```a\n｀｀｀\nb```"},
		{"a block with a backtick at its edge has lines of its own", "~~~\n`a`\n~~~", "```\n`a`\n```"},
		{"blank code is nothing", "a\n\n```\n\n```\n\nb", "a\n\nb"},
		{"code in a quote leaves it", "> a\n>\n> ```\n> b\n> c\n> ```", "> a\n\n```b\nc```"},
	})
}

// A character that means itself is not taken for a mark. F229
func TestLiterals(t *testing.T) {
	checkTexts(t, []textCase{
		{"underscores", `\_x\_ and \_\_init\_\_`, "＿x＿ and ＿＿init＿＿"},
		{"tildes", `\~x\~`, "∼x∼"},
		{"backticks", "\\`x\\`", "｀x｀"},
		{"a backtick before code", "\\` and `x`", "｀ and `x`"},
		{"three backticks", "a \\`\\`\\`\n\nb", "a ｀｀｀\n\nb"},
		{"one backtick alone may stay", "the \\` key", "the ` key"},
		{"an asterisk that is not paired may stay", "Price\\*, \\*with tax", "Price*, *with tax"},
		{"nor one that a mark before it does not reach", "**Price** 5\\*", "*Price* 5*"},
		{"at the end of bold", `**bold\***`, "*bold∗*"},
		{"at the beginning of bold", `\***bold**`, "∗*bold*"},
		{"within bold", `**a\* b**`, "*a∗ b*"},
		{"right before a mark, whatever it could do", `x\_\_*!y*`, "x＿＿_!y_"},
		{"from a number", "&#42;x&#42;", "∗x∗"},
		{"in a word", "a_b_c and 5*3*2", "a_b_c and 5*3*2"},
		{"a quote's mark", `\> 3`, "＞ 3"},
		{"a list's mark", "\\- 3\n\\* 4", "– 3\n∗ 4"},
		{"an asterisk in a URL", "see https://example.org/*a* *b*", "see https://example.org/*a* _b_"},
		{"in the text of an image", `![\*a\*](https://example.org/a.gif)`, "∗a∗ (https://example.org/a.gif)"},
	})
}

// F229, F230
func TestBlocksOfText(t *testing.T) {
	checkTexts(t, []textCase{
		{"several blank lines are one", "a\n\n\n\nb", "a\n\nb"},
		{"a hard break is a line break", "a\\\nb  \nc", "a\nb\nc"},
		{"a tag at the end of a line breaks it once", "a<br>\nb\n<br>c", "a\nb\nc"},
		{"two tags leave a line free", "a<br><br>b", "a\n\nb"},
		{"paragraphs of HTML are paragraphs", "<p>a</p><p>b</p>", "a\n\nb"},
		{"Windows ends lines otherwise", "a\r\n\r\n- b\r\n- c", "a\n\n- b\n- c"},
		{"no blank line is made up", "# a\nb\n***\nc\n```\nd\n```\ne\n> f\n\ng\n=\nh", "*a*\nb\n———\nc\n```d```\ne\n> f\n\n*g*\nh"},
		{"nor is one in an item", "- a\n  # b\n  c\n  ***\n  d", "- a\n  *b*\n  c\n  ———\n  d"},
		{"nor is one in a quote", "> a\n> - b\n>\n> c\n> # d", "> a\n> - b\n\n> c\n> *d*"},
		{"a list may be loose", "- a\n\n- b", "- a\n\n- b"},
		{"an item may have paragraphs", "- a\n\n  b\n- c\n  d", "- a\n\n  b\n- c\n  d"},
		{"a list begins where it says", "7) a\n8) b", "7. a\n8. b"},
		{"a task may have a number", "1. [x] a\n2. [ ] b", "☑ a\n☐ b"},
		{"an empty item is none", "- a\n-\n- b", "- a\n- b"},
		{"a list in a quote", "> - a\n>   - b\n>\n> c", "> - a\n>   ◦ b\n\n> c"},
		{"a quote in a list", "- a\n  > b", "- a\n>   b"},
		{"entities are read", "&lt; &copy; &#x263A; &hearts;", "< © ☺ ♥"},
		{"what is none stays", "&#00000042; &notit; &x; & &amp", "&#00000042; &notit; &x; & &amp"},
		{"an unknown tag stays", "Use <name> here", "Use <name> here"},
		{"a comment goes", "a <!-- b --> c", "a  c"},
		{"notes go last, whoever names them", "[^a]: one\n\nText[^b].\n\n[^b]: two\n[^c]: three", "Text [1].\n\n[a] one\n\n[1] two\n[c] three"},
		{"a table of one column", "| a |\n|---|\n| b |", "*a*\n- b"},
		{"a table without rows", "| a | b | c |\n|---|---|---|", "*a / b / c*"},
		{"a table with empty cells", "| | p | q |\n|---|---|---|\n| a | | 1 |\n| | 2 | |", "*a*\n- q: 1\n\n- p: 2"},
		{"a table with pipes in it", "|a|b|\n|-|-|\n|`x\\|y`|c\\|d|", "*a / b*\n- `x|y`: c|d"},
		{"a table below a line, and above a paragraph", "x\n|a|b|\n|-|-|\n|c|d|\n\ny", "x\n*a / b*\n- c: d\n\ny"},
		{"a table after a blank line", "x\n\n|a|b|\n|-|-|\n|c|d|", "x\n\n*a / b*\n- c: d"},
		{"a table in an item", "- x\n\n  |a|b|\n  |-|-|\n  |c|d|", "- x\n\n  *a / b*\n  ◦ c: d"},
		{"a wrapped answer with code in it", "```md\n# a\n```js\nb\n```\n```", "*a*\n```b```"},
		{"two blocks are no wrapper", "```md\na\n```\nb\n```js\nc\n```", "```a```\nb\n```c```"},
		{"what shows nothing is nothing", "\u200b &nbsp;", ""},
		{"bytes that are no UTF-8 are replaced", "a\xffb\x00c", "a\uFFFDb\uFFFDc"},
	})
}

// F229
func TestLinks(t *testing.T) {
	checkTexts(t, []textCase{
		{"a phone number as its own text", "[+1 555](tel:+1555)", "+1 555"},
		{"an e-mail address", "[Mail](mailto:a@b.c?subject=x), [a@b.c](mailto:a@b.c)", "Mail (a@b.c), a@b.c"},
		{"what leads nowhere is text", "[a](#b) [c](/d) [e](javascript:f) [g](data:h)", "a c e g"},
		{"an address without a scheme", "[a](www.example.org)", "a (www.example.org)"},
		{"brackets in a URL", "[Foo](https://example.org/Foo_(bar))", "Foo (https://example.org/Foo_(bar))"},
		{"spaces in a URL", "[a](<https://example.org/b c>)", "a (https://example.org/b%20c)"},
		{"a link over two lines", "[a\nb](https://example.org)", "a\nb (https://example.org)"},
		{"a bare URL ends before what stands behind it", "看 https://example.org/ä。谢谢 (https://example.org).", "看 https://example.org/ä。谢谢 (https://example.org)."},
		{"a bare URL on this machine", "http://localhost:80/a_b_c", "http://localhost:80/a_b_c"},
		{"a relative image is its text", "![a](b.png)", "a"},
		{"an image in an image", "![a ![b](https://c.d/e) [f](https://g.h)](https://i.j/k)", "a b f (https://i.j/k)"},
	})
}

// Beyond the bounds, Markdown stays text.
func TestBounds(t *testing.T) {
	cases := []struct{ rule, markdown, stays string }{
		{"containers in containers", strings.Repeat("> ", 30) + "a", "> > a"},
		{"columns of a table", strings.Repeat("|a", 33) + "\n" + strings.Repeat("|-", 33), "|a|a"},
		{"marks of footnotes", strings.Repeat("[^1] ", 257) + "\n\n[^1]: a", "[1] [^1]"},
		{"targets below a text", strings.Repeat("[a]: b\n", 257), "[a]: b"},
		{"links of a paragraph", strings.Repeat("[a](https://b.c) ", 600), "[a](https://b.c)"},
		{"marks of a paragraph", strings.Repeat("*a* ", 1100), "_ ∗a∗"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := format.Text(c.markdown); !strings.Contains(got, c.stays) {
				t.Errorf("%.60q is not in %.300q", c.stays, got)
			}
		})
	}
	if got := format.Text(strings.Repeat("*a* ", 999)); strings.Contains(got, "∗") {
		t.Errorf("the bound came too early: %.60q", got)
	}
}

// What nests or repeats without end makes blocks that WhatsApp takes, too.
func TestHostileInput(t *testing.T) {
	const size = 1 << 16
	patterns := []string{
		">", "> a\n", "- ", "* - ", "[^1]:", "[", "]", "[a](", "[a](<b", "[a](b (c ", "[a][b", "![a](b)", "[a]: b\n",
		"*a **a ", "a*", "*a* ", "~~a~", "`a ", "` `` ``` ", "<a ", "<!-- ", "\\*a\\* ", "\\`a ", "| a", "|a|b|\n|-|-|\n", "&amp;", "\\",
		"https://a.b/(", "a@b ", "\u0301", "🇧🇷", "字。", "\x00", "\n", "# a\n", "a\n=\n", "```\n", "> *x* ",
	}
	for _, p := range patterns {
		check(t, p, format.Blocks(strings.Repeat(p, size/len(p))))
	}
	halves := [][2]string{{"*a ", "a_ "}, {"[", "]"}, {"![a", "](b)"}, {"[^1] ", "\n\n[^1]: a"}, {"> ", "a\n"}, {"<b>", "</b>"}, {"|a", "|\n"}}
	for _, h := range halves {
		text := strings.Repeat(h[0], size/2/len(h[0])) + strings.Repeat(h[1], size/2/len(h[1]))
		check(t, h[0]+h[1], format.Blocks(text))
	}
	columns := strings.Repeat("|a", size/8) + "\n" + strings.Repeat("|-", size/8) + "\n" + strings.Repeat("|\n", size/4)
	check(t, "a wide table", format.Blocks(columns))
}

// check wants blocks that WhatsApp takes.
func check(t *testing.T, name string, blocks []format.Block) {
	t.Helper()
	for i, b := range blocks {
		if (b.Text == "") == (b.Media == format.Media{}) {
			t.Fatalf("%.60q: block %d is neither a text nor a file, or both: %.60q", name, i, b)
		}
		if b.Text != "" {
			checkPart(t, name, b.Text, format.MaxText)
		}
	}
}
