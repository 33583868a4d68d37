package format

import (
	"strings"
	"unicode"
)

// Meta's limits for texts, in UTF-16 units. Meta: Cloud API, Messages; it is
// not said what a character is, so the strictest reading is used.
const (
	// MaxText is the longest body of a text message and of a list.
	MaxText = 4096
	// MaxCaption is the longest caption of a file, and the longest body of an
	// interactive message that is no list.
	MaxCaption = 1024
)

// Block is one message of an answer: a text or a file.
type Block struct {
	// Text is in WhatsApp's marks, at most [MaxText] long and never blank. It
	// is empty if the block is a file.
	Text string
	// Media is the zero value if the block is a text.
	Media Media
}

// Media is a file on the web that an answer shows.
type Media struct {
	// Kind is "image", "video", "audio" or "document", by the name in the URL.
	Kind string
	// URL begins with http:// or https://.
	URL string
	// Caption is in WhatsApp's marks, one line of any length; it may be empty.
	Caption string
	// Filename is the name in the URL of a document; otherwise it is empty.
	Filename string
}

// Blocks makes the messages of an answer in Markdown, in the order they should
// be sent in: as few texts as possible, and a file for every image whose URL
// names something that WhatsApp can show. Other images stay in the text as
// links. Nothing to say makes no blocks.
func Blocks(markdown string) []Block {
	blocks := write(markdown, true)
	var split []Block
	for _, b := range blocks {
		if b.Media != (Media{}) {
			split = append(split, b)
			continue
		}
		if len(blocks) > 1 && isPunctuation(b.Text) {
			continue // what stood around a file: a full stop, a bracket
		}
		for _, part := range Split(b.Text, MaxText) {
			split = append(split, Block{Text: part})
		}
	}
	return split
}

// Text turns Markdown into one text of any length, with images as links. It is
// for captions and the bodies of interactive messages; [Split] shortens it. A
// text that shows nothing is "".
func Text(markdown string) string {
	blocks := write(markdown, false)
	if len(blocks) == 0 {
		return ""
	}
	return blocks[0].Text
}

// isPunctuation reports that a text says nothing. An emoji says something.
func isPunctuation(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsPunct(r) && !isHidden(r)
	}) < 0
}
