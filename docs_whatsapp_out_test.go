package parley_test

import (
	"encoding/json"
	"fmt"
	"go/types"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
	"parley/whatsapp"
)

// doing is what an engine does in one turn. Those with a number are of one sort,
// which is divided where they begin to look different.
type doing struct {
	what string
	n    int
	acts []engine.Act
}

const numbered = 12

func doings() []doing {
	long := strings.Repeat("Lorem ipsum. ", 770)
	one := func(what string, acts ...engine.Act) doing { return doing{what: what, acts: acts} }
	all := []doing{
		one("`Say`", engine.Say{Text: "Hello"}),
		one("`Say`, Markdown", engine.Say{Text: "## Today\n**Soup** and [more](https://example.org)"}),
		one("`Say`, an image in Markdown", engine.Say{Text: "Look:\n\n![Our soup](https://example.org/soup.jpg)"}),
		one("`Say`, 10,010 characters", engine.Say{Text: long}),
		one("`Say`, 400,400 characters", engine.Say{Text: strings.Repeat(long, 40)}),
		one("`Say` and `Say`", engine.Say{Text: "One"}, engine.Say{Text: "Two"}),
		one("`Say`, nothing but space", engine.Say{Text: " \n"}),
	}
	for n := range numbered {
		all = append(all, doing{"`Buttons`", n + 1, []engine.Act{engine.Buttons{Body: "Which?", Buttons: buttons(n + 1)}}})
	}
	all = append(all,
		one("`Buttons`, a footer", engine.Buttons{Body: "Which?", Footer: "Take your time", Buttons: buttons(2)}),
		one("`Buttons`, a body of 2,002 characters", engine.Buttons{Body: long[:2002], Buttons: buttons(2)}),
		one("`Buttons`, a long title", engine.Buttons{Body: "Sure?", Buttons: []engine.Button{{ID: "y", Title: "Yes, as sure as can be"}}}))
	for n := range numbered {
		var rows []engine.Row
		for _, b := range buttons(n + 1) {
			rows = append(rows, engine.Row{ID: b.ID, Title: b.Title})
		}
		all = append(all, doing{"`List`, rows", n + 1, []engine.Act{engine.List{Body: "Which?", Sections: []engine.Section{{Rows: rows}}}}})
	}
	return append(all,
		one("`AskLocation`", engine.AskLocation{Prompt: "Where are you?"}),
		one("`ShareLocation`", engine.ShareLocation{Latitude: 37.48, Longitude: -122.15, Name: "Shop"}),
		one("`ShareLocation`, not on the earth", engine.ShareLocation{Latitude: 137.48, Longitude: -122.15, Name: "Shop"}),
		one("`Progress`", engine.Progress{Text: "One moment"}),
		one("`NewConversation`", engine.NewConversation{}),
		one("`Called`", engine.Called{Call: engine.Call{ID: "1", Function: "look"}}),
		one("`Remember`", engine.Remember{Memory: []byte("x")}),
		one("`Used`", engine.Used{Tokens: 7}),
		one("`Delta`", engine.Delta{Text: "He"}),
		one("`Ended`", engine.Ended{Reason: engine.EndLength}))
}

func buttons(n int) []engine.Button {
	all := make([]engine.Button, n)
	for i := range all {
		title := strconv.Itoa(i + 1)
		all[i] = engine.Button{ID: title, Title: title}
	}
	return all
}

