package openai

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"parley/engine"
)

// Transcriber writes recordings down with a model of the engine's server.
// OpenAI: audio transcriptions.
type Transcriber struct {
	engine *Engine
	model  string
}

// Transcriber gives a transcriber that uses a model, for example "whisper-1".
func (e *Engine) Transcriber(model string) *Transcriber { return &Transcriber{e, model} }

// Transcribe implements engine.Transcriber. Errors are those of Answer.
func (t *Transcriber) Transcribe(ctx context.Context, r engine.Recording) (string, error) {
	var response *http.Response
	answer, err := t.engine.recordings.New(ctx, openai.AudioTranscriptionNewParams{
		Model: t.model,
		File:  openai.File(bytes.NewReader(r.Data), r.Name, r.Type),
	}, option.WithResponseInto(&response))
	if err != nil {
		return "", t.engine.failure(err, response)
	}
	return strings.TrimSpace(answer.Text), nil
}
