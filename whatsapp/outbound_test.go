package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

func payloads(parts []whatsapp.Outbound) (list []string) {
	for _, o := range parts {
		list = append(list, string(o.Payload()))
	}
	return list
}

func TestPayloadsAreMetasJSON(t *testing.T) {
	cases := []struct {
		rule  string
		parts []whatsapp.Outbound
		want  string
	}{
		{"text", whatsapp.Text("a < b"), `{"type":"text","text":{"body":"a < b"}}`},
		{"text with a link", whatsapp.Text("http://a.b"), `{"type":"text","text":{"body":"http://a.b","preview_url":true}}`},
		{"buttons", whatsapp.Buttons("Go?", "F", []whatsapp.Button{{ID: "y", Title: "Yes"}, {ID: "n", Title: "No"}}), `{"type":"interactive","interactive":{"type":"button","body":{"text":"Go?"},"footer":{"text":"F"},"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}}}`},
		{"list", whatsapp.List(whatsapp.Menu{
			Header: "H", Body: "B", Footer: "F", Button: "Open",
			Sections: []whatsapp.Section{{Title: "S", Rows: []whatsapp.Row{{ID: "1", Title: "One", Description: "first"}}}, {Rows: nil}},
		}), `{"type":"interactive","interactive":{"type":"list","header":{"type":"text","text":"H"},"body":{"text":"B"},"footer":{"text":"F"},"action":{"button":"Open","sections":[{"title":"S","rows":[{"id":"1","title":"One","description":"first"}]}]}}}`},
		{"location request", whatsapp.AskLocation("Where?"), `{"type":"interactive","interactive":{"type":"location_request_message","body":{"text":"Where?"},"action":{"name":"send_location"}}}`},
		{"location", whatsapp.Place(37.5, -122, "HQ", ""), `{"type":"location","location":{"latitude":37.5,"longitude":-122,"name":"HQ"}}`},
		{"location off the earth", whatsapp.Place(math.NaN(), 200, "HQ", "Road 1"), `{"type":"text","text":{"body":"HQ\n\nRoad 1\n\nNaN, 200"}}`},
		{"image", whatsapp.Attach(whatsapp.Attachment{Kind: "image", Link: "https://a.b/c.png", Caption: "C"}), `{"type":"image","image":{"link":"https://a.b/c.png","caption":"C"}}`},
		{"video", whatsapp.Attach(whatsapp.Attachment{Kind: "video", Link: "https://a.b/c.mp4"}), `{"type":"video","video":{"link":"https://a.b/c.mp4"}}`},
		{"audio", whatsapp.Attach(whatsapp.Attachment{Kind: "audio", Link: "https://a.b/c.ogg"}), `{"type":"audio","audio":{"link":"https://a.b/c.ogg"}}`},
		{"document", whatsapp.Attach(whatsapp.Attachment{Kind: "document", Link: "https://a.b/c", Filename: "c.pdf"}), `{"type":"document","document":{"link":"https://a.b/c","filename":"c.pdf"}}`},
		{"a link that Meta cannot fetch", whatsapp.Attach(whatsapp.Attachment{Kind: "image", Link: "file:///etc/passwd", Caption: "C"}), `{"type":"text","text":{"body":"C\n\nfile:///etc/passwd"}}`},
		{"a kind that Meta does not know", whatsapp.Attach(whatsapp.Attachment{Kind: "model", Link: "https://a.b/c"}), `{"type":"text","text":{"body":"https://a.b/c","preview_url":true}}`},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff([]string{c.want}, payloads(c.parts)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCaptionsThatDoNotFitFollowAsText(t *testing.T) {
	long := strings.Repeat("c", 1025)
	for _, a := range []whatsapp.Attachment{
		{Kind: "audio", Link: "https://a.b/c", Caption: "short"},
		{Kind: "image", Link: "https://a.b/c", Caption: long},
	} {
		parts := whatsapp.Attach(a)
		if got := payloads(parts); len(got) != 2 || !strings.HasPrefix(got[0], `{"type":"`+a.Kind+`"`) || strings.Contains(got[0], "caption") {
			t.Fatalf("%s: %v", a.Kind, got)
		}
		if got := bodies(t, parts[1:])[0]; got != a.Caption {
			t.Errorf("%s: the text is %q", a.Kind, got)
		}
	}
}

func TestButtonsDegrade(t *testing.T) {
	full := "A title that is much longer than twenty"
	many := func(n int) (list []whatsapp.Button) {
		for i := range n {
			list = append(list, whatsapp.Button{ID: fmt.Sprint("id", i), Title: fmt.Sprint("Title ", i)})
		}
		return list
	}
	t.Run("a long title is cut and stands in full in the body", func(t *testing.T) {
		m := sentMessages(t, whatsapp.Buttons("Which?", "", []whatsapp.Button{{ID: "a", Title: full}}))[0].Interactive
		if m.Action.Buttons[0].Reply.Title != "A title that is muc…" || m.Body.Text != "Which?\n\n- "+full {
			t.Errorf("got %q, body %q", m.Action.Buttons[0].Reply.Title, m.Body.Text)
		}
	})
	t.Run("equal titles and IDs are told apart", func(t *testing.T) {
		m := sentMessages(t, whatsapp.Buttons("?", "", []whatsapp.Button{{"a", "Yes"}, {"a", "Yes"}, {"", ""}}))[0].Interactive
		got := []choice{m.Action.Buttons[0].Reply, m.Action.Buttons[1].Reply, m.Action.Buttons[2].Reply}
		if diff := cmp.Diff([]choice{{"a", "Yes", ""}, {"a (2)", "Yes (2)", ""}, {"-", "…", ""}}, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
	t.Run("four to ten become a list", func(t *testing.T) {
		for _, n := range []int{4, 10} {
			m := sentMessages(t, whatsapp.Buttons("Which?", "F", many(n)))[0].Interactive
			if m.Type != "list" || len(m.Action.Sections[0].Rows) != n || m.Action.Sections[0].Rows[n-1].ID != fmt.Sprint("id", n-1) {
				t.Errorf("%d buttons: %+v", n, m)
			}
		}
	})
	t.Run("more become a numbered text", func(t *testing.T) {
		got := bodies(t, whatsapp.Buttons("Which?", "F", many(11)))
		if len(got) != 1 || !strings.HasPrefix(got[0], "Which?\n\n1. Title 0\n2. Title 1\n") || !strings.HasSuffix(got[0], "11. Title 10\n\nF") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("none leave the text", func(t *testing.T) {
		if diff := cmp.Diff([]string{"Hm?\n\nF"}, bodies(t, whatsapp.Buttons("Hm?", "F", nil))); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
	t.Run("a long footer moves into the body", func(t *testing.T) {
		m := sentMessages(t, whatsapp.Buttons("B", strings.Repeat("f", 61), many(1)))[0].Interactive
		if m.Footer != nil || m.Body.Text != "B\n\n"+strings.Repeat("f", 61) {
			t.Errorf("footer %v, body %q", m.Footer, m.Body.Text)
		}
	})
	t.Run("a long body begins in texts before", func(t *testing.T) {
		body := strings.Repeat("A sentence of the body. ", 300)
		parts := sentMessages(t, whatsapp.Buttons(body, "", many(2)))
		last := parts[len(parts)-1]
		if last.Interactive.Type != "button" || units(last.Interactive.Body.Text) > 1024 || len(parts) != 3 {
			t.Fatalf("%d parts, the last: %+v", len(parts), last)
		}
		got := parts[0].Text.Body + parts[1].Text.Body + last.Interactive.Body.Text
		if visible(got) != visible(body) {
			t.Error("the text is not whole")
		}
	})
}

func TestListsDegrade(t *testing.T) {
	menu := whatsapp.Menu{
		Header: strings.Repeat("h", 61), Button: strings.Repeat("b", 30),
		Sections: []whatsapp.Section{
			{Title: strings.Repeat("s", 30), Rows: []whatsapp.Row{{Title: strings.Repeat("t", 25), Description: strings.Repeat("d", 73)}}},
			{Rows: []whatsapp.Row{{ID: strings.Repeat("i", 201), Title: "x"}}},
		},
	}
	m := sentMessages(t, whatsapp.List(menu))[0].Interactive
	for _, full := range []string{menu.Header, menu.Sections[0].Title, menu.Sections[0].Rows[0].Title, menu.Sections[0].Rows[0].Description} {
		if !strings.Contains(m.Body.Text, full) {
			t.Errorf("%q is not in the body", full)
		}
	}
	first, second := m.Action.Sections[0], m.Action.Sections[1]
	got := []int{units(m.Action.Button), units(first.Title), units(first.Rows[0].Title), units(first.Rows[0].Description), units(second.Rows[0].ID)}
	if diff := cmp.Diff([]int{20, 24, 24, 72, 200}, got); diff != "" {
		t.Errorf("lengths: -want +got\n%s", diff)
	}
	if second.Title != "2" {
		t.Errorf("a section among several must have a title, got %q", second.Title)
	}
	if m := sentMessages(t, whatsapp.List(whatsapp.Menu{Sections: []whatsapp.Section{{Rows: []whatsapp.Row{{Title: "x"}}}}}))[0].Interactive; m.Body.Text != "…" || m.Action.Button != "Menu" {
		t.Errorf("a list must have a body and a button, got %q and %q", m.Body.Text, m.Action.Button)
	}
}

func TestEveryInteractiveMessageIsWithinTheLimits(t *testing.T) {
	for _, length := range []int{0, 1, 19, 20, 21, 24, 25, 60, 61, 72, 73, 200, 257, 1024, 1025, 4096, 4097, 9000} {
		for _, unit := range []string{"x", "👍🏽", "word "} {
			text := strings.Repeat(unit, length)
			rows := []whatsapp.Row{{ID: text, Title: text, Description: text}, {ID: text, Title: text}}
			for _, parts := range [][]whatsapp.Outbound{
				whatsapp.Buttons(text, text, []whatsapp.Button{{text, text}, {text, text}}),
				whatsapp.List(whatsapp.Menu{Header: text, Body: text, Footer: text, Button: text, Sections: []whatsapp.Section{{text, rows}, {text, rows}}}),
				whatsapp.AskLocation(text),
			} {
				for _, m := range sentMessages(t, parts) {
					checkLimits(t, m)
				}
			}
		}
	}
}

// checkLimits holds a message against Meta's documented limits.
func checkLimits(t *testing.T, m sentMessage) {
	t.Helper()
	within := func(what, text string, least, most int) {
		if n := units(text); n < least || n > most {
			t.Errorf("%s %s has %d units", m.Interactive.Type, what, n)
		}
	}
	if m.Type == "text" {
		within("text", m.Text.Body, 1, 4096)
		return
	}
	i := m.Interactive
	body := map[string]int{"button": 1024, "list": 4096, "location_request_message": 1024}[i.Type]
	within("body", i.Body.Text, 1, body)
	within("header", i.Header.Text, 0, 60)
	if i.Footer != nil {
		within("footer", i.Footer.Text, 1, 60)
	}
	seen := map[string]bool{}
	unique := func(what, text string) {
		if seen[what+text] {
			t.Errorf("%s %s %q twice", i.Type, what, text)
		}
		seen[what+text] = true
	}
	for _, b := range i.Action.Buttons {
		within("title", b.Reply.Title, 1, 20)
		within("id", b.Reply.ID, 1, 256)
		unique("title", b.Reply.Title)
		unique("id", b.Reply.ID)
	}
	for _, s := range i.Action.Sections {
		within("section", s.Title, 1, 24)
		for _, r := range s.Rows {
			within("title", r.Title, 1, 24)
			within("id", r.ID, 1, 200)
			within("description", r.Description, 0, 72)
			unique("id", r.ID)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"15551234567":             "15551234567",
		"+1 (555) 123-4567":       "15551234567",
		"US.13491208655302741918": "US.13491208655302741918",
		"US.ENT.1181579921288684": "US.ENT.1181579921288684",
		"":                        "",
		"+":                       "",
		"1555x":                   "",
		"us.1":                    "",
		"USA.1":                   "",
		"US.":                     "",
		"US.1\",\"to\":\"2":       "",
		"123@g.us":                "",
		"１２３":                     "",
	} {
		a, err := whatsapp.ParseAddress(text)
		if a.String() != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", text, a, err)
		}
	}
}

func TestASenderIsAnAddress(t *testing.T) {
	for _, name := range fixtures(t, "synthetic") {
		for _, m := range parse(t, fixture(t, name)).Messages {
			if a, err := whatsapp.ParseAddress(m.Sender()); err != nil || a.String() != m.Sender() {
				t.Errorf("%s: %q became %q, %v", name, m.Sender(), a, err)
			}
		}
	}
}

// jsonEqual compares two JSON texts by meaning.
func jsonEqual(t *testing.T, want, got []byte) string {
	t.Helper()
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	return cmp.Diff(w, g)
}
