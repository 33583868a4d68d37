package whatsapp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// sentMessage is what Meta would read from a payload.
type sentMessage struct {
	Type string
	Text struct {
		Body    string
		Preview bool `json:"preview_url"`
	}
	Interactive struct {
		Type         string
		Header, Body struct{ Text string }
		Footer       *struct{ Text string }
		Action       struct {
			Name, Button string
			Buttons      []struct{ Reply choice }
			Sections     []struct {
				Title string
				Rows  []choice
			}
		}
	}
}

type choice struct{ ID, Title, Description string }

func sentMessages(t testing.TB, parts []whatsapp.Outbound) []sentMessage {
	t.Helper()
	all := make([]sentMessage, len(parts))
	for i, o := range parts {
		if err := json.Unmarshal(o.Payload(), &all[i]); err != nil {
			t.Fatalf("payload %s: %v", o.Payload(), err)
		}
	}
	return all
}

func bodies(t testing.TB, parts []whatsapp.Outbound) (list []string) {
	t.Helper()
	for _, m := range sentMessages(t, parts) {
		if m.Type != "text" {
			t.Fatalf("a %s among the texts", m.Type)
		}
		list = append(list, m.Text.Body)
	}
	return list
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func TestTextSplits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	cases := []struct {
		rule, text string
		parts      []string
	}{
		{"a text that fits is sent as it is", "  Hi *there*\n\n- <you> & \"me\" ", []string{"  Hi *there*\n\n- <you> & \"me\""}},
		{"a blank text is not sent", " \n\t\u00a0", nil},
		{"4096 units fit", long(4096), []string{long(4096)}},
		{"4097 do not", long(4097), []string{long(4096), "a"}},
		{"an emoji is two units", strings.Repeat("😀", 2049), []string{strings.Repeat("😀", 2048), "😀"}},
		{"between paragraphs first", long(3000) + "\n\n" + long(500) + "\n" + long(500) + ". " + long(1000), []string{long(3000), long(500) + "\n" + long(500) + ". " + long(1000)}},
		{"else between lines", long(3000) + ". " + long(500) + "\n  " + long(1000), []string{long(3000) + ". " + long(500), "  " + long(1000)}},
		{"else between sentences", long(3000) + "! " + long(500) + " " + long(1000), []string{long(3000) + "!", long(500) + " " + long(1000)}},
		{"else between words", long(3000) + ".x " + long(2000), []string{long(3000) + ".x", long(2000)}},
		{"Chinese sentences end without a space", strings.Repeat("字", 3000) + "。" + strings.Repeat("字", 2000), []string{strings.Repeat("字", 3000) + "。", strings.Repeat("字", 2000)}},
		{"a border near the beginning is no good one", "# Title\n\n" + long(4090), []string{"# Title\n\n" + long(4087), "aaa"}},
		{"a family stays together", long(4090) + "👨‍👩‍👧‍👦", []string{long(4090), "👨‍👩‍👧‍👦"}},
		{"a skin tone stays on its hand", long(4094) + "👍🏽", []string{long(4094), "👍🏽"}},
		{"an accent stays on its letter", long(4095) + "e\u0301", []string{long(4095), "e\u0301"}},
		{"a flag stays whole", long(4094) + "🇧🇷", []string{long(4094), "🇧🇷"}},
		{"two flags may part", long(4092) + "🇧🇷🇩🇪", []string{long(4092) + "🇧🇷", "🇩🇪"}},
		{"a Korean syllable stays whole", long(4095) + "\u1112\u1161\u11ab", []string{long(4095), "\u1112\u1161\u11ab"}},
		{"bytes that are no UTF-8 are replaced", "a\xffb", []string{"a\uFFFDb"}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.parts, bodies(t, whatsapp.Text(c.text))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestTextShowsAPreviewOfLinks(t *testing.T) {
	with := sentMessages(t, whatsapp.Text("see https://example.org/a?b=1&c=2"))[0]
	without := sentMessages(t, whatsapp.Text("see example.org"))[0]
	if !with.Text.Preview || without.Text.Preview {
		t.Errorf("with a link %v, without %v", with.Text.Preview, without.Text.Preview)
	}
}

// visible drops white space and what is no UTF-8.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func FuzzText(f *testing.F) {
	f.Add("Hello", "\n\n", uint16(3))
	f.Add("A sentence. Another one! 字。", " ", uint16(600))
	f.Add("👨‍👩‍👧‍👦🇧🇷e\u0301", "", uint16(900))
	f.Add("\xff\xed\xa0\x80", "\u0301", uint16(5000))
	f.Fuzz(func(t *testing.T, piece, separator string, n uint16) {
		text := strings.Repeat(piece+separator, int(n)%2000)
		if len(text) > 1<<17 {
			return
		}
		parts := bodies(t, whatsapp.Text(text))
		for _, p := range parts {
			if units(p) > 4096 || !utf8.ValidString(p) || strings.TrimSpace(p) == "" {
				t.Errorf("a part of %d units, valid UTF-8 %v: %.60q", units(p), utf8.ValidString(p), p)
			}
		}
		if got, want := visible(strings.Join(parts, "")), visible(text); got != want {
			t.Errorf("%d visible bytes became %d", len(want), len(got))
		}
	})
}
