package lang_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

func TestCompileRefuses(t *testing.T) {
	many := func(n int, line string) string { return strings.Repeat(line, n) }
	for _, test := range []struct{ name, script, want string }{
		// The text.
		{"a script without end", many(1<<15, "+ hi\n- x\n"), "it has 294912 bytes, at most 262144 are allowed"},
		{"bytes that are not UTF-8", "+ \xff\n- x", "it is not UTF-8"},
		{"a control character", "+ hi\n- \x00call\x01", "line 2 holds the character U+0000, which scripts may not"},
		{"a character that is ours", "+ hi\n- \uE0000\uE001", "line 2 holds the character U+E000, which scripts may not"},

		// The structure.
		{"an unknown command", "hello there", "line 1: Unknown command 'h'"},
		{"an answer before any trigger", "- hello", "line 1: Response found before trigger"},
		{"a version of the future", "! version = 3.0\n+ hi\n- x", "Unsupported RiveScript version. We only support 2.000000 at script line 1"},
		{"no trigger", "! var name = x", `it holds no trigger; a first one could be "+ *" with the answer "- Hello!" below it`},
		{"a trigger without an answer", "+ hi\n+ ho\n- x", `trigger "hi": it has no answer`},
		{"too many triggers", many(2001, "+ hi\n- x\n"), "it holds 2001 triggers, at most 2000 are allowed"},
		{"a program", "> object add javascript\nreturn 1\n< object\n+ hi\n- x", `object "add": programs in scripts are not run; <call> offers what there is`},
		{"a time zone that is not there", "! var timezone = Moon/Sea\n+ hi\n- x", `there is no time zone "Moon/Sea"`},

		// Topics.
		{"a topic begun twice", "> topic a\n+ x\n- y\n< topic\n> topic a\n+ z\n- y\n< topic", `line 5: "topic a" is begun a second time; a topic must stand in one piece, random in front`},
		{"random begun late", "+ x\n- y\n> topic random\n+ z\n- y\n< topic", `line 3: "topic random" is begun a second time; a topic must stand in one piece, random in front`},
		{"a topic without a name", "> topic\n+ x\n- y", "line 1: a topic without a name"},
		{"a topic that includes itself", "> topic a includes b\n+ x\n- y\n< topic\n> topic b inherits a\n+ x\n- y\n< topic", `topic "a": it reaches the topic "a" in two ways`},
		{"a topic that includes nothing", "> topic a includes b\n+ x\n- y\n< topic", `topic "a": there is no topic "b"`},
		{"a change to no topic", "+ x\n- y{topic=z}", `trigger "x": "y{topic=z}": there is no topic "z"`},
		{"too many ways to go on", many(51, "+ x\n% y\n- z\n"), `topic "random": 51 triggers follow "y", at most 50 are allowed`},

		// Definitions.
		{"a tag in a definition", "! var a = <bot a>\n+ x\n- y", "! var a: a definition cannot hold any of < > { }"},
		{"a tag in an array", "! array a = {random}|x\n+ x\n- y", "! array a: a definition cannot hold any of < > { }"},
		{"a substitution of punctuation", "! sub what? = what\n+ x\n- y", "! sub what?: messages are compared in small letters and without punctuation"},

		// Triggers.
		{"capital letters", "+ Hello\n- x", `trigger "Hello": messages are compared in small letters, so it must be written in small letters`},
		{"punctuation", "+ really?\n- x", `trigger "really?": messages are compared without punctuation, so it cannot hold '?'`},
		{"punctuation of other scripts", "+ 你好！\n- x", `trigger "你好！": messages are compared without punctuation, so it cannot hold '！'`},
		{"a sign of regular expressions", "+ a+\n- x", `trigger "a+": it cannot hold '+'`},
		{"a repetition", "+ a{1000}\n- x", `trigger "a{1000}": it cannot hold '{'`},
		{"an escape", "+ \\d\n- x", `trigger "\\d": it cannot hold '\\'`},
		{"a variable", "+ i am <get name>\n- x", `trigger "i am <get name>": of all tags it can hold only <bot …>; compare variables in a condition instead`},
		{"a bot variable that is not there", "+ i am <bot name>\n- x", `trigger "i am <bot name>": there is no bot variable "name"`},
		{"an array that is not there", "+ a @color\n- x", `trigger "a @color": there is no array "color"`},
		{"an array that is no words", "! array c = a|b(\n+ a @c\n- x", `trigger "a @c": array "c": "b(" cannot be part of a trigger`},
		{"a bracket left open", "+ (a\n- x", `trigger "(a": '(' is not closed`},
		{"a bracket never opened", "+ a]\n- x", `trigger "a]": ']' stands outside of brackets`},
		{"brackets that cross", "+ (a [b) c]\n- x", `trigger "(a [b) c]": ')' does not close what was opened last`},
		{"an optional in an optional", "+ [a [b]] c\n- x", `trigger "[a [b]] c": an optional part cannot hold another one`},
		{"an empty choice", "+ (a|) b\n- x", `trigger "(a|) b": a choice is empty; what may be left out is written [so]`},
		{"a choice without brackets", "+ a|b\n- x", `trigger "a|b": '|' stands outside of brackets`},
		{"too many wildcards", "+ " + many(21, "* ") + "\n- x", `trigger "` + strings.TrimSpace(many(21, "* ")) + `": it holds 21 wildcards and brackets, at most 20 are allowed`},
		{"an optional beside a letter it cannot see", "+ [*] привет\n- x", `trigger "[*] привет": an optional part at the edge does not work beside letters other than a-z; "? word" finds a word anywhere in a message`},
		{"an optional after such a letter", "+ un café [s'il]\n+ un café [*]\n- x", `trigger "un café [s'il]": an optional part at the edge does not work beside letters other than a-z; "? word" finds a word anywhere in a message`},
		{"what the bot said, written wrong", "+ a\n% b (\n- x", `% "b (": '(' is not closed`},

		// Answers.
		{"an unknown tag", "+ a\n- <b>bold</b>", `trigger "a": "<b>bold</b>": there is no tag "<b>"`},
		{"a tag that is put together", "+ a\n- <{random}bot|bot{/random} x=1>", `trigger "a": "<{random}bot|bot{/random} x=1>": there is no tag "<{random}bot|bot{/random} x=1>"`},
		{"a change of a bot variable", "+ a\n- <bot x=1>", `trigger "a": "<bot x=1>": there is no tag "<bot x=1>"`},
		{"arithmetic without a number", "+ a\n- <add x>", `trigger "a": "<add x>": there is no tag "<add x>"`},
		{"an unknown tag in braces", "+ a\n- {bold}x{/bold}", `trigger "a": "{bold}x{/bold}": there is no tag "{bold}"`},
		{"a brace left open", "+ a\n- {@x", `trigger "a": "{@x": a { is not closed`},
		{"a brace never opened", "+ a\n- x}", `trigger "a": "x}": a } closes nothing`},
		{"a weight without end", "+ a\n- x{weight=1000000000}", `trigger "a": "x{weight=1000000000}": {weight=1000000000}: at most 100 is allowed`},
		{"more tags than anybody needs", "+ a\n- " + many(51, "<star>"), `trigger "a": "` + strings.Repeat("<star>", 13) + `<s": it holds 51 tags, at most 50 are allowed`},
		{"a line without end", "+ a\n- " + many(9000, "x"), `trigger "a": "` + many(80, "x") + `": it has 9000 bytes, at most 8192 are allowed`},
		{"a condition without an answer", "+ a\n* <get x> == 1\n- x", `trigger "a": "<get x> == 1" is not a condition of the form: left == right => answer`},
		{"a condition without a comparison", "+ a\n* <get x> => y", `trigger "a": "<get x> => y" is not a condition of the form: left == right => answer`},
		{"{ok} outside of the begin block", "+ a\n- {ok}", `trigger "a": {ok} may stand once in an answer of the begin block`},
		{"{ok} twice", "> begin\n+ request\n- {ok}{ok}\n< begin\n+ a\n- x", `trigger "request": {ok} may stand once in an answer of the begin block`},

		// Calls.
		{"an unknown call", "+ a\n- <call>shout hi</call>", `: <call>shout: there is no call of that name`},
		{"an unknown call that depends on the user", "+ a *\n- <call>shout <star></call>", `: <call>shout: there is no call of that name`},
		{"a call whose name depends on the user", "+ a *\n- <call><star></call>", `: <call><star>: there is no call of that name`},
		{"a call left open", "+ a\n- <call>progress x", `: a <call> is not closed, or closed without being opened`},
		{"a call in a call", "+ a\n- <call>progress <call>progress x</call></call>", `: a <call> is not closed, or closed without being opened`},
		{"a call in a call left open", "+ a\n- <call>progress <call>progress x</call>", `: a <call> cannot hold another one`},
		{"a quotation mark left open", `+ a` + "\n" + `- <call>progress "x</call>`, `: <call>progress "x: a quotation mark is not closed`},
		{"buttons without a button", `+ a` + "\n" + `- <call>buttons footer:x</call>`, `: <call>buttons: there must be at least one button`},
		{"a list without a row", "+ a\n- <call>list section:x</call>", `: <call>list: there must be at least one row`},
		{"a place without coordinates", "+ a\n- <call>location home</call>", `: <call>location: it takes latitude, longitude and, if you like, a name and an address`},
		{"a place that is not on Earth", "+ a\n- <call>location 1 200</call>", `: <call>location: longitude must be from -180 to 180`},
		{"progress without a text", "+ a\n- <call>progress</call>", `: <call>progress: progress must not be empty`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := lang.Compile(test.script)
			if err == nil || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("error %v\n want %s", err, test.want)
			}
		})
	}
}

