package parley

import (
	"fmt"

	"parley/engine"
	"parley/engine/openai"
	"parley/engine/rivescript"
)

// newEngine names every engine: the built-in ones, and the model server if one
// is configured.
func newEngine(c Config) (engine.Engine, error) {
	builtin := engine.Builtin{
		Info:   engine.ModelInfo{ID: rivescript.Model, Provider: "parley", Description: "The built-in engine: the bot's backstory is a RiveScript script."},
		Engine: rivescript.New(),
	}
	if c.OpenAIURL == "" && c.OpenAIKey.IsZero() {
		return engine.NewCatalogue(nil, builtin), nil
	}
	remote, err := openai.New(openai.Config{BaseURL: c.OpenAIURL, APIKey: c.OpenAIKey.Reveal()})
	if err != nil {
		return nil, fmt.Errorf("model server: %w", err)
	}
	return engine.NewCatalogue(remote, builtin), nil
}
