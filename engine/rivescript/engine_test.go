package rivescript_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/rivescript"
)

func TestContract(t *testing.T) {
	enginetest.Run(t, rivescript.New(), ask("+ hi\n- Hello!\n^ <call>progress \"…\"</call>", "hi"))
}

func TestMemory(t *testing.T) {
	const counter = "+ *\n- <add n=1><get n>"
	t.Run("what is remembered is only in the turn", func(t *testing.T) {
		e := rivescript.New()
		first, memory := say(t, e, ask(counter, "hi"))
		again, _ := say(t, e, ask(counter, "hi"))
		later := ask(counter, "hi")
		later.Memory = memory
		next, _ := say(t, rivescript.New(), later)
		if diff := cmp.Diff([]string{"1", "1", "2"}, []string{first, again, next}); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
	t.Run("the memory of another engine counts as none", func(t *testing.T) {
		turn := ask(counter, "hi")
		turn.Memory = []byte("\x01not ours")
		if got, _ := say(t, rivescript.New(), turn); got != "1" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a topic that the script no longer has is left", func(t *testing.T) {
		turn := ask(counter, "hi")
		turn.Memory = []byte(`{"vars":{"topic":"gone"}}`)
		if got, _ := say(t, rivescript.New(), turn); got != "1" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("memory stays small", func(t *testing.T) {
		turn := ask("+ *\n- <star> "+strings.Repeat("long ", 800), strings.Repeat("x", 1000))
		for range 20 {
			_, turn.Memory = say(t, rivescript.New(), turn)
		}
		if len(turn.Memory) > 20<<10 {
			t.Errorf("%d bytes", len(turn.Memory))
		}
	})
}

func TestTimezone(t *testing.T) {
	const script = "+ *\n- <get time>"
	for _, test := range []struct{ name, script, user, want string }{
		{"the script says where the bot lives", "! var timezone = Asia/Tokyo\n" + script, "Europe/Berlin", "19:30"},
		{"otherwise the user's time holds", script, "Europe/Berlin", "11:30"},
		{"otherwise UTC", script, "Nowhere/Land", "10:30"},
	} {
		t.Run(test.name, func(t *testing.T) {
			turn := ask(test.script, "hi")
			turn.Timezone = test.user
			if got, _ := say(t, rivescript.New(), turn); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	for _, test := range []struct{ name, script, message, want string }{
		{"a script that cannot be used", "+ (\n- x", "hi", `the bot's script cannot be used: trigger "(": '(' is not closed`},
		{"no script", "", "hi", `the bot's script cannot be used: it holds no trigger; a first one could be "+ *" with the answer "- Hello!" below it`},
		{"no trigger", "+ hi\n- x", "bye", `no trigger of the bot's script matches the message; the trigger "*" would match everything`},
		{"a redirect to nowhere", "+ hi\n- x {@nowhere}", "hi", `no trigger of the bot's script matches the message; the trigger "*" would match everything`},
		{"no answer when no condition holds", "+ hi\n* a == b => x", "hi", "the bot's script: the trigger matched but yielded no reply"},
		{"a call that depends on the user and fails", "+ at *\n- <call>location <star> 5</call>", "at home", `the bot's script: <call>location: "home" is no latitude`},
		{"a request for the location without a question", "+ hi\n- <call>ask-location</call>", "hi", "the bot's script: <call>ask-location needs a text in front of it"},
		{"a redirect in a circle", "+ hi\n- {@ho}\n+ ho\n@ hi", "hi", "the bot's script redirects more than 50 times for one message"},
		{"a redirect in a circle without an answer", "+ hi\n@ ho\n+ ho\n@ hi", "hi", "the bot's script redirects more than 50 times for one message"},
		{"a redirect to itself", "+ *\n- a {@<star> b} c", "hi", "the bot's script redirects more than 50 times for one message"},
	} {
		t.Run(test.name+" is a permanent error", func(t *testing.T) {
			_, err := engine.Collect(rivescript.New().Answer(t.Context(), ask(test.script, test.message)))
			if err == nil || err.Error() != test.want || engine.Transient(err) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	t.Run("the interpreter goes on after a failure", func(t *testing.T) {
		e := rivescript.New()
		const script = "+ circle\n- {@circle}\n+ hi\n- Hello!"
		if _, err := engine.Collect(e.Answer(t.Context(), ask(script, "circle"))); err == nil {
			t.Error("no error")
		}
		if got, _ := say(t, e, ask(script, "hi")); got != "Hello!" {
			t.Errorf("got %q", got)
		}
	})
}

// TestHostileScripts gives the engine scripts that would make the interpreter
// alone run out of time, memory or stack.
func TestHostileScripts(t *testing.T) {
	double := func(levels int, level func(i int) string) string {
		var b strings.Builder
		for i := range levels {
			fmt.Fprintf(&b, "+ %s\n- %s\n", number(i), level(i+1))
		}
		fmt.Fprintf(&b, "+ %s\n- %s\n", number(levels), strings.Repeat("x", 1000))
		return b.String()
	}
	for _, test := range []struct{ name, script, message string }{
		{"a variable that doubles in each step", "+ *\n- <set a=<star>>{@<get a> <get a>}", "hi"},
		{"a star that multiplies", "+ *\n- {@" + strings.Repeat("<star>", 40) + "}", strings.Repeat("x", 1000)},
		{"the same redirect twice on each level", double(30, func(i int) string { return "{@" + number(i) + "}{@" + number(i) + "}" }), number(0)},
		{"redirects that differ", double(30, func(i int) string { return "{@" + number(i) + "}{@" + number(i) + " }" }), number(0)},
		{"redirects that only become the same", double(30, func(i int) string { return "<set n=" + number(i) + ">{@<get n>}{@" + number(i) + "}" }), number(0)},
		{"variables without number", double(40, func(i int) string {
			var b strings.Builder
			for j := range 40 {
				fmt.Fprintf(&b, "<set v%dx%d=1>", i, j)
			}
			return b.String() + "{@" + number(i) + "}"
		}), number(0)},
		{"acts without number", "+ *\n- " + strings.Repeat(`<call>progress "x"</call> `, 24), "hi"},
		{"text without end", "+ *\n- <star> " + strings.Repeat("{@go on}", 4) + "\n+ go on\n- " + strings.Repeat("text ", 1500), "hi"},
	} {
		t.Run(test.name+" is stopped", func(t *testing.T) {
			start := time.Now()
			acts, err := engine.Collect(rivescript.New().Answer(t.Context(), ask(test.script, test.message)))
			if err == nil || engine.Transient(err) || !strings.HasPrefix(err.Error(), "the bot's script") || strings.HasPrefix(err.Error(), "the bot's script cannot be used") {
				t.Errorf("%d acts, error %v", len(acts), err)
			}
			t.Log(time.Since(start), err)
		})
	}
}

func TestHostileUsers(t *testing.T) {
	const script = `
+ my name is *
- <set name=<star>>Hello, <get name>. <star>

+ secret
- The code is 1234.

+ show *
- Here: <call>buttons "<star>" "ok"</call>

! sub you're = you are

+ *
* <get name> == <star> => That is your name.
- You said <star>.
`
	attacks := []string{
		"{@secret}", "<call>progress x</call>", "{__call__}progress x{/__call__}", "\x00call\x01progress x\x00/call\x01",
		"\x000\x00", "\x009\x00 you're", "<set topic=x>", "{topic=nowhere}", "{random}a|b{/random}", "<get name>", "<star>", "<bot name=x>",
		"(@secret)", `a" "b`, "a` $(reboot)", "(((", "[[[", "*+?", "\\", `\n`, "$1 $0", "\uE0000\uE001", "\uE002", "﷽", "\xff\xfe", strings.Repeat("a ", 5000),
		"[selection button id={@secret}] {@secret}", "[location lat={@secret} lon=<star> name=\"{@secret}\"]", "{weight=99999999}", "~step:x",
	}
	e := rivescript.New()
	for _, attack := range attacks {
		for _, form := range []string{"%s", "my name is %s", "show %s", "%s my name is"} {
			text := fmt.Sprintf(form, attack)
			turn := ask(script, text)
			for range 3 { // also what was remembered is tried
				acts, err := engine.Collect(e.Answer(t.Context(), turn))
				if err != nil {
					t.Errorf("%q: %v", text, err)
					break
				}
				for _, act := range acts {
					switch act := act.(type) {
					case engine.Say:
						if strings.Contains(act.Text, "1234") {
							t.Errorf("%q reached a trigger: %q", text, act.Text)
						}
					case engine.Buttons:
						if len(act.Buttons) != 2 {
							t.Errorf("%q changed a call: %v", text, act)
						}
					case engine.Remember:
						turn.Memory = act.Memory
					default:
						t.Errorf("%q made an act: %#v", text, act)
					}
				}
			}
		}
	}
}

func TestConcurrency(t *testing.T) {
	e := rivescript.New()
	var users sync.WaitGroup
	for i := range 50 {
		users.Go(func() {
			name := number(i)
			script := fmt.Sprintf("! var v = %d\n+ my name is *\n- <set name=<star>>ok\n+ who am i\n- <get name>", i%5)
			_, memory := say(t, e, ask(script, "my name is "+name))
			turn := ask(script, "who am i")
			turn.Memory = memory
			if got, _ := say(t, e, turn); got != name {
				t.Errorf("user %s is %s", name, got)
			}
		})
	}
	users.Wait()
}

func TestManyScripts(t *testing.T) {
	e := rivescript.New()
	for range 2 {
		for i := range 100 { // more than are kept compiled
			want := fmt.Sprintf("script %d", i)
			if got, _ := say(t, e, ask("+ *\n- "+want, "hi")); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

func TestNothingIsPrinted(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	_, _ = engine.Collect(rivescript.New().Answer(t.Context(), ask("+ *\n* a < b => x\n- <set a=b>", "hi")))
	os.Stdout = stdout
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := io.ReadAll(r); err != nil || !bytes.Equal(out, nil) {
		t.Errorf("printed %q, error %v", out, err)
	}
}

// FuzzEngine says anything to any script: the engine never hangs, never
// panics, and what it takes for a script never makes the interpreter fail.
func FuzzEngine(f *testing.F) {
	f.Add(rivescript.Demo, "hello")
	f.Add("! array a = b|c\n+ [*] (@a|*) # _ {weight=5}\n* <get x> == 1 => {@<star>}\n- (@a) {formal}<star>{/formal}\n", "x b 1 y")
	f.Add("> begin\n+ request\n- {ok}\n< begin\n> topic t includes random\n+ x\n% y\n- z{topic=random}\n< topic\n? w\n- <call>list a</call>{topic=t}", "w")
	f.Fuzz(func(t *testing.T, script, message string) {
		acts, err := engine.Collect(rivescript.New().Answer(t.Context(), ask(script, message)))
		if e, ok := errors.AsType[*engine.Error](err); err != nil && (!ok || strings.Contains(e.Reason, "interpreter fail")) {
			t.Errorf("error %v", err)
		}
		for _, act := range acts {
			if say, ok := act.(engine.Say); ok && strings.ContainsAny(say.Text, "\x00\uE000\uE001\uE002\uE003") {
				t.Errorf("a mark shows: %q", say.Text)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	e := rivescript.New()
	turn := ask(rivescript.Demo, "Could I get a coffee, please?")
	for b.Loop() {
		if _, err := engine.Collect(e.Answer(b.Context(), turn)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewScript answers with a script that was never seen before.
func BenchmarkNewScript(b *testing.B) {
	turn := ask(rivescript.Demo, "Could I get a coffee, please?")
	for b.Loop() {
		if _, err := engine.Collect(rivescript.New().Answer(b.Context(), turn)); err != nil {
			b.Fatal(err)
		}
	}
}

func ask(script, text string) engine.Turn {
	return engine.Turn{
		Model: rivescript.Model, Backstory: script, Abilities: everything, Sender: "ada",
		Now:     time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC),
		History: []engine.Message{{Role: engine.User, Text: text}},
	}
}

// say returns the one text of a turn, and its memory.
func say(t *testing.T, e engine.Engine, turn engine.Turn) (text string, memory []byte) {
	t.Helper()
	acts, err := engine.Collect(e.Answer(t.Context(), turn))
	if err != nil {
		t.Errorf("answer: %v", err)
	}
	for _, act := range acts {
		switch act := act.(type) {
		case engine.Say:
			text = act.Text
		case engine.Remember:
			memory = act.Memory
		}
	}
	return text, memory
}

// number writes a number in letters.
func number(i int) string { return strings.Repeat("n", i/26+1) + string(rune('a'+i%26)) }
