package parley

import (
	"fmt"

	"parley/engine"
	"parley/engine/openai"
	"parley/engine/rivescript"
)

// newEngine names every engine: the built-in ones, and the model server if one
// is configured. The transcriber is nil if there is none.
func newEngine(c Config) (engine.Engine, engine.Transcriber, error) {
	builtin := engine.Builtin{
		Info:   engine.ModelInfo{ID: rivescript.Model, Provider: "parley", Description: "The built-in engine: the bot's backstory is a RiveScript script."},
		Engine: rivescript.New(),
	}
	if c.OpenAIURL == "" && c.OpenAIKey.IsZero() {
		return engine.NewCatalogue(nil, builtin), nil, nil
	}
	remote, err := openai.New(openai.Config{BaseURL: c.OpenAIURL, APIKey: c.OpenAIKey.Reveal()})
	if err != nil {
		return nil, nil, fmt.Errorf("model server: %w", err)
	}
	catalogue := engine.NewCatalogue(remote, builtin)
	if c.TranscribeModel == "" {
		return catalogue, nil, nil
	}
	return catalogue, remote.Transcriber(c.TranscribeModel), nil
}
