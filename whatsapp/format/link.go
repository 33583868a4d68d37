package format

import (
	"net/url"
	"path"
	"strings"
	"unicode"
)

// target adds the URL of the link that just ended, behind its text: WhatsApp
// has no links with names. The text alone is enough if it is the URL, and if
// there is no place to go to from a chat.
func (in *inline) target(destination string) {
	start := in.endOfElement()
	url := addressOf(destination)
	if url == "" || in.images > 0 { // the alternative text of an image may hold links
		return
	}
	text := plain(in.pieces[start:])
	switch {
	case isSameAddress(text, url):
		in.pieces = in.pieces[:start]
		if !strings.Contains(url, ":") { // a phone number as it is written
			url = text
		}
		fallthrough
	case isBlank(text):
		in.add(address, url)
	default:
		in.add(address, " ("+url+")")
	}
}

// image makes a file of the image that just ended, or text like that of a
// link. In a link, where it leads to matters more than the picture.
func (in *inline) image(destination string) {
	if in.links > 0 || in.images > 0 {
		in.endOfElement()
		return
	}
	url := addressOf(destination)
	file, ok := mediaOf(url)
	if !in.media || !ok {
		in.target(destination)
		return
	}
	start := in.endOfElement()
	file.Caption = render([]piece{{text: plain(in.pieces[start:])}}, false)
	in.pieces = append(in.pieces[:start], piece{kind: media, media: file})
}

// endOfElement gives the first piece of the link or image that just ended.
func (in *inline) endOfElement() int {
	last := len(in.starts) - 1
	start := in.starts[last]
	in.starts = in.starts[:last]
	return start
}

// plain is the text of pieces on one line, without marks.
func plain(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch p.kind {
		case code:
			p.text = strings.Trim(p.text, "`")
		case lineBreak:
			p.text = " "
		}
		b.WriteString(p.text)
	}
	return strings.TrimSpace(b.String())
}

// addressOf makes a destination into something that WhatsApp shows as a link,
// or "" if it leads nowhere from a chat: an anchor, a relative path, a script.
func addressOf(destination string) string {
	u := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(destination))
	u = strings.Join(strings.Fields(u), "%20")
	scheme, rest, found := strings.Cut(u, ":")
	switch scheme = strings.ToLower(scheme); {
	case strings.HasPrefix(strings.ToLower(u), "www."):
		return u
	case !found || strings.ContainsAny(scheme, "/?#"):
		return ""
	case scheme == "mailto":
		rest, _, _ = strings.Cut(rest, "?")
		return rest
	case scheme == "tel":
		return rest
	case scheme == "javascript" || scheme == "vbscript" || scheme == "data" || scheme == "file":
		return ""
	}
	return u
}

// isSameAddress reports that a text says the same as a URL, maybe without the
// scheme or the last slash. Phone numbers may be written with spaces.
func isSameAddress(text, url string) bool {
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(s), "https://"), "http://")
		s = strings.TrimSuffix(s, "/")
		if strings.Trim(s, "+0123456789 -().") == "" {
			s = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(s)
		}
		return s
	}
	return bare(text) == bare(url) && text != ""
}

// mediaKinds says what a file is by its extension. "" is for those that WhatsApp
// does not take; what is not listed, say none, is an image, as Markdown has it.
// Meta: supported media types.
var mediaKinds = map[string]string{
	".jpg": "image", ".jpeg": "image", ".png": "image",
	".mp4": "video", ".3gp": "video", ".3gpp": "video",
	".aac": "audio", ".amr": "audio", ".m4a": "audio", ".mp3": "audio", ".ogg": "audio", ".opus": "audio",
	".doc": "document", ".docx": "document", ".pdf": "document", ".ppt": "document", ".pptx": "document",
	".txt": "document", ".xls": "document", ".xlsx": "document",
	".avif": "", ".bmp": "", ".gif": "", ".heic": "", ".ico": "", ".svg": "", ".tif": "", ".tiff": "", ".webp": "",
	".avi": "", ".mkv": "", ".mov": "", ".webm": "", ".flac": "", ".wav": "", ".csv": "", ".htm": "", ".html": "",
	".json": "", ".md": "", ".zip": "",
}

// mediaOf gives the file that a URL names, if WhatsApp can show it.
func mediaOf(address string) (Media, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Media{}, false
	}
	kind, listed := mediaKinds[strings.ToLower(path.Ext(u.Path))]
	if !listed {
		kind = "image"
	}
	m := Media{Kind: kind, URL: address}
	if kind == "document" {
		m.Filename = path.Base(u.Path)
	}
	return m, kind != ""
}