// actTable lets an engine do all there is, and looks at what Meta gets.
func actTable(t *testing.T, s source) table {
	t.Helper()
	all := doings()
	checkAllActs(t, s, all)
	e := script.Func(func(turn engine.Turn) []script.Step {
		i, _ := strconv.Atoi(turn.Unanswered()[0].Text)
		return []script.Step{script.Do(all[i].acts...)}
	})
	b := table{head: []string{"act", "WhatsApp gets", "remarks"}, keys: 1}
	inHouse(t, options{engine: e}, func(h *house) {
		someone := func(i int) string { return fmt.Sprint(15559000000 + i) }
		for i := range all {
			h.notify(text(someone(i), fmt.Sprint("wamid.", i), strconv.Itoa(i)))
		}
		h.settle()
		first, looks := 1, ""
		for i, d := range all {
			got := h.shown(someone(i))
			if d.n == 0 {
				b.rows = append(b.rows, []string{d.what, got})
				continue
			}
			got = regexp.MustCompile("`(\\w+)[^`]*`").ReplaceAllString(got, "`$1`") // the words do not matter
			if d.n > 1 && got != looks {
				b.rows = append(b.rows, []string{fmt.Sprintf("%s, %d to %d", d.what, first, d.n-1), looks})
				first = d.n
			}
			if looks = got; d.n == numbered {
				b.rows = append(b.rows, []string{fmt.Sprintf("%s, %d or more", d.what, first), looks})
				first = 1
			}
		}
	})
	return b
}

// checkAllActs wants every act of the engine package to be done.
func checkAllActs(t *testing.T, s source, all []doing) {
	t.Helper()
	done := map[string]bool{}
	for _, d := range all {
		done[strings.TrimPrefix(fmt.Sprintf("%T", d.acts[0]), "engine.")] = true
	}
	room := s.room("engine")
	act := room.Lookup("Act").Type().Underlying().(*types.Interface)
	for _, name := range room.Names() {
		if n, ok := room.Lookup(name).(*types.TypeName); ok && name != "Act" && types.Implements(n.Type(), act) && !done[name] {
			t.Errorf("no engine of this test does %s", name)
		}
	}
}

// sent is what Meta was given, as far as it is shown here.
type sent struct {
	Text        struct{ Body string }
	Image       struct{ Caption string }
	Interactive struct {
		Type         string
		Body, Footer struct{ Text string }
		Action       struct {
			Button   string
			Buttons  []struct{ Reply struct{ Title string } }
			Sections []struct{ Rows []struct{ Title string } }
		}
	}
}

// shown tells what a person was sent.
func (h *house) shown(person string) string {
	h.t.Helper()
	var all []string
	for _, a := range h.sim.Accepted(person) {
		var m sent
		if err := json.Unmarshal(a.Payload, &m); err != nil {
			h.t.Fatal(err)
		}
		kind := a.Type
		if kind == "interactive" {
			kind = m.Interactive.Type
		}
		all = append(all, code(strings.TrimSpace(kind+" "+m.String())))
	}
	switch n := len(all); {
	case n == 0:
		return "nothing"
	case n > 4:
		return fmt.Sprintf("%d messages, the last %s", n, all[n-1])
	}
	return strings.Join(all, ", ")
}

// String is the message's words on one line, with its choices in brackets.
func (m sent) String() string {
	words := m.Text.Body + m.Image.Caption + m.Interactive.Body.Text
	if len(words) > 99 {
		words = fmt.Sprintf("(%d characters)", len(words))
	}
	for _, b := range m.Interactive.Action.Buttons {
		words += " [" + b.Reply.Title + "]"
	}
	for _, s := range m.Interactive.Action.Sections {
		for _, r := range s.Rows {
			words += " [" + m.Interactive.Action.Button + ": " + r.Title + "]"
		}
	}
	if footer := m.Interactive.Footer.Text; footer != "" {
		words += " (" + footer + ")"
	}
	return strings.ReplaceAll(words, "\n", "⏎")
}

