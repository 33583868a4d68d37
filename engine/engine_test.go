package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/script"
)

func TestUnanswered(t *testing.T) {
	turn := engine.Turn{History: []engine.Message{hi, hello, hi, note, hi}}
	if diff := cmp.Diff([]engine.Message{hi, hi}, turn.Unanswered()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTransient(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"an error that says so", &engine.Error{Transient: true}, true},
		{"an error that says no, whatever its cause", &engine.Error{Err: context.DeadlineExceeded}, false},
		{"a wrapped error", fmt.Errorf("turn 7: %w", &engine.Error{Transient: true, RetryAfter: time.Second}), true},
		{"a turn that was stopped", context.Canceled, true},
		{"a turn that took too long", context.DeadlineExceeded, true},
		{"a timeout of the network", os.ErrDeadlineExceeded, true},
		{"anything else", errors.New("broken"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := engine.Transient(test.err); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	for _, test := range []struct {
		name string
		act  engine.Act
		want string
	}{
		{"a text is itself", engine.Say{Text: "hi"}, "hi"},
		{
			"buttons are numbered",
			engine.Buttons{Body: "Sure?", Footer: "Thanks", Buttons: []engine.Button{{"y", "Yes"}, {"n", "No"}}},
			"Sure?\n\n1. Yes\n2. No\n\nThanks",
		},
		{
			"the rows of a list are numbered through its sections",
			engine.List{Header: "Menu", Body: "What?", Sections: []engine.Section{
				{Title: "Hot", Rows: []engine.Row{{ID: "t", Title: "Tea"}, {ID: "c", Title: "Coffee", Description: "black"}}},
				{Title: "Cold", Rows: []engine.Row{{ID: "w", Title: "Water"}}},
			}},
			"Menu\n\nWhat?\n\nHot\n1. Tea\n2. Coffee – black\n\nCold\n3. Water",
		},
		{"a place is its name, address and coordinates", engine.ShareLocation{Latitude: 52.5, Longitude: -13, Name: "Shop", Address: "Main St 1"}, "Shop\nMain St 1\n52.5, -13"},
		{"a request for the location is its prompt", engine.AskLocation{Prompt: "Where?"}, "Where?"},
		{"the rest is nothing", engine.Remember{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, engine.Plain(test.act)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("choices come in the order of their numbers", func(t *testing.T) {
		act := engine.List{Sections: []engine.Section{{Rows: []engine.Row{{ID: "a", Title: "A"}}}, {Rows: []engine.Row{{ID: "b", Title: "B"}}}}}
		if diff := cmp.Diff([]engine.Button{{"a", "A"}, {"b", "B"}}, engine.Choices(act)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestCatalogue(t *testing.T) {
	builtin := engine.Builtin{Info: engine.ModelInfo{ID: "menu"}, Engine: saying("builtin", "twice")}
	both := engine.NewCatalogue(remote{saying("remote", "twice")}, builtin)

	enginetest.Run(t, both, turn("menu"))
	for _, test := range []struct{ name, model, want string }{
		{"a built-in engine answers to its name", "menu", "builtin"},
		{"options do not change who answers", "menu/temperature=1", "builtin"},
		{"the remote engine answers to every other name", "gpt-x", "remote"},
	} {
		t.Run(test.name, func(t *testing.T) {
			acts, err := engine.Collect(both.Answer(t.Context(), turn(test.model)))
			if err != nil || acts[0] != (engine.Say{Text: test.want}) {
				t.Errorf("acts %v, error %v", acts, err)
			}
		})
	}
	t.Run("without a server a remote model is a permanent error that says what to do", func(t *testing.T) {
		_, err := engine.Collect(engine.NewCatalogue(nil, builtin).Answer(t.Context(), turn("gpt-x")))
		want := `no model server is configured, so the model "gpt-x" cannot be called; set OPENAI_API_KEY or OPENAI_BASE_URL, or give the bot the model "menu"`
		if err == nil || err.Error() != want || engine.Transient(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a model string that cannot be read is an error", func(t *testing.T) {
		if _, err := engine.Collect(both.Answer(t.Context(), turn("menu/x=1/y"))); err == nil {
			t.Error("no error")
		}
	})
}

func TestModels(t *testing.T) {
	builtin := engine.Builtin{Info: engine.ModelInfo{ID: "menu"}}
	t.Run("built-in and remote models are listed by name", func(t *testing.T) {
		models, err := engine.NewCatalogue(remote{}, builtin).Models(t.Context())
		if diff := cmp.Diff([]engine.ModelInfo{{ID: "a"}, {ID: "menu"}, {ID: "z"}}, models); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s, error %v", diff, err)
		}
	})
	t.Run("the built-in ones are listed when the server cannot tell", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		models, err := engine.NewCatalogue(remote{}, builtin).Models(ctx)
		if diff := cmp.Diff([]engine.ModelInfo{{ID: "menu"}}, models); diff != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("(-want +got):\n%s, error %v", diff, err)
		}
	})
}

// remote is an engine with two models.
type remote struct{ engine.Engine }

func (remote) Models(ctx context.Context) ([]engine.ModelInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return []engine.ModelInfo{{ID: "z"}, {ID: "a"}}, nil
}

func saying(texts ...string) engine.Engine {
	return script.New(script.Rule{Steps: []script.Step{script.Say(texts...)}})
}

func turn(model string) engine.Turn {
	return engine.Turn{Model: model, History: []engine.Message{hi}}
}
