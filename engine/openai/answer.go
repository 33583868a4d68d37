package openai

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"parley/engine"
)

// answer is what the model sent in one round.
type answer struct {
	content strings.Builder
	refusal strings.Builder
	calls   []call
	// finish is the reason to end, "" while the answer is incomplete.
	finish string
	tokens int
}

// call is a function call as the model wrote it.
type call struct {
	index     int64
	id        string
	name      string
	arguments string
}

// ask makes one request and yields the text as it comes.
func (r *run) ask(ctx context.Context) (*answer, error) {
	var response *http.Response
	stream := r.e.chat.NewStreaming(ctx, r.params(), option.WithResponseInto(&response))
	defer func() { _ = stream.Close() }() // a response that was read or given up

	a := &answer{}
	if err := stream.Err(); err != nil {
		return nil, r.e.failure(err, response)
	}
	if !streams(response) {
		if err := a.readWhole(response.Body); err != nil {
			return nil, r.e.failure(err, response)
		}
	}
	for stream.Next() {
		if text := a.add(stream.Current()); text != "" {
			if err := r.emit(engine.Delta{Text: text}); err != nil {
				return nil, err
			}
		}
	}
	if err := stream.Err(); err != nil {
		return nil, r.e.failure(err, response)
	}
	if a.finish == "" {
		return nil, &engine.Error{Reason: "the model server broke off in the middle of the answer", Transient: true}
	}
	return a, nil
}

// streams tells a server that streams from one that ignores the wish and
// answers with one JSON object.
func streams(response *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return mediaType != "application/json"
}

func (a *answer) readWhole(body io.Reader) error {
	var whole openai.ChatCompletion
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &whole); err != nil {
		return err
	}
	if len(whole.Choices) == 0 {
		return errors.New("an answer without a choice")
	}
	choice := whole.Choices[0]
	a.content.WriteString(choice.Message.Content)
	a.refusal.WriteString(choice.Message.Refusal)
	for i, c := range choice.Message.ToolCalls {
		a.calls = append(a.calls, call{index: int64(i), id: c.ID, name: c.Function.Name, arguments: c.Function.Arguments})
	}
	a.finish = choice.FinishReason
	a.tokens = int(whole.Usage.TotalTokens)
	return nil
}

// add takes a chunk in and returns the text in it.
func (a *answer) add(c openai.ChatCompletionChunk) string {
	if c.Usage.TotalTokens > 0 {
		a.tokens = int(c.Usage.TotalTokens)
	}
	if len(c.Choices) == 0 {
		return ""
	}
	choice := c.Choices[0]
	if choice.FinishReason != "" {
		a.finish = choice.FinishReason
	}
	for _, d := range choice.Delta.ToolCalls {
		a.addCall(d)
	}
	a.content.WriteString(choice.Delta.Content)
	a.refusal.WriteString(choice.Delta.Refusal)
	return choice.Delta.Content + choice.Delta.Refusal
}

// addCall continues the call of the same index, or begins one. Some servers
// number all their calls 0, so another ID begins one as well.
func (a *answer) addCall(d openai.ChatCompletionChunkChoiceDeltaToolCall) {
	at := -1
	for i, c := range a.calls {
		if c.index == d.Index && (d.ID == "" || d.ID == c.id) {
			at = i
		}
	}
	if at < 0 {
		a.calls = append(a.calls, call{index: d.Index, id: d.ID})
		at = len(a.calls) - 1
	}
	a.calls[at].name += d.Function.Name
	a.calls[at].arguments += d.Function.Arguments
}

// text is what the model says: its answer, or why it will not answer.
func (a *answer) text() string { return a.content.String() + a.refusal.String() }
