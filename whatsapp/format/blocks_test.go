package format_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/format"
)

func text(s string) format.Block { return format.Block{Text: s} }

func image(url, caption string) format.Block {
	return format.Block{Media: format.Media{Kind: "image", URL: url, Caption: caption}}
}

// F229, F232, F234
func TestBlocks(t *testing.T) {
	const a, b = "https://example.org/a.png", "https://example.org/b.jpg"
	cases := []struct {
		rule, markdown string
		blocks         []format.Block
	}{
		{"nothing says nothing", " \n\n", nil},
		{"paragraphs are one text", "a\n\nb\n\n# c\n\n- d", []format.Block{text("a\n\nb\n\n*c*\n\n- d")}},
		{"an image is a message, in its place", "x\n\n![A](" + a + ")\n\ny", []format.Block{text("x"), image(a, "A"), text("y")}},
		{"within a line, too", "x ![A](" + a + ") y", []format.Block{text("x"), image(a, "A"), text("y")}},
		{"two images are two messages", "![](" + a + ")![](" + b + ")", []format.Block{image(a, ""), image(b, "")}},
		{
			"text, text, image and text are three", "a\n\nb\n\n![](" + a + ")\n\nc",
			[]format.Block{text("a\n\nb"), image(a, ""), text("c")},
		},
		{"marks end at an image", "**x ![A](" + a + ") y**", []format.Block{text("*x*"), image(a, "A"), text("*y*")}},
		{
			"an item goes with its image", "- ![A](" + a + ") Red\n- Blue\n  ![B](" + b + ")\n- ![](" + a + ")\n- c ![](" + a + ") d",
			[]format.Block{image(a, "A"), text("- Red\n- Blue"), image(b, "B"), image(a, ""), text("- c"), image(a, ""), text("d")},
		},
		{
			"an image in a cell comes after its row has begun", "|n|p|q|\n|-|-|-|\n|A|![](" + a + ")|5|",
			[]format.Block{text("*A*\n- p:"), image(a, ""), text("- q: 5")},
		},
		{"an image in a header is a link", "|n|![](" + a + ")|q|\n|-|-|-|\n|A|1|2|", []format.Block{text("*A*\n- " + a + ": 1\n- q: 2")}},
		{"punctuation left around an image is dropped", "(![](" + a + ")).", []format.Block{image(a, "")}},
		{"an emoji is not", "![](" + a + ")\n👍", []format.Block{image(a, ""), text("👍")}},
		{"punctuation alone is an answer", "?", []format.Block{text("?")}},
		{"a caption has no marks", "![*a*\n`b` \\*c\\*](" + a + ")", []format.Block{image(a, "a b ∗c∗")}},
		{"a picture in a link is its text", "[![A](" + a + ")](https://b.c)", []format.Block{text("A (https://b.c)")}},
		{"what WhatsApp cannot show stays a link", "![A](https://b.c/d.gif) ![B](e.png)", []format.Block{text("A (https://b.c/d.gif) B")}},
		{"without an extension it is an image", "![A](https://b.c/d?e=f.pdf)", []format.Block{image("https://b.c/d?e=f.pdf", "A")}},
		{
			"a video, a sound and a paper", "![V](https://b.c/v.MP4)![](https://b.c/s.mp3)![P](https://b.c/d%20e.pdf?f)",
			[]format.Block{
				{Media: format.Media{Kind: "video", URL: "https://b.c/v.MP4", Caption: "V"}},
				{Media: format.Media{Kind: "audio", URL: "https://b.c/s.mp3"}},
				{Media: format.Media{Kind: "document", URL: "https://b.c/d%20e.pdf?f", Caption: "P", Filename: "d e.pdf"}},
			},
		},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.blocks, format.Blocks(c.markdown)); diff != "" {
				t.Errorf("%q -want +got\n%s", c.markdown, diff)
			}
		})
	}
}

// F231
func TestALongAnswerIsSplitAfterItIsConverted(t *testing.T) {
	paragraph := strings.Repeat("word **bold** ", 100)
	blocks := format.Blocks(strings.Repeat(paragraph+"\n\n", 8))
	if len(blocks) != 3 {
		t.Fatalf("%d parts", len(blocks))
	}
	want := strings.TrimSpace(strings.Repeat("word *bold* ", 100))
	for i, b := range blocks {
		for _, p := range strings.Split(b.Text, "\n\n") {
			if p != want {
				t.Errorf("part %d holds %q", i, p)
			}
		}
	}
}
