package simulator_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// do calls the Graph API as it is.
func (l *life) do(t testing.TB, method, path, token, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://graph.test"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := l.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func (l *life) post(t testing.TB, body string) (int, string) {
	t.Helper()
	return l.do(t, "POST", "/v25.0/"+numberID+"/messages", business.Token, body)
}

// codeOf reads Meta's error code and the subcode.
func codeOf(t testing.TB, body string) [2]int {
	t.Helper()
	var e struct {
		Error struct {
			Message, Type string
			Code          int
			Subcode       int    `json:"error_subcode"`
			TraceID       string `json:"fbtrace_id"`
		}
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error.Message == "" || e.Error.Type == "" || e.Error.TraceID == "" {
		t.Errorf("not in the shape of Meta's errors (%v): %s", err, body)
	}
	return [2]int{e.Error.Code, e.Error.Subcode}
}

func TestCallsThatMetaRefuses(t *testing.T) {
	const path, good = "/v25.0/" + numberID + "/messages", `{"messaging_product":"whatsapp","to":"1555","type":"text","text":{"body":"x"}}`
	cases := []struct {
		rule, method, path, token, body string
		status                          int
		code                            [2]int
	}{
		{"a path that does not exist", "POST", "/v25.0/x/y/z", business.Token, good, 400, [2]int{2500, 0}},
		{"no version", "POST", "/" + numberID + "/messages", business.Token, good, 400, [2]int{2500, 0}},
		{"no token", "POST", path, "", good, 401, [2]int{104, 0}},
		{"another token", "POST", path, "other", good, 401, [2]int{190, 0}},
		{"another number", "POST", "/v25.0/454545/messages", business.Token, good, 400, [2]int{100, 33}},
		{"another method", "GET", path, business.Token, "", 400, [2]int{100, 33}},
		{"no JSON", "POST", path, business.Token, "hello", 400, [2]int{100, 0}},
		{"a wrong type", "POST", path, business.Token, `{"messaging_product":5}`, 400, [2]int{100, 0}},
		{"another version", "POST", "/v99.1/" + numberID + "/messages", business.Token, good, 200, [2]int{}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				status, body := l.do(t, c.method, c.path, c.token, c.body)
				if status != c.status || status != 200 && codeOf(t, body) != c.code {
					t.Errorf("got %d %s", status, body)
				}
				if calls := l.Calls(); len(calls) != 1 || calls[0].Status != c.status || calls[0].Code != c.code[0] {
					t.Errorf("recorded: %+v", calls)
				}
				l.idle(t)
			})
		})
	}
}

func TestMessagesThatMetaRefuses(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	button := func(id, title string) string {
		return `{"type":"reply","reply":{"id":"` + id + `","title":"` + title + `"}}`
	}
	buttons := func(body string, list ...string) string {
		return `"to":"1","type":"interactive","interactive":{"type":"button","body":{"text":"` + body + `"},"action":{"buttons":[` + strings.Join(list, ",") + `]}}`
	}
	rows := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, `{"id":"`+x(i+1)+`","title":"t"}`)
		}
		return strings.Join(list, ",")
	}
	list := func(button, sections string) string {
		return `"to":"1","type":"interactive","interactive":{"type":"list","body":{"text":"b"},"action":{"button":"` + button + `","sections":[` + sections + `]}}`
	}
	cases := []struct {
		rule, fields string
		good         bool
	}{
		{"no address", `"type":"text","text":{"body":"x"}`, false},
		{"no type", `"to":"1","text":{"body":"x"}`, false},
		{"an unknown type", `"to":"1","type":"hologram"`, false},
		{"a text without body", `"to":"1","type":"text","text":{}`, false},
		{"a text of 4096 units", `"to":"1","type":"text","text":{"body":"` + x(4096) + `"}`, true},
		{"a text of 4097 units", `"to":"1","type":"text","text":{"body":"` + x(4097) + `"}`, false},
		{"an emoji counts twice", `"to":"1","type":"text","text":{"body":"` + x(4095) + `😀"}`, false},
		{"a user ID as recipient", `"recipient":"US.1","type":"text","text":{"body":"x"}`, true},
		{"a template", `"to":"1","type":"template","template":{"name":"hello","language":{"code":"en"}}`, true},
		{"an image without a source", `"to":"1","type":"image","image":{"caption":"x"}`, false},
		{"an image by ID", `"to":"1","type":"image","image":{"id":"5"}`, true},
		{"a caption of 1025 units", `"to":"1","type":"image","image":{"id":"5","caption":"` + x(1025) + `"}`, false},
		{"a caption on audio", `"to":"1","type":"audio","audio":{"id":"5","caption":"x"}`, false},
		{"a location without a latitude", `"to":"1","type":"location","location":{"longitude":1}`, false},
		{"a location", `"to":"1","type":"location","location":{"latitude":0,"longitude":0}`, true},
		{"a reaction", `"to":"1","type":"reaction","reaction":{"message_id":"wamid.1","emoji":""}`, true},
		{"a reaction to nothing", `"to":"1","type":"reaction","reaction":{"emoji":"x"}`, false},
		{"an interactive message without a body", `"to":"1","type":"interactive","interactive":{"type":"button"}`, false},
		{"an unknown interactive message", `"to":"1","type":"interactive","interactive":{"type":"x","body":{"text":"b"}}`, false},
		{"no buttons", buttons("b"), false},
		{"three buttons", buttons("b", button("1", "a"), button("2", "b"), button("3", "c")), true},
		{"four buttons", buttons("b", button("1", "a"), button("2", "b"), button("3", "c"), button("4", "d")), false},
		{"equal titles", buttons("b", button("1", "a"), button("2", "a")), false},
		{"equal IDs", buttons("b", button("1", "a"), button("1", "b")), false},
		{"a title of 21 units", buttons("b", button("1", x(21))), false},
		{"an ID of 257 units", buttons("b", button(x(257), "a")), false},
		{"a body of 1025 units", buttons(x(1025), button("1", "a")), false},
		{"ten rows", list("b", `{"rows":[`+rows(10)+`]}`), true},
		{"eleven rows", list("b", `{"rows":[`+rows(11)+`]}`), false},
		{"no rows", list("b", `{"rows":[]}`), false},
		{"rows of equal IDs", list("b", `{"rows":[{"id":"1","title":"a"},{"id":"1","title":"b"}]}`), false},
		{"two sections without titles", list("b", `{"rows":[`+rows(1)+`]},{"rows":[{"id":"q","title":"q"}]}`), false},
		{"a row title of 25 units", list("b", `{"rows":[{"id":"1","title":"`+x(25)+`"}]}`), false},
		{"a list without a button", list("", `{"rows":[`+rows(1)+`]}`), false},
		{"a location request", `"to":"1","type":"interactive","interactive":{"type":"location_request_message","body":{"text":"b"},"action":{"name":"send_location"}}`, true},
		{"a location request without its action", `"to":"1","type":"interactive","interactive":{"type":"location_request_message","body":{"text":"b"}}`, false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				status, body := l.post(t, `{"messaging_product":"whatsapp",`+c.fields+`}`)
				if (status == 200) != c.good || !c.good && (status != 400 || codeOf(t, body)[0] != 100) {
					t.Errorf("got %d %s", status, body)
				}
			})
		})
	}
}

