package media

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

// maxName bounds names, in bytes. File systems take 255, and some room is left
// for what a browser adds.
const maxName = 180

// SafeName makes a name that somebody gave a file into one that is harmless as
// a file name on every system: one path element, without control and invisible
// characters, no device's name, of 180 bytes at most. A name without an
// extension gets the one of the type; an empty one becomes "file".
func SafeName(name, typ string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(harmless, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(strings.Join(strings.Fields(name), " "), " .")
	extension := path.Ext(name)
	stem := strings.TrimRight(strings.TrimSuffix(name, extension), " .")
	if extension == "" || len(extension) > 16 || strings.Contains(extension, " ") {
		stem, extension = name, Extension(typ)
	}
	if stem == "" {
		stem = "file"
	}
	if first, _, _ := strings.Cut(stem, "."); slices.Contains(devices, strings.ToUpper(strings.TrimRight(first, "0123456789"))) {
		stem = "_" + stem
	}
	return strings.TrimRight(cut(stem, maxName-len(extension)), " .") + extension
}

// Extension is the usual one of a type, with its dot; empty if there is none.
func Extension(typ string) string {
	if m := mimetype.Lookup(essence(typ)); m != nil {
		return m.Extension()
	}
	return ""
}

// devices are names that mean something else than a file on Windows, but for
// the digits that may follow.
var devices = []string{"CON", "PRN", "AUX", "NUL", "COM", "LPT", "CONIN$", "CONOUT$"}

// harmless replaces characters that mean something to a file system or a
// shell, and drops those that cannot be seen or turn the text around.
func harmless(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.Is(unicode.C, r): // control, format, private use
		return -1
	case strings.ContainsRune(`<>:"|?*`, r):
		return '_'
	}
	return r
}

// cut shortens a text to a number of bytes, not within a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
