package format

import "strings"

// Parse lets tests look at the tree that is written.
var Parse = parse

// Marked lists the stretches of a text that WhatsApp would format.
func Marked(s string) []string {
	var marked []string
	for _, sp := range scan(s) {
		if !sp.isURL() {
			marked = append(marked, s[sp.from:sp.to])
		}
	}
	return marked
}

// Escape makes every ASCII punctuation mark of a text mean itself in Markdown.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Styled lists the letters and digits of a text, each with the marks around it.
func Styled(s string) []string {
	around := make([]string, len(s))
	for _, sp := range scan(s) {
		for i := sp.from; i < sp.to; i++ {
			around[i] += sp.opener
		}
	}
	var styled []string
	for i, r := range s {
		if isWord(r) {
			styled = append(styled, string(r)+around[i])
		}
	}
	return styled
}
