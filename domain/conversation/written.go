package conversation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"parley/domain"
	"parley/events"
)

// Written is a message that somebody puts into a session.
type Written struct {
	// ID is a new one.
	ID          string `msgpack:"id"`
	Type        string `msgpack:"ty"`
	Text        string `msgpack:"tx"`
	Name        string `msgpack:"nm"`
	Description string `msgpack:"ds"`
	// Meta is a JSON object; may be empty.
	Meta []byte `msgpack:"mt"`
}

// MaxLine and MaxAbout bound what a message, and what is said about a session,
// take in plain ASCII JSON, in bytes: both together are one line of an export,
// and readers stop at lines of 1 MiB. Spec: "Streams and exports".
const (
	MaxLine  = 600 << 10
	MaxAbout = 384 << 10
)

// types are the types that messages have. Spec: "Conversations, messages,
// contacts".
var types = []string{"user", "bot", "reasoning", "context", "instruction", "backstory", "activity", "checkpoint"}

// Check refuses a message that cannot be stored.
func (w Written) Check() error {
	_, err := w.fact("")
	return err
}

func (w Written) fact(session string) (events.MessageWritten, error) {
	f := events.MessageWritten{
		Session: session, Message: w.ID, Type: w.Type, Text: w.Text, Name: w.Name, Description: w.Description,
	}
	var err error
	if f.Meta, err = domain.MergeMeta(nil, w.Meta); err != nil {
		return f, err
	}
	if !slices.Contains(types, w.Type) {
		return f, domain.Refused(domain.Invalid, "type", fmt.Sprintf(`"type" must be one of %q`, types))
	}
	if w.Type == "activity" {
		if _, err := ActivityOf(f.Meta); err != nil {
			return f, err
		}
	}
	err = cmp.Or(
		domain.CheckText("text", w.Text, MaxLine),
		domain.CheckText("name", w.Name, domain.MaxName),
		domain.CheckText("description", w.Description, domain.MaxDescription),
	)
	if err != nil {
		return f, err
	}
	if escaped(w.Text)+escaped(w.Name)+escaped(w.Description)+escaped(string(f.Meta)) > MaxLine {
		return f, domain.Refused(domain.Invalid, "text", fmt.Sprintf(`"text" is too long: with all else the message has more than %d bytes of JSON`, MaxLine))
	}
	return f, nil
}

// escaped bounds what a text takes in ASCII JSON, in bytes.
func escaped(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r < ' ', r == '"', r == '\\', r == '<', r == '>', r == '&', r >= 0x7f && r <= 0xffff:
			n += len(`\u0000`)
		case r > 0xffff:
			n += len(`\u0000\u0000`)
		default:
			n++
		}
	}
	return n
}

// Activity is what a message of the type "activity" tells: a function was
// called, it gave a result, or it set something off.
type Activity struct {
	// Type is "request", "response" or "trigger".
	Type     string
	Function struct {
		Name      string
		Arguments json.RawMessage
		Result    json.RawMessage
	}
}

// ActivityOf reads the activity in a message's meta. The refusal says what is
// missing.
func ActivityOf(meta []byte) (Activity, error) {
	var m struct {
		Activity struct {
			Type     string
			Function *struct {
				Name      string
				Arguments json.RawMessage
				Result    json.RawMessage
			}
		}
	}
	refused := func(field, what string) (Activity, error) {
		return Activity{}, domain.Refused(domain.Invalid, field, fmt.Sprintf("%q must be %s", field, what))
	}
	if len(meta) > 0 {
		if err := json.Unmarshal(meta, &m); err != nil {
			return refused("meta.activity", "an object with type and function")
		}
	}
	a := m.Activity
	switch {
	case a.Type != "request" && a.Type != "response" && a.Type != "trigger":
		return refused("meta.activity.type", "request, response or trigger")
	case a.Function == nil || a.Function.Name == "":
		return refused("meta.activity.function", "an object with a name")
	}
	return Activity{Type: a.Type, Function: *a.Function}, nil
}
