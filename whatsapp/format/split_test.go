package format_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/format"
)

func a(n int) string { return strings.Repeat("a", n) }

// words is n letters in words of nine.
func words(n int) string { return strings.TrimSpace(strings.Repeat("aaaaaaaaa ", n/10)) }

type splitCase struct {
	rule, text string
	parts      []string
}

func checkSplits(t *testing.T, limit int, cases []splitCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			parts := format.Split(c.text, limit)
			if diff := cmp.Diff(c.parts, parts); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			for _, p := range parts {
				checkPart(t, c.rule, p, limit)
			}
		})
	}
}

// checkPart wants a part that Meta takes.
func checkPart(t *testing.T, name, part string, limit int) {
	t.Helper()
	if format.Length(part) > limit || !utf8.ValidString(part) || strings.TrimSpace(part) == "" {
		t.Errorf("%.60q: a part of %d units, valid UTF-8 %v: %.60q", name, format.Length(part), utf8.ValidString(part), part)
	}
}

// F231
func TestSplitsWhereItHurtsLeast(t *testing.T) {
	checkSplits(t, format.MaxText, []splitCase{
		{"a text that fits is sent as it is", "  Hi *there*\n\n- <you> & \"me\" ", []string{"  Hi *there*\n\n- <you> & \"me\""}},
		{"a blank text is not sent", " \n\t\u00a0\u200b", nil},
		{"4096 units fit", a(4096), []string{a(4096)}},
		{"4097 do not", a(4097), []string{a(4096), "a"}},
		{"an emoji is two units", strings.Repeat("😀", 2049), []string{strings.Repeat("😀", 2048), "😀"}},
		{"between paragraphs first", a(3000) + "\n\n" + a(500) + "\n" + a(500) + ". " + a(1000), []string{a(3000), a(500) + "\n" + a(500) + ". " + a(1000)}},
		{"even right at the end", a(4096) + "\n\n" + a(9), []string{a(4096), a(9)}},
		{"else between lines", a(3000) + ". " + a(500) + "\n  " + a(1000), []string{a(3000) + ". " + a(500), "  " + a(1000)}},
		{"else between sentences", a(3000) + "! A" + a(500) + " " + a(1000), []string{a(3000) + "!", "A" + a(500) + " " + a(1000)}},
		{"else between words", a(3000) + ".x " + a(2000), []string{a(3000) + ".x", a(2000)}},
		{"Chinese sentences end without a space", strings.Repeat("字", 3000) + "。" + strings.Repeat("字", 2000), []string{strings.Repeat("字", 3000) + "。", strings.Repeat("字", 2000)}},
		{"a border near the beginning is no good one", "# Title\n\n" + a(4090), []string{"# Title\n\n" + a(4087), "aaa"}},
		{"several blank lines at a cut go", a(4000) + "\n\n\n\n" + a(500), []string{a(4000), a(500)}},
		{"a family stays together", a(4090) + "👨‍👩‍👧‍👦", []string{a(4090), "👨‍👩‍👧‍👦"}},
		{"a skin tone stays on its hand", a(4094) + "👍🏽", []string{a(4094), "👍🏽"}},
		{"an accent stays on its letter", a(4095) + "e\u0301", []string{a(4095), "e\u0301"}},
		{"a flag stays whole", a(4094) + "🇧🇷", []string{a(4094), "🇧🇷"}},
		{"two flags may part", a(4092) + "🇧🇷🇩🇪", []string{a(4092) + "🇧🇷", "🇩🇪"}},
		{"a Korean syllable stays whole", a(4095) + "\u1112\u1161\u11ab", []string{a(4095), "\u1112\u1161\u11ab"}},
		{"a character that fits no part is cut", "e" + strings.Repeat("\u0301", 5000), []string{"e" + strings.Repeat("\u0301", 4089), strings.Repeat("\u0301", 911)}},
		{"bytes that are no UTF-8 are replaced", "a\xffb", []string{"a\uFFFDb"}},
	})
}

