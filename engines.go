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

// unanswerable says why bots that name no model cannot answer; "" if they can, or
// if every bot is to name its own.
func unanswerable(c Config) string {
	m, err := engine.ParseModel(c.Model)
	switch {
	case c.Model == "" || m.Name == rivescript.Model:
		return ""
	case err != nil:
		return "PARLEY_MODEL cannot be understood: " + err.Error()
	case c.OpenAIURL == "" && c.OpenAIKey.IsZero():
		return "PARLEY_MODEL cannot be asked: set OPENAI_API_KEY or OPENAI_BASE_URL"
	}
	return ""
}