func TestCompileAccepts(t *testing.T) {
	for _, test := range []struct{ name, script string }{
		{"a byte order mark and carriage returns", "\uFEFF+ hi\r\n- x\r\n"},
		{"comments", "// one\n/* two\nthree */\n+ hi // four\n- x"},
		{"a heart", "+ hi\n- I <3 you"},
		{"arithmetic on variables", "+ hi\n* <get n> <= 5 => <add n=1>\n* <get n> <> 9 => x\n- <set n=0>"},
		{"a trigger of great weight", "+ hi{weight=10000}\n- x"},
		{"emoji", "+ 👍\n- 👍"},
		{"random at the beginning", "> topic random\n+ hi\n- x\n< topic"},
		{"a diamond that is none", "> topic a includes b inherits c\n+ x\n- y\n< topic\n> topic b\n+ x\n- y\n< topic\n> topic c\n+ x\n- y\n< topic"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := lang.Compile(test.script); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCompileWrites(t *testing.T) {
	const script = `
! var name = Rosé & Co.
! array fruit = red apple|pear
! sub what's = what is
> begin
+ request
- {ok}
< begin
+ do you know <bot name>
% it’s me & you
@ <star>
+ x
* <get a> == 1 => {@a {random}b|c{/random}} {@d}
- <formal>{weight=2}
- <call>buttons "a\nb" c</call>
^ more
`
	// The quotation marks and line breaks of calls are hidden behind
	// private-use characters.
	const want = `! var name = Rosé & Co.
! sub what's = what is
! array fruit = red\sapple|pear
> begin
+ request
- {ok}
< topic
> topic random
+ do you know rosé & co
% it's me you
@ <get ~jump:<star>>
+ x
* <get a> == 1 => {@<get ~step:1 a {random}b|c{/random}>} {@<get ~step:2 d>}
- <get ~formal:<star>>{weight=2}
- <call>do "buttons ` + "\uE002a\uE003b\uE002" + ` c"</call>more
< topic
`
	p, err := lang.Compile(script)
	if diff := cmp.Diff(want, p.Source); diff != "" || err != nil {
		t.Errorf("source (-want +got):\n%s, error %v", diff, err)
	}
}

func TestParseCall(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       engine.Act
	}{
		{
			"buttons", `buttons Yes "No, thanks|no" footer:"Take your time"`,
			engine.Buttons{Footer: "Take your time", Buttons: []engine.Button{{ID: "Yes", Title: "Yes"}, {ID: "no", Title: "No, thanks"}}},
		},
		{
			"a list without sections", `list Tea "Coffee | black | c"`,
			engine.List{Button: "Menu", Sections: []engine.Section{{Rows: []engine.Row{{ID: "Tea", Title: "Tea"}, {ID: "c", Title: "Coffee", Description: "black"}}}}},
		},
		{
			"a list with everything", `list button:Open header:H footer:"F f" section:Hot Tea section:"Very cold" "Water: still"`,
			engine.List{Button: "Open", Header: "H", Footer: "F f", Sections: []engine.Section{
				{Title: "Hot", Rows: []engine.Row{{ID: "Tea", Title: "Tea"}}},
				{Title: "Very cold", Rows: []engine.Row{{ID: "Water: still", Title: "Water: still"}}},
			}},
		},
		{"a request for the location", `ask-location`, engine.AskLocation{}},
		{"a request with a button", `ask-location "Share it"`, engine.AskLocation{Button: "Share it"}},
		{"a place", `location 52.5 -13.4 "The shop" "Main Street 1"`, engine.ShareLocation{Latitude: 52.5, Longitude: -13.4, Name: "The shop", Address: "Main Street 1"}},
		{"progress of many words", `progress still at it`, engine.Progress{Text: "still at it"}},
		{"a new conversation", `  new-conversation `, engine.NewConversation{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := lang.ParseCall(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("act (-want +got):\n%s, error %v", diff, err)
			}
		})
	}
}

func TestComparable(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"punctuation at the edges of words goes", "Bonjour ! Ça va ?", "bonjour ça va"},
		{"inside of words it stays", "At 12:30, write to ada@example.com.", "at 12:30 write to ada@example.com"},
		{"other writing systems have their own", "你好！「请问」。 هل؟", "你好「请问」 هل"},
		{"a phone's apostrophe is an apostrophe", "I’m", "i'm"},
		{"line breaks are blanks", "one\n\n two\tthree", "one two three"},
		{"what could be a tag or a mark goes", "a<b>{@c}\\n\"d\"\uE0001\x00`", "ab@cnd1"},
		{"bytes that are not UTF-8 go", "a\xffb", "ab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lang.Comparable(test.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzComparable(f *testing.F) {
	f.Add("Bonjour ! {@a}")
	f.Fuzz(func(t *testing.T, s string) {
		once := lang.Comparable(s)
		if twice := lang.Comparable(once); twice != once {
			t.Errorf("%q becomes %q and then %q", s, once, twice)
		}
		if strings.ContainsAny(once, "<>{}\\\"`\x00\n") {
			t.Errorf("%q becomes %q", s, once)
		}
	})
}