func TestWhatOurConstructorsMakeIsAccepted(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		for _, length := range []int{1, 21, 61, 73, 257, 1025, 2000} {
			s := strings.Repeat("👍🏽 a", length)
			row := whatsapp.Row{ID: s, Title: s, Description: s}
			for _, parts := range [][]whatsapp.Outbound{
				whatsapp.Text(s),
				whatsapp.Buttons(s, s, []whatsapp.Button{{ID: s, Title: s}, {ID: s, Title: s}}),
				whatsapp.Buttons("", "", make([]whatsapp.Button, 7)),
				whatsapp.List(whatsapp.Menu{Header: s, Body: s, Footer: s, Button: s, Sections: []whatsapp.Section{{Title: s, Rows: []whatsapp.Row{row, row}}, {Rows: []whatsapp.Row{row}}}}),
				whatsapp.AskLocation(s),
				whatsapp.Place(1, 2, s, s),
				whatsapp.Attach(whatsapp.Attachment{Kind: "document", Link: "https://a.b/c", Caption: s, Filename: "c.pdf"}),
				whatsapp.Attach(whatsapp.Attachment{Kind: "audio", Link: "https://a.b/c", Caption: s}),
			} {
				for _, o := range parts {
					if _, err := l.send(t, ann, o, "p"); err != nil {
						t.Fatalf("length %d: %.200s: %v", length, o.Payload(), err)
					}
				}
			}
		}
	})
}

func TestReadAndTyping(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		id := l.Person(numberID, ann).Write("hello")
		for _, typing := range []bool{false, true} {
			if err := l.client.MarkRead(t.Context(), l.Credentials(numberID), id, typing); err != nil {
				t.Error(err)
			}
		}
		var e *whatsapp.Error
		if err := l.client.MarkRead(t.Context(), l.Credentials(numberID), "wamid.unknown", true); !errors.As(err, &e) || e.Code != 131009 {
			t.Errorf("an unknown message: %v", err)
		}
		var kinds []string
		for _, c := range l.Calls() {
			kinds = append(kinds, c.Kind)
		}
		if diff := cmp.Diff([]string{"read", "typing", "typing"}, kinds); diff != "" {
			t.Errorf("calls: -want +got\n%s", diff)
		}
	})
}

func TestATokenCanBeReplaced(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		old := l.Credentials(numberID)
		n := business
		n.Token = "EAAnew"
		l.Connect(n)
		address, err := whatsapp.ParseAddress(ann)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.client.Send(t.Context(), old, address, text("hi").Payload(), "")
		if whatsapp.Advise(err).Action != whatsapp.Stop {
			t.Errorf("the old token: %v", err)
		}
		if _, err := l.send(t, ann, text("hi"), ""); err != nil {
			t.Errorf("the new token: %v", err)
		}
	})
}

func TestNobodyNeedsACallback(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		n := business
		n.Callback = ""
		l.Connect(n)
		l.Person(numberID, ann).Write("hello")
		if _, err := l.send(t, ann, text("hi"), ""); err != nil {
			t.Error(err)
		}
		l.idle(t)
		if hooks := l.Webhooks(); len(hooks) != 0 {
			t.Errorf("%d webhooks", len(hooks))
		}
	})
}

func TestTheCastIsACopy(t *testing.T) {
	simulator.Cast()[0].Number = "changed"
	if slices.ContainsFunc(simulator.Cast(), func(r simulator.Role) bool { return r.Number == "changed" }) {
		t.Error("the table was changed from outside")
	}
}
