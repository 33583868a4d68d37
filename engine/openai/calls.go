package openai

import (
	"encoding/json"
	"fmt"

	"github.com/openai/openai-go/v3"

	"parley/engine"
)

// outcome is what the model is told about its call.
type outcome struct {
	Status string `json:"status,omitempty"`
	Note   string `json:"note,omitempty"`
	Error  string `json:"error,omitempty"`
}

// perform yields the acts that the model's calls stand for, and keeps the
// results for the next round.
func (r *run) perform(a *answer) error {
	for i := range a.calls {
		if a.calls[i].id == "" {
			a.calls[i].id = fmt.Sprintf("call%05d", len(r.history)+len(r.exchange)+i)
		}
	}
	r.exchange = append(r.exchange, assistantCalls(a.text(), a.calls))
	for _, c := range a.calls {
		result, err := r.performOne(c)
		if err != nil {
			return err
		}
		r.exchange = append(r.exchange, openai.ToolMessage(string(result), c.id))
	}
	return nil
}

func (r *run) performOne(c call) (result json.RawMessage, err error) {
	act, o := r.decode(c)
	if act != nil {
		r.acted = true
		if err := r.emit(act); err != nil {
			return nil, err
		}
	}
	result, err = json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode the result of %s: %w", c.name, err)
	}
	called := engine.Call{ID: c.id, Function: c.name, Arguments: argumentsJSON(c.arguments), Result: result}
	return result, r.emit(engine.Called{Call: called})
}

// decode finds the act of a call, or what to tell the model instead.
func (r *run) decode(c call) (engine.Act, outcome) {
	if r.calls++; r.calls > maxCalls {
		return nil, outcome{Error: "too many function calls in one turn; answer the user now"}
	}
	for _, f := range r.functions {
		if f.Name != c.name {
			continue
		}
		act, note, err := f.Decode([]byte(c.arguments))
		if err != nil {
			return nil, outcome{Error: err.Error()}
		}
		return act, outcome{Status: "done", Note: note}
	}
	return nil, outcome{Error: fmt.Sprintf("there is no function %q", c.name)}
}

// argumentsJSON is what a model wrote as JSON, whatever it wrote.
func argumentsJSON(s string) json.RawMessage {
	if s == "" {
		return json.RawMessage("{}")
	}
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage("{}")
	}
	return quoted
}
