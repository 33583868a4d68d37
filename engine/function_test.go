package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

var everything = engine.Abilities{Buttons: true, Lists: true, Location: true, Progress: true, NewConversation: true}

func TestFunctionsFollowAbilities(t *testing.T) {
	for _, test := range []struct {
		name      string
		abilities engine.Abilities
		want      []string
	}{
		{"plain text has none", engine.Abilities{}, nil},
		{"location brings asking and showing", engine.Abilities{Location: true}, []string{"_request_location", "_send_location"}},
		{"everything brings all six", everything, []string{
			"_send_interactive_buttons", "_send_interactive_list", "_request_location",
			"_send_location", "_report_task_progress", "_start_new_conversation",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var names []string
			for _, f := range engine.Functions(test.abilities) {
				names = append(names, f.Name)
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("functions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFunctionParametersAreSchemas(t *testing.T) {
	for _, f := range engine.Functions(everything) {
		var schema struct {
			Type       string
			Properties map[string]any
			Required   []string
		}
		if err := json.Unmarshal(f.Parameters, &schema); err != nil || schema.Type != "object" {
			t.Errorf("%s: %v, type %q", f.Name, err, schema.Type)
		}
		for _, name := range schema.Required {
			if schema.Properties[name] == nil {
				t.Errorf("%s requires %s, which it does not describe", f.Name, name)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name, function, arguments string
		want                      engine.Act
		note                      string
	}{
		{
			"buttons", "_send_interactive_buttons",
			`{"body":"Sure?","footer":"Take your time","buttons":[{"id":"y","title":"Yes"},{"id":"n","title":"No"}]}`,
			engine.Buttons{Body: "Sure?", Footer: "Take your time", Buttons: []engine.Button{{ID: "y", Title: "Yes"}, {ID: "n", Title: "No"}}},
			"",
		},
		{
			"more buttons than fit are a list", "_send_interactive_buttons",
			`{"body":"Which?","buttons":[{"id":"1","title":"a"},{"id":"2","title":"b"},{"id":"3","title":"c"},{"id":"4","title":"d"}]}`,
			engine.Buttons{Body: "Which?", Buttons: []engine.Button{{ID: "1", Title: "a"}, {ID: "2", Title: "b"}, {ID: "3", Title: "c"}, {ID: "4", Title: "d"}}},
			"only 3 buttons fit into a message, so a list is shown instead",
		},
		{
			"a list", "_send_interactive_list",
			`{"header":"Menu","body":"What?","buttonText":"Open","sections":[{"rows":[{"id":"t","title":"Tea","description":"hot"}]}]}`,
			engine.List{Header: "Menu", Body: "What?", Button: "Open", Sections: []engine.Section{{Rows: []engine.Row{{ID: "t", Title: "Tea", Description: "hot"}}}}},
			"",
		},
		{"a request for the location", "_request_location", `{"prompt":"Where?"}`, engine.AskLocation{Prompt: "Where?"}, ""},
		{"a place at zero", "_send_location", `{"latitude":0,"longitude":0,"name":"Null"}`, engine.ShareLocation{Name: "Null"}, ""},
		{"progress", "_report_task_progress", `{"progress":"Looking"}`, engine.Progress{Text: "Looking"}, ""},
		{"no arguments at all", "_start_new_conversation", ``, engine.NewConversation{}, ""},
		{"more than was asked for", "_start_new_conversation", `{"reason":"user"}`, engine.NewConversation{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			act, note, err := function(t, test.function).Decode([]byte(test.arguments))
			if diff := cmp.Diff(test.want, act); diff != "" || note != test.note || err != nil {
				t.Errorf("act (-want +got):\n%s, note %q, error %v", diff, note, err)
			}
		})
	}
}

func TestDecodeTellsTheModelWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", 21)
	for _, test := range []struct{ name, function, arguments, want string }{
		{"not JSON", "_send_location", `{"latitude":`, "the arguments must be one JSON object"},
		{"not an object", "_send_location", `[1,2]`, "the arguments must be one JSON object"},
		{"a field that is missing", "_send_location", `{"latitude":1}`, "longitude is missing"},
		{"a field of another type", "_send_location", `{"latitude":"52","longitude":13}`, "latitude must be a number, not string"},
		{"a place that is not on Earth", "_send_location", `{"latitude":91,"longitude":0}`, "latitude must be from -90 to 90"},
		{"a title that does not fit", "_send_interactive_buttons", `{"body":"b","buttons":[{"id":"1","title":"` + long + `"}]}`, "buttons[0].title has 21 characters, at most 20 are allowed"},
		{"an emoji counts as two", "_send_interactive_buttons", `{"body":"b","buttons":[{"id":"1","title":"` + strings.Repeat("😀", 11) + `"}]}`, "buttons[0].title has 22 characters, at most 20 are allowed"},
		{"a title twice", "_send_interactive_buttons", `{"body":"b","buttons":[{"id":"1","title":"a"},{"id":"2","title":"a"}]}`, `buttons[1].title repeats "a"; each must differ`},
		{"no buttons", "_send_interactive_buttons", `{"body":"b","buttons":[]}`, "buttons must hold at least one button"},
		{"rows without end", "_send_interactive_list", list(11), "sections hold 11 rows, at most 10 fit in one list"},
		{"an empty list", "_send_interactive_list", `{"body":"b","buttonText":"t","sections":[]}`, "sections must hold at least one row"},
		{"sections without titles", "_send_interactive_list", `{"body":"b","buttonText":"t","sections":[{"rows":[{"id":"1","title":"a"}]},{"title":"x","rows":[{"id":"2","title":"b"}]}]}`, "sections[0].title must not be empty when there are several sections"},
		{"an empty progress", "_report_task_progress", `{"progress":" "}`, "progress must not be empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			act, _, err := function(t, test.function).Decode([]byte(test.arguments))
			if err == nil || err.Error() != test.want || act != nil {
				t.Errorf("act %v, error %v, want %s", act, err, test.want)
			}
		})
	}
}

func function(t *testing.T, name string) engine.Function {
	t.Helper()
	for _, f := range engine.Functions(everything) {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no function %s", name)
	return engine.Function{}
}

func list(rows int) string {
	l := engine.List{Body: "b", Button: "t", Sections: []engine.Section{{}}}
	for i := range rows {
		l.Sections[0].Rows = append(l.Sections[0].Rows, engine.Row{ID: string(rune('a' + i)), Title: "t"})
	}
	b, _ := json.Marshal(l)
	return string(b)
}
