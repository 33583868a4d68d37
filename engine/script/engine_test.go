package script_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/enginetest"
	"parley/engine/script"
)

func TestContract(t *testing.T) {
	enginetest.Run(t, script.New(script.Rule{Steps: []script.Step{script.Say("one", "two")}}), turn("hi"))
}

func TestRules(t *testing.T) {
	failure := &engine.Error{Reason: "busy", Transient: true}
	e := script.New(
		script.Rule{On: "hi", Times: 2, Steps: []script.Step{script.Fail(failure)}},
		script.Rule{On: "hi", Steps: []script.Step{script.Say("hello")}},
		script.Rule{On: "bye", Steps: []script.Step{script.Do(engine.NewConversation{})}},
	)

	t.Run("a rule is used as often as it says, then the next one", func(t *testing.T) {
		for range 2 {
			if _, err := answer(t, e, "hi"); !errors.Is(err, failure) {
				t.Errorf("error %v, want %v", err, failure)
			}
		}
		acts, err := answer(t, e, "hi")
		if diff := cmp.Diff([]engine.Act{engine.Say{Text: "hello"}}, acts); diff != "" || err != nil {
			t.Errorf("acts (-want +got):\n%s, error %v", diff, err)
		}
	})
	t.Run("a message that no rule fits is a permanent error", func(t *testing.T) {
		if _, err := answer(t, e, "what?"); err == nil || engine.Transient(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the turns that were run can be read", func(t *testing.T) {
		turns := e.Turns()
		if len(turns) != 4 || turns[3].History[0].Text != "what?" {
			t.Errorf("turns %+v", turns)
		}
	})
}

func TestTime(t *testing.T) {
	t.Run("a pause takes its time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := script.Func(func(engine.Turn) []script.Step {
				return []script.Step{script.Wait(time.Hour), script.Say("done")}
			})
			start := time.Now()
			if _, err := answer(t, e, "hi"); err != nil || time.Since(start) != time.Hour {
				t.Errorf("after %v, error %v", time.Since(start), err)
			}
		})
	})
	t.Run("an engine that hangs lets go when the turn's time is over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := script.New(script.Rule{Steps: []script.Step{script.Say("wait"), script.Hang()}})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := engine.Collect(e.Answer(ctx, turn("hi")))
			if !errors.Is(err, context.DeadlineExceeded) || !engine.Transient(err) {
				t.Errorf("error %v", err)
			}
		})
	})
}

func turn(text string) engine.Turn {
	return engine.Turn{Model: "script", History: []engine.Message{{Role: engine.User, Text: text}}}
}

func answer(t *testing.T, e engine.Engine, text string) ([]engine.Act, error) {
	t.Helper()
	return engine.Collect(e.Answer(t.Context(), turn(text)))
}
