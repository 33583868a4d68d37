package format

import (
	"regexp"
	"strings"
	"unicode"
)

// A bare URL ends at white space, and at what people put behind it in scripts
// that know no spaces. The punctuation at its end belongs to the sentence.
const (
	noURL    = "<>\"`\\、。，；：！？（）「」『』【】《》“”"
	afterURL = ".,:;!?)*_~'"
)

var (
	bareURL = regexp.MustCompile(`^https?://[^\s` + regexp.QuoteMeta(noURL) + `]+`)
	bareWWW = regexp.MustCompile(`^www\.[^\s` + regexp.QuoteMeta(noURL) + `]+`)
)

// beginnings are those of bare URLs.
var beginnings = []string{"http://", "https://", "www."}

// urlLength is the length of the bare URL that a text begins with, in bytes.
func urlLength(s string) int {
	for _, b := range beginnings {
		if !strings.HasPrefix(s, b) {
			continue
		}
		if end := strings.IndexFunc(s, isBehindURL); end >= 0 {
			s = s[:end]
		}
		return len(strings.TrimRight(s, afterURL))
	}
	return 0
}

func isBehindURL(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(noURL, r) }

// findURLs makes addresses of the bare URLs that the parser did not take for
// links, say because there is no space before them. WhatsApp does, and would
// take marks at their end for part of them.
func findURLs(cells []cell) {
	for i := 0; i < len(cells); i++ {
		if !beginsURL(cells, i) {
			continue
		}
		end := i
		for end < len(cells) && cells[end].kind == literal && !isBehindURL(cells[end].r) {
			end++
		}
		for end > i && strings.ContainsRune(afterURL, cells[end-1].r) {
			end--
		}
		for ; i < end; i++ {
			cells[i].kind, cells[i].style = address, 0
		}
	}
}

func beginsURL(cells []cell, at int) bool {
	if at > 0 && isWord(cells[at-1].r) || cells[at].r != 'h' && cells[at].r != 'w' {
		return false
	}
	var b strings.Builder
	for i := at; i < min(at+len("https://"), len(cells)) && cells[i].kind == literal; i++ {
		b.WriteRune(cells[i].r)
	}
	return urlLength(b.String()) > 0
}
