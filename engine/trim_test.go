package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/engine"
)

var (
	hi    = engine.Message{Role: engine.User, Text: "hi"}
	hello = engine.Message{Role: engine.Bot, Text: "hello"}
	note  = engine.Message{Role: engine.Context, Text: "The user is Ada."}
	call  = engine.Message{Role: engine.Bot, Call: &engine.Call{Function: "f", Arguments: json.RawMessage(`{}`), Result: json.RawMessage(`{}`)}}
)

func TestTrimMessages(t *testing.T) {
	for _, test := range []struct {
		name    string
		history []engine.Message
		budget  int
		want    []engine.Message
	}{
		{"what fits is kept whole", []engine.Message{hi, hello, hi}, 3, []engine.Message{hi, hello, hi}},
		{"an answer goes with its question", []engine.Message{hi, hello, hi}, 2, []engine.Message{hi}},
		{"a call stays with the messages around it", []engine.Message{hi, call, hello, hi, call, hello, hi}, 5, []engine.Message{hi, call, hello, hi}},
		{"the messages to answer are kept at any price", []engine.Message{hi, hello, hi, hi, hi}, 0, []engine.Message{hi, hi, hi}},
		{"a greeting belongs to the first exchange", []engine.Message{hello, hi, hello, hi}, 3, []engine.Message{hi}},
		{"a greeting before the only message stays", []engine.Message{hello, hi}, 0, []engine.Message{hello, hi}},
		{"a note goes with what follows it", []engine.Message{hi, hello, note, hi}, 2, []engine.Message{note, hi}},
		{"nothing stays nothing", nil, 5, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, engine.TrimMessages(test.history, test.budget)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrimKeepsAsMuchAsTheBudgetAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.SliceOf(rapid.SampledFrom([]engine.Message{hi, hello, note, call})).Draw(t, "history")
		budget := rapid.IntRange(0, 200).Draw(t, "budget")
		kept := engine.Trim(history, budget)

		if diff := cmp.Diff(history[len(history)-len(kept):], kept); diff != "" {
			t.Fatalf("not the end of the history:\n%s", diff)
		}
		if diff := cmp.Diff(engine.Turn{History: history}.Unanswered(), engine.Turn{History: kept}.Unanswered()); diff != "" {
			t.Fatalf("dropped a message to answer:\n%s", diff)
		}
		if len(kept) < len(history) && len(kept) > 0 && kept[0].Role == engine.Bot {
			t.Fatal("begins with an answer without its question")
		}
		if must := engine.Trim(history, 0); len(kept) > len(must) && engine.Estimate(kept) > budget {
			t.Fatalf("costs %d, budget %d", engine.Estimate(kept), budget)
		}
	})
}

func TestEstimate(t *testing.T) {
	t.Run("an image costs more than its caption", func(t *testing.T) {
		plain := engine.Estimate([]engine.Message{hi})
		if seen := engine.Estimate([]engine.Message{{Role: engine.User, Text: "hi", Images: []engine.Image{{}}}}); seen <= 10*plain {
			t.Errorf("with image %d, without %d", seen, plain)
		}
	})
}
