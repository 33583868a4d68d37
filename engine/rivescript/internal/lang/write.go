package lang

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aichaos/rivescript-go/ast"
)

// Macro is the one program that compiled scripts call. Its arguments, joined by
// a blank, are the text for ParseCall.
const Macro = "do"

// Filter is a function of ours inside the interpreter's text processing. The
// tag <get ~filter:text> asks for the variable "~filter:text"; by then the tags
// inside the text are resolved, and the answer is the text changed. Only
// Compile makes such tags: no script can name a variable so.
type Filter string

const (
	// Formal and Sentence begin words, or the text, with a capital letter. The
	// interpreter's own cut characters of several bytes apart.
	Formal   Filter = "formal"
	Sentence Filter = "sentence"
	// Jump and Step are around the targets of redirects: @ and {@…}. Those of
	// Step begin with a number, which the filter removes: no two in an answer
	// are the same, so that the interpreter asks for each by itself.
	Jump Filter = "jump"
	Step Filter = "step"
)

var filterForm = regexp.MustCompile(`(?s)^~(\w+):(.*)$`)

// CutFilter finds the filter that the name of a variable asks for, and its
// text.
func CutFilter(name string) (f Filter, text string, ok bool) {
	m := filterForm.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	return Filter(m[1]), m[2], true
}

func (f Filter) tag(text string) string { return "<get ~" + string(f) + ":" + text + ">" }

// Inside a <call>, quotation marks and line breaks are hidden from the
// interpreter, which would take them for its own.
var (
	hide   = strings.NewReplacer(`"`, "\uE002", `\n`, "\uE003")
	unhide = strings.NewReplacer("\uE002", `"`, "\uE003", "\n")
)

// write makes the interpreter's source from a checked script.
func write(root *ast.Root) string {
	var b strings.Builder
	writeDefinitions(&b, root.Begin)
	for _, name := range slices.Sorted(maps.Keys(root.Topics)) {
		topic := root.Topics[name]
		if name == begin {
			b.WriteString("> begin\n")
		} else {
			fmt.Fprintf(&b, "> topic %s%s%s\n", name, names(" includes", topic.Includes), names(" inherits", topic.Inherits))
		}
		for _, t := range topic.Triggers {
			writeEntry(&b, root, t)
		}
		b.WriteString("< topic\n")
	}
	return b.String()
}

func names(kind string, topics map[string]bool) string {
	if len(topics) == 0 {
		return ""
	}
	return kind + " " + strings.Join(slices.Sorted(maps.Keys(topics)), " ")
}

func writeDefinitions(b *strings.Builder, d ast.Begin) {
	for _, kind := range []struct {
		name string
		all  map[string]string
	}{{"global", d.Global}, {"var", d.Var}, {"sub", d.Sub}, {"person", d.Person}} {
		for _, name := range slices.Sorted(maps.Keys(kind.all)) {
			fmt.Fprintf(b, "! %s %s = %s\n", kind.name, name, kind.all[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Array)) {
		var items []string
		for _, item := range d.Array[name] {
			items = append(items, strings.ReplaceAll(item, " ", `\s`))
		}
		fmt.Fprintf(b, "! array %s = %s\n", name, strings.Join(items, "|"))
	}
}

func writeEntry(b *strings.Builder, root *ast.Root, t *ast.Trigger) {
	fmt.Fprintf(b, "+ %s\n", writeTrigger(root, t.Trigger))
	if t.Previous != "" {
		fmt.Fprintf(b, "%% %s\n", writePrevious(root, t.Previous))
	}
	if t.Redirect != "" {
		fmt.Fprintf(b, "@ %s\n", Jump.tag(writeAnswer(t.Redirect)))
	}
	for _, c := range t.Condition {
		fmt.Fprintf(b, "* %s\n", writeAnswer(c))
	}
	for _, r := range t.Reply {
		fmt.Fprintf(b, "- %s\n", writeAnswer(r))
	}
}

var (
	formalForm   = regexp.MustCompile(`\{formal\}(.+?)\{/formal\}`)
	sentenceForm = regexp.MustCompile(`\{sentence\}(.+?)\{/sentence\}`)

	shortcuts = strings.NewReplacer(
		"<@>", "{@<star>}",
		"<formal>", "{formal}<star>{/formal}",
		"<sentence>", "{sentence}<star>{/sentence}",
		" // ", `\s//\s`, // a blank that does not begin a comment
		"\n", `\n`,
	)
)

// writeAnswer puts our filters and calls in place of what the interpreter does
// not do well.
func writeAnswer(text string) string {
	text = shortcuts.Replace(text)
	text = callForm.ReplaceAllStringFunc(text, func(call string) string {
		inside := callForm.FindStringSubmatch(call)[1]
		return fmt.Sprintf(`<call>%s "%s"</call>`, Macro, hide.Replace(inside))
	})
	text = formalForm.ReplaceAllString(text, Formal.tag("$1"))
	text = sentenceForm.ReplaceAllString(text, Sentence.tag("$1"))
	return writeRedirects(text)
}

// writeRedirects puts the targets of inline redirects through the filter Step.
// A target ends where its brace closes; other tags may stand inside.
func writeRedirects(text string) string {
	// From the last to the first, so that the inner ones come before those
	// they stand in; \x00 is what {@ becomes until all are done.
	for n := strings.Count(text, "{@"); n > 0; n-- {
		at := strings.LastIndex(text, "{@")
		inside, after := cutBrace(text[at+len("{@"):])
		text = text[:at] + "\x00" + Step.tag(fmt.Sprintf("%d %s", n, inside)) + "}" + after
	}
	return strings.ReplaceAll(text, "\x00", "{@")
}

// cutBrace cuts at the brace that closes what was opened before the text.
func cutBrace(text string) (inside, after string) {
	depth := 1
	for i, r := range text {
		switch r {
		case '{', 0:
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}
