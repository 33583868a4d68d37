package openai_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func TestCalls(t *testing.T) {
	t.Run("calls become acts in order, and their results go back", func(t *testing.T) {
		s := serve(
			t,
			stream(
				content("One moment."),
				toolCall(0, "a1", "_report_task_progress", ""),
				toolCall(0, "", "", `{"progress":"Loo`),
				toolCall(1, "a2", "_send_location", `{"latitude":52.5,`),
				toolCall(0, "", "", `king"}`),
				toolCall(1, "", "", `"longitude":13.4}`),
				finish("tool_calls"), usage(5),
			),
			stream(content("There."), finish("stop"), usage(6)),
		)
		acts, err := s.answer(able(everything))
		done := json.RawMessage(`{"status":"done"}`)
		want := []engine.Act{
			engine.Delta{Text: "One moment."},
			engine.Used{Tokens: 5},
			engine.Say{Text: "One moment."},
			engine.Progress{Text: "Looking"},
			engine.Called{Call: engine.Call{ID: "a1", Function: "_report_task_progress", Arguments: json.RawMessage(`{"progress":"Looking"}`), Result: done}},
			engine.ShareLocation{Latitude: 52.5, Longitude: 13.4},
			engine.Called{Call: engine.Call{ID: "a2", Function: "_send_location", Arguments: json.RawMessage(`{"latitude":52.5,"longitude":13.4}`), Result: done}},
			engine.Delta{Text: "There."},
			engine.Used{Tokens: 6},
			engine.Say{Text: "There."},
		}
		if diff := cmp.Diff(want, acts); diff != "" || err != nil {
			t.Fatalf("acts (-want +got):\n%s, error %v", diff, err)
		}
		exchange := fromJSON(t, `{"messages": [
			{"role": "assistant", "content": "One moment.", "tool_calls": [
				{"id": "a1", "type": "function", "function": {"name": "_report_task_progress", "arguments": "{\"progress\":\"Looking\"}"}},
				{"id": "a2", "type": "function", "function": {"name": "_send_location", "arguments": "{\"latitude\":52.5,\"longitude\":13.4}"}}]},
			{"role": "tool", "tool_call_id": "a1", "content": "{\"status\":\"done\"}"},
			{"role": "tool", "tool_call_id": "a2", "content": "{\"status\":\"done\"}"}
		]}`)
		if diff := cmp.Diff(messages(exchange), messages(s.request(1))[1:]); diff != "" {
			t.Errorf("second request (-want +got):\n%s", diff)
		}
	})

	for _, test := range []struct{ name, function, arguments, stored, result string }{
		{"wrong arguments are answered with what is wrong", "_send_location", `{"latitude":"north"}`, `{"latitude":"north"}`, `{"error":"longitude is missing"}`},
		{"arguments that are not JSON are kept as a string", "_send_location", `{"lat`, `"{\"lat"`, `{"error":"the arguments must be one JSON object"}`},
		{"a function that was not offered does not exist", "_rm_rf", ``, `{}`, `{"error":"there is no function \"_rm_rf\""}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t,
				stream(toolCall(0, "a", test.function, test.arguments), finish("tool_calls")),
				stream(content("Sorry."), finish("stop")),
			)
			acts, err := s.answer(able(everything))
			want := []engine.Act{
				engine.Called{Call: engine.Call{ID: "a", Function: test.function, Arguments: json.RawMessage(test.stored), Result: json.RawMessage(test.result)}},
				engine.Delta{Text: "Sorry."},
				engine.Say{Text: "Sorry."},
			}
			if diff := cmp.Diff(want, acts); diff != "" || err != nil {
				t.Fatalf("acts (-want +got):\n%s, error %v", diff, err)
			}
			told := messages(s.request(1))
			if got := told[len(told)-1].(map[string]any)["content"]; got != test.result {
				t.Errorf("the model was told %v", got)
			}
		})
	}

	t.Run("a channel without abilities offers nothing, so nothing can be called", func(t *testing.T) {
		s := serve(t,
			stream(toolCall(0, "a", "_report_task_progress", `{"progress":"x"}`), finish("tool_calls")),
			stream(content("Sorry."), finish("stop")),
		)
		acts, err := s.answer(ask("hi"))
		if _, isCall := acts[0].(engine.Called); !isCall || err != nil {
			t.Errorf("acts %v, error %v", acts, err)
		}
	})
	t.Run("an answer of calls alone is complete", func(t *testing.T) {
		s := serve(t,
			stream(toolCall(0, "a", "_start_new_conversation", ""), finish("tool_calls")),
			stream(finish("stop")),
		)
		acts, err := s.answer(able(everything))
		if len(acts) != 2 || acts[0] != (engine.NewConversation{}) || err != nil {
			t.Errorf("acts %v, error %v", acts, err)
		}
	})
	t.Run("calls without IDs or with one index for all are told apart", func(t *testing.T) {
		s := serve(t,
			stream(toolCall(0, "x", "_report_task_progress", `{"progress":"1"}`), toolCall(0, "y", "_report_task_progress", `{"progress":"2"}`), finish("stop")),
			whole(`{"choices":[{"finish_reason":"stop","message":{"tool_calls":[{"function":{"name":"_report_task_progress","arguments":"{\"progress\":\"3\"}"}}]}}]}`),
			stream(content("ok"), finish("stop")),
		)
		acts, err := s.answer(able(everything))
		var progress []string
		ids := map[string]bool{}
		for _, a := range acts {
			switch a := a.(type) {
			case engine.Progress:
				progress = append(progress, a.Text)
			case engine.Called:
				ids[a.Call.ID] = true
			}
		}
		if diff := cmp.Diff([]string{"1", "2", "3"}, progress); diff != "" || len(ids) != 3 || err != nil {
			t.Errorf("progress (-want +got):\n%s, IDs %v, error %v", diff, ids, err)
		}
	})
}

func TestCallsEnd(t *testing.T) {
	t.Run("a model that never stops calling is stopped after 8 rounds", func(t *testing.T) {
		s := serve(t, stream(toolCall(0, "a", "_report_task_progress", `{"progress":"still"}`), finish("tool_calls")))
		acts, err := s.answer(able(everything))
		if err != nil || s.count() != 8 || acts[len(acts)-1] != (engine.Ended{Reason: engine.EndIteration}) {
			t.Errorf("%d requests, last act %v, error %v", s.count(), acts[len(acts)-1], err)
		}
	})
	t.Run("a flood of calls does not reach the user", func(t *testing.T) {
		var events []string
		for i := range 100 {
			events = append(events, toolCall(i, fmt.Sprint("c", i), "_report_task_progress", `{"progress":"x"}`))
		}
		s := serve(t, stream(append(events, finish("tool_calls"))...), stream(content("ok"), finish("stop")))
		acts, err := s.answer(able(everything))
		shown := 0
		for _, a := range acts {
			if _, ok := a.(engine.Progress); ok {
				shown++
			}
		}
		if shown != 32 || err != nil {
			t.Errorf("%d acts shown, error %v", shown, err)
		}
		told := messages(s.request(1))
		if last := fmt.Sprint(told[len(told)-1]); !strings.Contains(last, "too many function calls") {
			t.Errorf("the model was told %s", last)
		}
	})
}

func able(a engine.Abilities) engine.Turn {
	turn := ask("hi")
	turn.Abilities = a
	return turn
}