// F231
func TestSplitsKnowMarks(t *testing.T) {
	checkSplits(t, 100, []splitCase{
		{"before bold rather than in it", words(60) + " *" + words(50) + "*", []string{words(60), "*" + words(50) + "*"}},
		{"bold that fits no part is closed and opened", "*" + words(150) + "*", []string{"*" + words(90) + "*", "*" + words(60) + "*"}},
		{"so are marks in marks", "*_" + words(150) + "_*", []string{"*_" + words(90) + "_*", "*_" + words(60) + "_*"}},
		{"and code on a line", "`" + words(150) + "`", []string{"`" + words(90) + "`", "`" + words(60) + "`"}},
		{"between sentences in bold", "*" + words(60) + ". B" + words(70) + "*", []string{"*" + words(60) + ".*", "*B" + words(70) + "*"}},
		{"a quote goes on as one", "> " + words(150), []string{"> " + words(90), "> " + words(60)}},
		{"bold in a quote goes on in it", "> *" + words(150) + "*", []string{"> *" + words(90) + "*", "> *" + words(60) + "*"}},
		{"a block of code is closed and opened", "```" + words(60) + "\n  " + words(60) + "```", []string{"```" + words(60) + "```", "```  " + words(60) + "```"}},
		{"its blank lines stay between its lines", "```" + words(30) + "\n\n" + words(30) + "\n" + words(60) + "```", []string{"```" + words(30) + "\n\n" + words(30) + "```", "```" + words(60) + "```"}},
		{"a block of code that fits is moved", words(60) + "\n```" + words(40) + "\n" + words(40) + "```", []string{words(60), "```" + words(40) + "\n" + words(40) + "```"}},
		{"no empty block is left", "```\n\n" + words(90) + "\n\n```\n" + words(30), []string{"```\n\n" + words(90) + "\n\n```", words(30)}},
		{"blank lines at its beginning are no block", "```" + strings.Repeat("\n", 40) + words(90) + "```", []string{"```" + strings.Repeat("\n", 40) + words(50) + "```", "```" + words(40) + "```"}},
		{"nor are those at its end", "```" + words(90) + strings.Repeat("\n", 40) + "```", []string{"```" + words(80) + "```", "```aaaaaaaaa" + strings.Repeat("\n", 40) + "```"}},
		{"asterisks in a block of code are none", "```" + words(60) + " *x\n" + words(60) + " y*```", []string{"```" + words(60) + " *x```", "```" + words(60) + " y*```"}},
		{"asterisks in a word are none", words(80) + " a*b c*d " + words(50), []string{words(80) + " a*b c*d " + "aaaaaaaaa", words(40)}},
		{"a mark that is not closed is none", "*" + words(150), []string{"*" + words(100), words(50)}},
		{"a mark that ends on another line is none", "*" + words(90) + "\n" + words(60) + "*", []string{"*" + words(90), words(60) + "*"}},
		{"a URL is not cut", words(60) + " https://example.org/a-b/c?d=e-f.g/" + a(40), []string{words(60), "https://example.org/a-b/c?d=e-f.g/" + a(40)}},
		{"however little stands before it", "See https://example.org/a-b/" + a(76), []string{"See", "https://example.org/a-b/" + a(76)}},
		{"but for one that fits no part", "See https://example.org/" + a(100), []string{"See", "https://example.org/" + a(74), a(26)}},
		{"and then between characters", "https://example.org/" + strings.Repeat("🇧🇷", 30), []string{"https://example.org/" + strings.Repeat("🇧🇷", 18), strings.Repeat("🇧🇷", 12)}},
		{"what shows nothing is no part", a(50) + "\n" + strings.Repeat("\u00a0", 150) + "\n" + a(50), []string{a(50), a(50)}},
		{"what stands behind a URL is not part of it", "(https://example.org), " + words(150), []string{"(https://example.org), " + words(70), words(80)}},
	})
}

func TestALimitBelowTwentyIsTwenty(t *testing.T) {
	checkSplits(t, -1, nil)
	if diff := cmp.Diff([]string{a(20), a(10)}, format.Split(a(30), 3)); diff != "" {
		t.Error(diff)
	}
}

// Titles have no second part.
func TestShorten(t *testing.T) {
	cases := []struct {
		rule, text string
		limit      int
		want       string
	}{
		{"what fits stays", "abc", 3, "abc"},
		{"what does not ends in an ellipsis", "abcd", 3, "ab…"},
		{"without a space before it", "ab cd", 4, "ab…"},
		{"a character stays whole", "a👨‍👩‍👧bcd", 8, "a…"},
		{"unless it fits", "a👨‍👩‍👧bcd", 10, "a👨‍👩‍👧…"},
		{"a limit of nothing is one", "abc", 0, "…"},
		{"bytes that are no UTF-8 are replaced", "\xff", 9, "\uFFFD"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := format.Shorten(c.text, c.limit); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Whatever is cut, each letter keeps its marks. F231
func TestSplitKeepsStyles(t *testing.T) {
	pieces := []string{
		"word ", "another, longer one. ", "Sentence! ", "*bold words* ", "_italic_ ", "~gone long ago~ ", "*bold _and italic_ words* ",
		"`code of a line` ", "https://example.org/a_b ", "snake_case ", "5 * 3 ", "字字。", "👨‍👩‍👧 ", "\n", "\n\n", "\n> quoted *words* ",
		"\n- item ", "\n```code\n  *of* several\n\nlines```\n", "*" + words(90) + "* ",
	}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		var b strings.Builder
		for range 60 {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		limit := 40 + random.IntN(100)
		var got []string
		for _, p := range format.Split(b.String(), limit) {
			checkPart(t, b.String(), p, limit)
			got = append(got, format.Styled(p)...)
		}
		if diff := cmp.Diff(format.Styled(b.String()), got); diff != "" {
			t.Fatalf("seed %d, limit %d: -want +got\n%s\n%q", seed, limit, diff, format.Split(b.String(), limit))
		}
	}
}