// functionTable tells what models may call.
func functionTable(t *testing.T) table {
	const everything = `{"body":"b","buttons":[{"id":"a","title":"A"}],"buttonText":"B","sections":[{"rows":[{"id":"a","title":"A"}]}],` +
		`"prompt":"p","latitude":1,"longitude":1,"progress":"p"}`
	b := table{head: []string{"function", "arguments", "act"}, keys: 1}
	for _, f := range engine.Functions(engine.Abilities{Buttons: true, Lists: true, Location: true, Progress: true, NewConversation: true}) {
		var schema struct {
			Properties map[string]json.RawMessage
			Required   []string
		}
		if err := json.Unmarshal(f.Parameters, &schema); err != nil {
			t.Fatal(err)
		}
		arguments := slices.Clone(schema.Required)
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if !slices.Contains(schema.Required, name) {
				arguments = append(arguments, "["+name+"]")
			}
		}
		act, _, err := f.Decode([]byte(everything))
		if err != nil {
			t.Fatal(err)
		}
		list := "none"
		if len(arguments) > 0 {
			list = code(strings.Join(arguments, " "))
		}
		b.rows = append(b.rows, []string{code(f.Name), list, code(strings.TrimPrefix(fmt.Sprintf("%T", act), "engine."))})
	}
	return b
}

// waits tells after which times something is tried again, of so many tries in
// all.
func waits(a whatsapp.Advice, tries int) string {
	if a.Action != whatsapp.Retry && a.Action != whatsapp.BackOff && a.Action != whatsapp.Pace {
		return "–"
	}
	n := tries - 1
	if a.Tries > 0 {
		n = min(n, a.Tries)
	}
	var all []string
	for try := range n {
		all = append(all, span(a.Wait(try)))
	}
	if len(slices.Compact(slices.Clone(all))) == 1 && n > 1 {
		return fmt.Sprintf("%d times %s", n, all[0])
	}
	return strings.Join(all, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func codeTable() table {
	b := table{head: []string{"code", "class", "tried again after", "cure", "means"}, keys: 1}
	for _, row := range whatsapp.Advices() {
		codes := strconv.Itoa(row.From)
		if row.To != row.From {
			codes += "–" + strconv.Itoa(row.To)
		}
		b.rows = append(b.rows, []string{codes, code(string(row.Action)), waits(row.Advice, conversation.DefaultRules().SendAttempts), orDash(row.Cure)})
	}
	return b
}

// errorTable is of errors whose code says nothing, or that have none.
func errorTable() table {
	b := table{head: []string{"what happened", "class", "tried again after", "cure"}, keys: 1}
	of := func(status int) error { return &whatsapp.Error{Status: status} }
	for _, c := range []struct {
		what string
		err  error
	}{
		{"code 100 with subcode 33", &whatsapp.Error{Code: 100, Subcode: 33}},
		{"another code that Meta calls transient", &whatsapp.Error{Status: 400, Code: 99, Transient: true}},
		{"HTTP status 401 or 403", of(401)},
		{"HTTP status 404, or a redirect", of(404)},
		{"HTTP status 429", of(429)},
		{"HTTP status 408", of(408)},
		{"HTTP status 500 and above, by Meta", &whatsapp.Error{Status: 500, Code: 99}},
		{"any other refusal", of(400)},
		{"no connection could be made", &whatsapp.Unsent{Err: io.EOF}},
		{"the connection broke, time ran out, a proxy's error, a 200 without a wamid", &whatsapp.Unclear{Err: io.EOF}},
	} {
		a := whatsapp.Advise(c.err)
		b.rows = append(b.rows, []string{c.what, code(string(a.Action)), waits(a, conversation.DefaultRules().SendAttempts), orDash(a.Cure)})
	}
	return b
}

func actionTable(s source) table {
	b := table{head: []string{"class", "what Parley does"}, keys: 1}
	for _, action := range s.words("whatsapp", "Action") {
		b.rows = append(b.rows, []string{code(action)})
	}
	return b
}

func mediaTable(s source) table {
	b := table{head: []string{"problem", "tried again after", "means"}, keys: 1}
	for _, problem := range s.words("whatsapp", "MediaProblem") {
		a := whatsapp.AdviseMedia(&whatsapp.MediaError{Problem: whatsapp.MediaProblem(problem)})
		b.rows = append(b.rows, []string{code(problem), waits(a, conversation.DefaultRules().FetchAttempts)})
	}
	return b
}
