package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func TestParseModel(t *testing.T) {
	for _, test := range []struct {
		name, model string
		want        engine.Model
	}{
		{"a name stands alone", "gpt-x", engine.Model{Name: "gpt-x"}},
		{"slashes belong to the name until the first option", "org/model:8b/temperature=0", engine.Model{Name: "org/model:8b", Temperature: new(0.0)}},
		{
			"known options are typed", "m/temperature=0.2/top_p=1/max_tokens=300/max_completion_tokens=9/seed=7/frequency_penalty=-1/presence_penalty=2/reasoning_effort=low/context_tokens=8000/image=false",
			engine.Model{
				Name: "m", Temperature: new(0.2), TopP: new(1.0), FrequencyPenalty: new(-1.0), PresencePenalty: new(2.0),
				MaxTokens: new(int64(300)), MaxCompletionTokens: new(int64(9)), Seed: new(int64(7)),
				ReasoningEffort: "low", ContextTokens: 8000, Blind: true,
			},
		},
		{
			"the spelling of ChatBotKit's clients means the same", "m/maxTokens=300/interactionMaxMessages=20/reasoningEffort=high",
			engine.Model{Name: "m", MaxTokens: new(int64(300)), MaxMessages: 20, ReasoningEffort: "high"},
		},
		{"options of the hosted platform have no effect", "m/region=eu/thresholdStrategy=compact", engine.Model{Name: "m"}},
		{
			"unknown options are kept with the type they read as", "m/min_p=0.05/cache=true/stop=a%2Fb/id=007",
			engine.Model{Name: "m", Extra: map[string]any{"min_p": json.Number("0.05"), "cache": true, "stop": "a/b", "id": "007"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := engine.ParseModel(test.model)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("(-want +got):\n%s, error %v", diff, err)
			}
		})
	}
}

func TestParseModelRefuses(t *testing.T) {
	for _, test := range []struct{ name, model, want string }{
		{"an empty name", "/temperature=1", `the model "/temperature=1" has no name`},
		{"a word after an option", "m/temperature=1/fast", `the model "m/temperature=1/fast": "fast" is not key=value`},
		{"an option without a value", "m/temperature=", `the model "m/temperature=": "temperature=" is not key=value`},
		{"a word where a number belongs", "m/temperature=hot", `the model "m/temperature=hot": temperature=hot: must be a number from 0 to 2`},
		{"a number out of range", "m/top_p=NaN", `the model "m/top_p=NaN": top_p=NaN: must be a number from 0 to 1`},
		{"a negative count", "m/max_tokens=-1", `the model "m/max_tokens=-1": max_tokens=-1: must be a whole number, 0 or more`},
		{"a flag that is neither", "m/image=maybe", `the model "m/image=maybe": image=maybe: must be true or false`},
		{"a field of the request that the turn decides", "m/messages=none", `the model "m/messages=none": messages is not for the model string to say`},
		{"a broken escape", "m/stop=%2", `the model "m/stop=%2": "stop=%2" has a wrong escape`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := engine.ParseModel(test.model)
			if err == nil || err.Error() != test.want || engine.Transient(err) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add("gpt-x/temperature=0.2/max_tokens=300")
	f.Add("a/b/c=%41/d=true")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := engine.ParseModel(s)
		if (err == nil) != (m.Name != "") {
			t.Errorf("%q: name %q, error %v", s, m.Name, err)
		}
		if _, err := json.Marshal(m.Extra); err != nil {
			t.Errorf("%q: options that no request can carry: %v", s, err)
		}
	})
}
