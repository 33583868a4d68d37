package format_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/format"
)

// What WhatsApp would format decides where a text may be cut.
func TestMarked(t *testing.T) {
	cases := []struct {
		rule, text string
		marked     []string
	}{
		{"marks of each kind", "*a* _b_ ~c~ `d` ```e```", []string{"*a*", "_b_", "~c~", "`d`", "```e```"}},
		{"marks in marks", "*a _b_*", []string{"*a _b_*", "_b_"}},
		{"a mark next to punctuation", "(*a*), \"_b_\"", []string{"*a*", "_b_"}},
		{"none in a word", "a*b* *c*d snake_case_name", nil},
		{"none around a space", "* a* *b *", nil},
		{"none over lines", "*a\nb*", nil},
		{"none in code", "`*a*` ```_b_```", []string{"`*a*`", "```_b_```"}},
		{"code over lines", "x ```a\nb``` y", []string{"```a\nb```"}},
		{"no mark over such code", "*x ```a\nb``` y*", []string{"```a\nb```"}},
		{"code that is not closed is none", "```a b", nil},
		{"two asterisks mean nothing", "**a**", nil},
		{"marks that cross", "*a _b* c_", []string{"*a _b*"}},
		{"a quote is its line", "> a *b*\nc > d", []string{"> a *b*", "*b*"}},
		{"none in a URL", "https://a.b/*c* *d*", []string{"*d*"}},
		{"a mark behind a URL is not part of it", "_see https://a.b_", []string{"_see https://a.b_"}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.marked, format.Marked(c.text)); diff != "" {
				t.Errorf("%q -want +got\n%s", c.text, diff)
			}
		})
	}
}
