package engine

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Model is a parsed model string: a name, and options for the call.
type Model struct {
	// Name is what the server calls the model. It may hold slashes, for
	// example "mistralai/Mistral-7B-Instruct-v0.3".
	Name string

	// The options of a chat completion; nil or empty leaves the choice to the
	// server.
	Temperature         *float64
	TopP                *float64
	FrequencyPenalty    *float64
	PresencePenalty     *float64
	MaxTokens           *int64
	MaxCompletionTokens *int64
	Seed                *int64
	ReasoningEffort     string

	// ContextTokens is how many tokens of conversation the model is given, and
	// MaxMessages how many messages; 0 leaves both to the engine.
	ContextTokens int64
	MaxMessages   int64
	// Blind says that the model cannot see, so that it gets no images.
	Blind bool

	// Extra holds the options that we do not know, for the server to judge:
	// a number or a boolean where the value reads as one, otherwise a string.
	Extra map[string]any
}

// ParseModel reads a model string: a name, then options, each "/key=value".
// Keys may be written max_tokens or maxTokens; a value may be
// percent-encoded. What cannot be understood is a permanent *Error.
func ParseModel(s string) (Model, error) {
	name, options := splitModel(s)
	if name == "" {
		return Model{}, &Error{Reason: fmt.Sprintf("the model %q has no name", s), Invalid: true}
	}
	m := Model{Name: name}
	for _, option := range options {
		if err := m.set(option); err != nil {
			return Model{}, &Error{Reason: fmt.Sprintf("the model %q: %v", s, err), Invalid: true}
		}
	}
	return m, nil
}

// splitModel cuts before the first segment that is an option.
func splitModel(s string) (name string, options []string) {
	segments := strings.Split(strings.TrimSpace(s), "/")
	for i, segment := range segments {
		if strings.Contains(segment, "=") {
			return strings.Join(segments[:i], "/"), segments[i:]
		}
	}
	return strings.Join(segments, "/"), nil
}

func (m *Model) set(option string) error {
	key, value, ok := strings.Cut(option, "=")
	if !ok || key == "" || value == "" {
		return fmt.Errorf("%q is not key=value", option)
	}
	value, err := url.PathUnescape(value)
	if err != nil {
		return fmt.Errorf("%q has a wrong escape", option)
	}
	key = snakeCase(key)
	if hostedOnly[key] {
		return nil
	}
	if ours[key] {
		return fmt.Errorf("%s is not for the model string to say", key)
	}
	if set, ok := modelOptions[key]; ok {
		if err := set(m, value); err != nil {
			return fmt.Errorf("%s=%s: %w", key, value, err)
		}
		return nil
	}
	if m.Extra == nil {
		m.Extra = map[string]any{}
	}
	m.Extra[key] = scalar(value)
	return nil
}

// modelOptions are the options that we understand.
var modelOptions = map[string]func(*Model, string) error{
	"temperature":              number(0, 2, func(m *Model) **float64 { return &m.Temperature }),
	"top_p":                    number(0, 1, func(m *Model) **float64 { return &m.TopP }),
	"frequency_penalty":        number(-2, 2, func(m *Model) **float64 { return &m.FrequencyPenalty }),
	"presence_penalty":         number(-2, 2, func(m *Model) **float64 { return &m.PresencePenalty }),
	"max_tokens":               whole(func(m *Model, n int64) { m.MaxTokens = &n }),
	"max_completion_tokens":    whole(func(m *Model, n int64) { m.MaxCompletionTokens = &n }),
	"seed":                     whole(func(m *Model, n int64) { m.Seed = &n }),
	"context_tokens":           whole(func(m *Model, n int64) { m.ContextTokens = n }),
	"interaction_max_messages": whole(func(m *Model, n int64) { m.MaxMessages = n }),
	"reasoning_effort":         func(m *Model, s string) error { m.ReasoningEffort = s; return nil },
	"image": func(m *Model, s string) error {
		see, err := strconv.ParseBool(s)
		m.Blind = !see
		if err != nil {
			return fmt.Errorf("must be true or false")
		}
		return nil
	},
}

// hostedOnly are options that ChatBotKit's clients write for its own platform.
// They have no meaning for a model server and are passed over.
var hostedOnly = map[string]bool{
	"region": true, "threshold_strategy": true, "interpreter": true,
	"audio": true, "video": true, "file": true,
}

// ours are the fields of a request that the turn decides.
var ours = map[string]bool{
	"model": true, "messages": true, "tools": true, "stream": true, "stream_options": true,
}

func number(low, high float64, field func(*Model) **float64) func(*Model, string) error {
	return func(m *Model, s string) error {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= low && f <= high) {
			return fmt.Errorf("must be a number from %g to %g", low, high)
		}
		*field(m) = &f
		return nil
	}
}

func whole(set func(*Model, int64)) func(*Model, string) error {
	return func(m *Model, s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("must be a whole number, 0 or more")
		}
		set(m, n)
		return nil
	}
}

// scalar reads a value as the JSON number or boolean it looks like.
func scalar(s string) any {
	var v any
	if json.Unmarshal([]byte(s), &v) == nil {
		switch v.(type) {
		case float64:
			return json.Number(strings.TrimSpace(s))
		case bool:
			return v
		}
	}
	return s
}

// snakeCase turns maxTokens into max_tokens.
func snakeCase(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
