package format

import (
	"bytes"
	"html"
	"strings"

	"github.com/yuin/goldmark/util"
)

// tags are what the usual HTML tags come to. Others stay as they are: <name>
// is rather a placeholder than a tag.
var tags = map[string]style{
	"b": bold, "strong": bold, "i": italic, "em": italic, "s": strike, "del": strike, "strike": strike,
	"center": 0, "font": 0, "ins": 0, "mark": 0, "small": 0, "span": 0, "sub": 0, "sup": 0, "u": 0,
}

// tag adds what an HTML tag or comment comes to.
func (in *inline) tag(raw string) {
	if strings.HasPrefix(raw, "<!--") {
		return
	}
	name, closing := strings.CutPrefix(strings.ToLower(raw[1:]), "/")
	name = name[:strings.IndexAny(name, " \t\n/>")]
	if name == "br" || name == "p" || name == "div" {
		in.endLine(fromTag)
		return
	}
	s, known := tags[name]
	switch {
	case !known:
		in.add(literal, raw)
	case s != 0 && !closing:
		in.tagged[s]++
	case in.tagged[s] > 0:
		in.tagged[s]--
	}
}

// decode resolves backslashes and entities.
func decode(raw []byte) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '\\' && i+1 < len(raw) && util.IsPunct(raw[i+1]):
			i++
			b.WriteByte(raw[i])
		case raw[i] == '&':
			text, length := entity(raw[i:])
			b.WriteString(text)
			i += length - 1
		default:
			b.WriteByte(raw[i])
		}
	}
	return b.String()
}

// The longest entities are &CounterClockwiseContourIntegral; and, of numbers,
// &#1234567;.
const (
	longestEntity = 33
	longestNumber = 10
)

// entity reads the entity that raw begins with, or only its ampersand.
func entity(raw []byte) (text string, length int) {
	longest := longestEntity
	if bytes.HasPrefix(raw, []byte("&#")) {
		longest = longestNumber
	}
	end := bytes.IndexByte(raw[:min(len(raw), longest)], ';') + 1
	text = html.UnescapeString(string(raw[:end]))
	if end == 0 || text == string(raw[:end]) || len(text) > 1 && strings.HasSuffix(text, ";") {
		return "&", 1
	}
	return text, end
}
