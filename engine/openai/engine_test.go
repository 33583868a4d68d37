package openai_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/openai"
)

var _ engine.Remote = (*openai.Engine)(nil)

var everything = engine.Abilities{Buttons: true, Lists: true, Location: true, Progress: true, NewConversation: true}

func TestContract(t *testing.T) {
	s := serve(t, stream(content("Good "), content("day"), finish("stop"), usage(12)))
	enginetest.Run(t, s.engine(), ask("hi"))
}

func TestAnswer(t *testing.T) {
	for _, test := range []struct {
		name  string
		reply reply
		want  []engine.Act
	}{
		{
			"a text comes in pieces and then whole",
			stream(content(""), content("Grüß "), content("Gott 👋"), finish("stop"), usage(7)),
			[]engine.Act{engine.Delta{Text: "Grüß "}, engine.Delta{Text: "Gott 👋"}, engine.Used{Tokens: 7}, engine.Say{Text: "Grüß Gott 👋"}},
		},
		{
			"a refusal is said like a text",
			stream(refuse("I cannot"), refuse(" help with that."), finish("stop")),
			[]engine.Act{engine.Delta{Text: "I cannot"}, engine.Delta{Text: " help with that."}, engine.Say{Text: "I cannot help with that."}},
		},
		{
			"an answer that reached the limit says so",
			stream(content("Once upon"), finish("length")),
			[]engine.Act{engine.Delta{Text: "Once upon"}, engine.Say{Text: "Once upon"}, engine.Ended{Reason: engine.EndLength}},
		},
		{
			"a server that does not stream is understood too",
			whole(`{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello"}}],"usage":{"total_tokens":3}}`),
			[]engine.Act{engine.Used{Tokens: 3}, engine.Say{Text: "Hello"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			acts, err := serve(t, test.reply).answer(ask("hi"))
			if diff := cmp.Diff(test.want, acts); diff != "" || err != nil {
				t.Errorf("acts (-want +got):\n%s, error %v", diff, err)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	call := &engine.Call{ID: "x", Function: "_send_location", Arguments: json.RawMessage(`{"latitude":1,"longitude":2}`), Result: json.RawMessage(`{"status":"done"}`)}
	turn := engine.Turn{
		Model:     "gpt-x/temperature=0.5/max_tokens=9/min_p=0.1/service=fast",
		Backstory: "You are a shop.",
		Sender:    "secret sender",
		Now:       time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC),
		Timezone:  "Europe/Berlin",
		Abilities: engine.Abilities{NewConversation: true},
		History: []engine.Message{
			{Role: engine.User, Text: "where?"},
			{Role: engine.Bot, Call: call},
			{Role: engine.Bot, Text: "there"},
			{Role: engine.Context, Text: "The user is Ada."},
			{Role: engine.User},
			{Role: engine.User, Text: "thanks", Images: []engine.Image{{Type: "image/png", Data: []byte("png")}}},
		},
	}
	want := `{
		"model": "gpt-x", "stream": true, "stream_options": {"include_usage": true},
		"temperature": 0.5, "max_tokens": 9, "min_p": 0.1, "service": "fast",
		"messages": [
			{"role": "system", "content": "You are a shop.\n\nThe user is Ada.\n\nThe current time is Monday, 2026-11-23 09:05 (CET)."},
			{"role": "user", "content": "where?"},
			{"role": "assistant", "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "_send_location", "arguments": "{\"latitude\":1,\"longitude\":2}"}}]},
			{"role": "tool", "tool_call_id": "call00001", "content": "{\"status\":\"done\"}"},
			{"role": "assistant", "content": "there"},
			{"role": "user", "content": "(attachment)"},
			{"role": "user", "content": [{"type": "text", "text": "thanks"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}}]}
		],
		"tools": [{"type": "function", "function": {
			"name": "_start_new_conversation",
			"description": "Ends this conversation, so that the user's next message begins a new one. Call it only when the user asks for that.",
			"parameters": {"type": "object", "properties": {}}
		}}]
	}`

	t.Run("the request holds what the documentation says and nothing else", func(t *testing.T) {
		s := serve(t, stream(content("bye"), finish("stop")))
		if _, err := s.answer(turn); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fromJSON(t, want), s.request(0)); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
	})
	t.Run("without backstory and abilities there is neither system message nor tool", func(t *testing.T) {
		s := serve(t, stream(content("bye"), finish("stop")))
		if _, err := s.answer(ask("hi")); err != nil {
			t.Fatal(err)
		}
		want := `{"model": "gpt-x", "stream": true, "stream_options": {"include_usage": true}, "messages": [{"role": "user", "content": "hi"}]}`
		if diff := cmp.Diff(fromJSON(t, want), s.request(0)); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
	})
	t.Run("the model string bounds the history", func(t *testing.T) {
		long := engine.Turn{Model: "gpt-x/interactionMaxMessages=3"}
		for _, text := range []string{"1", "2", "3"} {
			long.History = append(long.History, engine.Message{Role: engine.User, Text: text}, engine.Message{Role: engine.Bot, Text: text})
		}
		long.History = append(long.History, engine.Message{Role: engine.User, Text: "4"})
		s := serve(t, stream(content("bye"), finish("stop")))
		if _, err := s.answer(long); err != nil {
			t.Fatal(err)
		}
		if got := messages(s.request(0)); len(got) != 3 {
			t.Errorf("%d messages, want 3: %v", len(got), got)
		}
	})
}

func TestNew(t *testing.T) {
	for _, test := range []struct {
		name   string
		config openai.Config
	}{
		{"a base URL without a scheme", openai.Config{BaseURL: "localhost:11434/v1"}},
		{"a base URL without a host", openai.Config{BaseURL: "http:///v1"}},
		{"a key with a line break", openai.Config{APIKey: key + "\n"}},
	} {
		t.Run(test.name+" is refused", func(t *testing.T) {
			if _, err := openai.New(test.config); err == nil {
				t.Error("no error")
			}
		})
	}
	t.Run("the environment is not read", func(t *testing.T) {
		s := serve(t, stream(content("hi"), finish("stop")))
		t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/elsewhere")
		t.Setenv("OPENAI_API_KEY", "another key")
		if _, err := s.answer(ask("hi")); err != nil {
			t.Error(err)
		}
	})
}

func TestModels(t *testing.T) {
	t.Run("the server's models are listed", func(t *testing.T) {
		s := serve(t, whole(`{"object":"list","data":[{"id":"gpt-x","object":"model","created":1700000000,"owned_by":"us"},{"id":"llama"}]}`))
		models, err := s.engine().Models(t.Context())
		want := []engine.ModelInfo{{ID: "gpt-x", Provider: "us", Created: time.Unix(1_700_000_000, 0).UTC()}, {ID: "llama"}}
		if diff := cmp.Diff(want, models); diff != "" || err != nil {
			t.Errorf("models (-want +got):\n%s, error %v", diff, err)
		}
	})
	t.Run("a server without a list is an error", func(t *testing.T) {
		if _, err := serve(t, fail(404, "not here")).engine().Models(t.Context()); err == nil || engine.Transient(err) {
			t.Errorf("error %v", err)
		}
	})
}

func ask(text string) engine.Turn {
	return engine.Turn{Model: "gpt-x", History: []engine.Message{{Role: engine.User, Text: text}}}
}

func fromJSON(t *testing.T, s string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func messages(request map[string]any) []any { return request["messages"].([]any) }
