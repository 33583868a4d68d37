package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"parley/engine"
)

// run is one turn under way.
type run struct {
	e    *Engine
	emit func(engine.Act) error

	model     engine.Model
	system    string
	history   []engine.Message
	shortened bool
	functions []engine.Function

	// exchange holds the function calls of this turn and their results.
	exchange []openai.ChatCompletionMessageParamUnion
	calls    int
	// acted says that the user got something.
	acted bool
}

func newRun(e *Engine, m engine.Model, t engine.Turn, emit func(engine.Act) error) *run {
	r := &run{e: e, emit: emit, model: m, system: systemPrompt(t), functions: engine.Functions(t.Abilities)}
	budget := e.contextTokens
	if m.ContextTokens > 0 {
		budget = int(m.ContextTokens)
	}
	budget -= engine.Estimate([]engine.Message{{Text: r.system}})
	r.history = engine.Trim(t.History, budget)
	if m.MaxMessages > 0 {
		r.history = engine.TrimMessages(r.history, int(m.MaxMessages))
	}
	return r
}

func systemPrompt(t engine.Turn) string {
	parts := []string{t.Backstory}
	for _, m := range t.History {
		if m.Role == engine.Context {
			parts = append(parts, m.Text)
		}
	}
	if zone, err := time.LoadLocation(t.Timezone); err == nil && t.Timezone != "" {
		parts = append(parts, "The current time is "+t.Now.In(zone).Format("Monday, 2006-01-02 15:04 (MST)")+".")
	}
	filled := parts[:0]
	for _, p := range parts {
		if strings.TrimSpace(p) != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, "\n\n")
}

func (r *run) params() openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{
		Model:               r.model.Name,
		Messages:            r.messages(),
		Tools:               tools(r.functions),
		StreamOptions:       openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
		Temperature:         optional(r.model.Temperature),
		TopP:                optional(r.model.TopP),
		FrequencyPenalty:    optional(r.model.FrequencyPenalty),
		PresencePenalty:     optional(r.model.PresencePenalty),
		MaxTokens:           optional(r.model.MaxTokens),
		MaxCompletionTokens: optional(r.model.MaxCompletionTokens),
		Seed:                optional(r.model.Seed),
		ReasoningEffort:     shared.ReasoningEffort(r.model.ReasoningEffort),
	}
	p.SetExtraFields(r.model.Extra)
	return p
}

func optional[T comparable](v *T) param.Opt[T] {
	if v == nil {
		return param.Opt[T]{}
	}
	return param.NewOpt(*v)
}

func tools(functions []engine.Function) []openai.ChatCompletionToolUnionParam {
	var list []openai.ChatCompletionToolUnionParam
	for _, f := range functions {
		list = append(list, openai.ChatCompletionToolUnionParam{OfFunction: tool(f)})
	}
	return list
}

// encoded are functions as a request offers them, by name. They never change,
// and encoding them took a tenth of what a turn costs.
var encoded sync.Map

func tool(f engine.Function) *openai.ChatCompletionFunctionToolParam {
	if known, ok := encoded.Load(f.Name); ok {
		return known.(*openai.ChatCompletionFunctionToolParam)
	}
	raw, err := json.Marshal(openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name:        f.Name,
		Description: openai.String(f.Description),
		Parameters:  shared.FunctionParameters(object(f.Parameters)),
	}))
	if err != nil {
		panic(err) // the table of functions is ours
	}
	t := param.Override[openai.ChatCompletionFunctionToolParam](json.RawMessage(raw))
	encoded.Store(f.Name, &t)
	return &t
}

func (r *run) messages() []openai.ChatCompletionMessageParamUnion {
	var list []openai.ChatCompletionMessageParamUnion
	if r.system != "" {
		list = append(list, openai.SystemMessage(r.system))
	}
	for i, m := range r.history {
		switch {
		case m.Role == engine.User:
			list = append(list, r.userMessage(m))
		case m.Call != nil:
			// IDs need only be unique within a request. These also satisfy
			// servers that want exactly nine letters and digits.
			c := call{id: fmt.Sprintf("call%05d", i), name: m.Call.Function, arguments: string(m.Call.Arguments)}
			list = append(list, assistantCalls("", []call{c}), openai.ToolMessage(string(m.Call.Result), c.id))
		case m.Role == engine.Bot:
			list = append(list, openai.AssistantMessage(m.Text))
		}
	}
	return append(list, r.exchange...)
}

func (r *run) userMessage(m engine.Message) openai.ChatCompletionMessageParamUnion {
	if len(m.Images) == 0 || r.model.Blind {
		if m.Text == "" {
			return openai.UserMessage("(attachment)")
		}
		return openai.UserMessage(m.Text)
	}
	var parts []openai.ChatCompletionContentPartUnionParam
	if m.Text != "" {
		parts = append(parts, openai.TextContentPart(m.Text))
	}
	for _, image := range m.Images {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
			URL: "data:" + image.Type + ";base64," + base64.StdEncoding.EncodeToString(image.Data),
		}))
	}
	return openai.UserMessage(parts)
}

func (r *run) showsImages() bool {
	if r.model.Blind {
		return false
	}
	for _, m := range r.history {
		if len(m.Images) > 0 {
			return true
		}
	}
	return false
}

// assistantCalls is the assistant's message that makes calls. Arguments that
// are no JSON object are sent as an empty one: servers read them back.
func assistantCalls(text string, calls []call) openai.ChatCompletionMessageParamUnion {
	var m openai.ChatCompletionAssistantMessageParam
	if text != "" {
		m.Content.OfString = openai.String(text)
	}
	for _, c := range calls {
		arguments := c.arguments
		if object([]byte(arguments)) == nil {
			arguments = "{}"
		}
		m.ToolCalls = append(m.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
			OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
				ID:       c.id,
				Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: c.name, Arguments: arguments},
			},
		})
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: &m}
}

// object reads a JSON object; nil when it is none.
func object(b []byte) map[string]any {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}
