package perform

import (
	"strconv"
	"strings"
	"testing"

	"parley/engine"
)

func TestTaps(t *testing.T) { // A21
	taps := NewTaps()
	taps.tell("t1", "nobody listens")
	one, stopOne := taps.Listen("t1")
	two, stopTwo := taps.Listen("t1")
	other, stopOther := taps.Listen("t2")
	stopTwo()
	var want strings.Builder
	for i := range 2 * tapSize { // nobody reads meanwhile, and nobody is waited for
		piece := strconv.Itoa(i) + " "
		if taps.tell("t1", piece); i < tapSize {
			want.WriteString(piece)
		}
	}
	taps.end("t1")
	stopOne()
	taps.end("t1")
	var got strings.Builder
	for piece := range one {
		got.WriteString(piece)
	}
	if got.String() != want.String() {
		t.Errorf("whoever does not keep up hears %q", got.String())
	}
	if len(two) != 0 || len(other) != 0 {
		t.Errorf("one who left hears %d pieces, and one of another turn %d", len(two), len(other))
	}
	if stopOther(); len(taps.turns) != 0 {
		t.Errorf("left behind: %v", taps.turns)
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		name string
		acts []engine.Act
		want []string
	}{
		{"a text in pieces is not told again", []engine.Act{engine.Delta{Text: "a"}, engine.Delta{Text: ""}, engine.Delta{Text: "b"}, engine.Say{Text: "ab"}}, []string{"a", "b"}},
		{"a text that came whole is one", []engine.Act{engine.Say{Text: "ab"}}, []string{"ab"}},
		{"texts stand apart", []engine.Act{engine.Delta{Text: "a"}, engine.Say{Text: "a"}, engine.Used{Tokens: 1}, engine.Delta{Text: "b"}, engine.Say{Text: "b"}, engine.Say{Text: "c"}}, []string{"a", "\n\nb", "\n\nc"}},
		{"what says nothing is not told", []engine.Act{engine.Say{Text: " "}, engine.Progress{Text: "…"}, engine.NewConversation{}, engine.Called{}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			p := pieces{tell: func(piece string) { got = append(got, piece) }}
			for _, a := range c.acts {
				p.watch(a)
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestAPlainAnswerFitsIntoALine(t *testing.T) {
	long := strings.Repeat("é", maxPlain/2-1)
	a := plainly("t1", []engine.Act{engine.Say{Text: long}, engine.Say{Text: "<<<<é"}, engine.Say{Text: "never"}})
	if len(a.Messages) != 2 || a.Messages[0].Text != long || a.Messages[1].Text != "<<…" || len(a.Parts) != 0 {
		t.Errorf("%d messages, the last is %q", len(a.Messages), a.Messages[len(a.Messages)-1].Text)
	}
}
