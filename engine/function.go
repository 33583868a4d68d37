package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Function is something a model may call to do more than talk.
// Spec: Advanced Interactive Features.
type Function struct {
	Name        string
	Description string
	// Parameters is the JSON Schema of the arguments.
	Parameters json.RawMessage

	offered func(Abilities) bool
	decode  func([]byte) (Act, string, error)
}

// Functions returns the functions that a channel's abilities make possible.
func Functions(a Abilities) []Function {
	var offered []Function
	for _, f := range functions {
		if f.offered(a) {
			offered = append(offered, f)
		}
	}
	return offered
}

// Decode turns a model's arguments into the act they ask for. note tells the
// model what was changed on the way; it is empty when nothing was. An error
// says what is wrong with the arguments, worded for the model. No arguments at
// all count as {}.
func (f Function) Decode(arguments []byte) (act Act, note string, err error) {
	if len(bytes.TrimSpace(arguments)) == 0 {
		arguments = []byte("{}")
	}
	return f.decode(arguments)
}

// functions is the whole table.
var functions = []Function{
	{
		Name: "_send_interactive_buttons",
		Description: "Sends the user a message with up to 3 buttons to tap. Use it for yes/no questions and other short choices. " +
			"The tap comes back as a user message of the form [selection button id=ID] Title. Do not repeat the question or the choices as text.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"body":{"type":"string","description":"The question, at most 1024 characters"},` +
			`"footer":{"type":"string","description":"A small line below, at most 60 characters"},` +
			`"buttons":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"object","properties":{` +
			`"id":{"type":"string","description":"A stable name of the choice"},` +
			`"title":{"type":"string","description":"What the button says, at most 20 characters"}},` +
			`"required":["id","title"]}}},"required":["body","buttons"]}`),
		offered: func(a Abilities) bool { return a.Buttons },
		decode:  decodeButtons,
	},
	{
		Name: "_send_interactive_list",
		Description: "Sends the user a message with a menu of up to 10 rows, in sections, that opens on a tap. Use it for more than 3 choices. " +
			"The choice comes back as a user message of the form [selection list id=ID] Title. Do not repeat the choices as text.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"header":{"type":"string","description":"A heading, at most 60 characters"},` +
			`"body":{"type":"string","description":"The question"},` +
			`"footer":{"type":"string","description":"A small line below, at most 60 characters"},` +
			`"buttonText":{"type":"string","description":"The text that opens the menu, at most 20 characters"},` +
			`"sections":{"type":"array","minItems":1,"maxItems":10,"items":{"type":"object","properties":{` +
			`"title":{"type":"string","description":"At most 24 characters; needed when there are several sections"},` +
			`"rows":{"type":"array","minItems":1,"maxItems":10,"items":{"type":"object","properties":{` +
			`"id":{"type":"string","description":"A stable name of the choice"},` +
			`"title":{"type":"string","description":"At most 24 characters"},` +
			`"description":{"type":"string","description":"At most 72 characters"}},` +
			`"required":["id","title"]}}},"required":["rows"]}}},"required":["body","buttonText","sections"]}`),
		offered: func(a Abilities) bool { return a.Lists },
		decode:  decodeAct[List]("body", "buttonText", "sections"),
	},
	{
		Name: "_request_location",
		Description: "Asks the user to share their location. " +
			"It comes back as a user message of the form [location lat=LATITUDE lon=LONGITUDE name=\"…\" address=\"…\" ].",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"prompt":{"type":"string","description":"Why the location is needed, at most 1024 characters"},` +
			`"buttonText":{"type":"string"}},"required":["prompt"]}`),
		offered: func(a Abilities) bool { return a.Location },
		decode:  decodeAct[AskLocation]("prompt"),
	},
	{
		Name:        "_send_location",
		Description: "Shows the user a place on a map.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"latitude":{"type":"number","minimum":-90,"maximum":90},` +
			`"longitude":{"type":"number","minimum":-180,"maximum":180},` +
			`"name":{"type":"string"},"address":{"type":"string"}},"required":["latitude","longitude"]}`),
		offered: func(a Abilities) bool { return a.Location },
		decode:  decodeAct[ShareLocation]("latitude", "longitude"),
	},
	{
		Name:        "_report_task_progress",
		Description: "Tells the user at once, in one short sentence, that you are still working on a task that takes long.",
		Parameters: json.RawMessage(`{"type":"object","properties":{` +
			`"progress":{"type":"string"}},"required":["progress"]}`),
		offered: func(a Abilities) bool { return a.Progress },
		decode:  decodeAct[Progress]("progress"),
	},
	{
		Name:        "_start_new_conversation",
		Description: "Ends this conversation, so that the user's next message begins a new one. Call it only when the user asks for that.",
		Parameters:  json.RawMessage(`{"type":"object","properties":{}}`),
		offered:     func(a Abilities) bool { return a.NewConversation },
		decode:      decodeAct[NewConversation](),
	},
}

// decodeButtons tells the model that more buttons than fit are shown as a list.
func decodeButtons(arguments []byte) (Act, string, error) {
	var b Buttons
	if err := decodeObject(arguments, &b, "body", "buttons"); err != nil {
		return nil, "", err
	}
	if err := b.check(MaxRows); err != nil {
		return nil, "", err
	}
	if len(b.Buttons) > MaxButtons {
		return b, fmt.Sprintf("only %d buttons fit into a message, so a list is shown instead", MaxButtons), nil
	}
	return b, "", nil
}

func decodeAct[T Act](required ...string) func([]byte) (Act, string, error) {
	return func(arguments []byte) (Act, string, error) {
		var act T
		if err := decodeObject(arguments, &act, required...); err != nil {
			return nil, "", err
		}
		if c, ok := any(act).(interface{ Check() error }); ok {
			if err := c.Check(); err != nil {
				return nil, "", err
			}
		}
		return act, "", nil
	}
}

func decodeObject(arguments []byte, into any, required ...string) error {
	var present map[string]json.RawMessage
	if err := json.Unmarshal(arguments, &present); err != nil {
		return errors.New("the arguments must be one JSON object")
	}
	for _, field := range required {
		if v := present[field]; v == nil || string(v) == "null" {
			return fmt.Errorf("%s is missing", field)
		}
	}
	err := json.Unmarshal(arguments, into)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s must be %s, not %s", e.Field, jsonType(e.Type), e.Value)
	}
	return err
}

// jsonType names the JSON type that a Go type is read from.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}
