package media

import (
	"mime"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// lookAt is how many bytes of a content tell its type.
const lookAt = 3072

// unknownType is the type of what looks like nothing.
const unknownType = "application/octet-stream"

// look says what bytes look like, without parameters.
func look(head []byte) string { return essence(mimetype.Detect(head).String()) }

// essence is a type without parameters, in lower case.
func essence(typ string) string {
	if t, _, err := mime.ParseMediaType(typ); err == nil {
		return t
	}
	typ, _, _ = strings.Cut(typ, ";")
	return strings.ToLower(strings.TrimSpace(typ))
}

// containers are types that share a wrapping, so that the first bytes do not
// tell them apart: a voice message and a film are the same MP4 from outside.
var containers = [][]string{
	{"audio/mp4", "video/mp4", "audio/x-m4a", "audio/m4a", "video/x-m4v", "video/quicktime", "audio/3gpp", "video/3gpp", "audio/3gpp2", "video/3gpp2"},
	{"application/ogg", "audio/ogg", "audio/opus", "video/ogg"},
	{"audio/webm", "video/webm", "video/x-matroska", "audio/x-matroska"},
	{"audio/mpeg", "audio/mp3"},
}

// wrappings are what formats of one's own are usually made of.
var wrappings = []string{unknownType, "text/plain", "text/xml", "application/json", "application/zip", "application/x-ole-storage", "application/gzip"}

// Settle chooses between the type that somebody claimed, for example
// "audio/ogg; codecs=opus", and the Type that an Object was seen to have. typ
// has no parameters. agree is false if the bytes belie the claim; then typ is
// what was seen.
//
// The claim is believed where it says more than the first bytes can, such as a
// spreadsheet that is seen as a zip. A type is a label and no permission: a
// page that somebody sent is still theirs, and must not run in our origin.
func Settle(claimed, seen string) (typ string, agree bool) {
	claimed, seen = essence(claimed), essence(seen)
	switch {
	case claimed == "" || claimed == unknownType:
		return seen, true
	case claimed == seen, sameContainer(claimed, seen):
		return claimed, true
	}
	claim, sight := mimetype.Lookup(claimed), mimetype.Lookup(seen)
	switch {
	case claim == nil: // nothing is known of how it begins
		agree = slices.Contains(wrappings, seen)
	case sight != nil:
		agree = isBelow(claim, sight) || isBelow(sight, claim)
	}
	if agree {
		return claimed, true
	}
	return seen, false
}

func sameContainer(a, b string) bool {
	return slices.ContainsFunc(containers, func(c []string) bool { return slices.Contains(c, a) && slices.Contains(c, b) })
}

// isBelow reports that a type is another, under any of its names, or a special
// kind of it. Everything is a kind of unknown bytes, so that does not count.
func isBelow(a, b *mimetype.MIME) bool {
	for ; a != nil && !a.Is(unknownType); a = a.Parent() {
		if a.Is(b.String()) {
			return true
		}
	}
	return false
}
