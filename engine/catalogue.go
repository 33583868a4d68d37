package engine

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
)

// ModelInfo describes a model that this server can call.
type ModelInfo struct {
	// ID is the name that a bot's model string begins with.
	ID          string
	Description string
	// Provider is who runs or made the model, as its server says.
	Provider string
	// MaxTokens is how many tokens the model takes, 0 when it is not known.
	MaxTokens int
	// Created is when the model was made, zero when it is not known.
	Created time.Time
}

// Builtin is an engine that answers to one model name.
type Builtin struct {
	Info   ModelInfo
	Engine Engine
}

// Remote is an engine with models of its own, behind a server.
type Remote interface {
	Engine
	// Models lists the models that can be called.
	Models(ctx context.Context) ([]ModelInfo, error)
}

// Catalogue is the engine that passes each turn on to the engine of its model:
// to a built-in one of that name, otherwise to the remote one. It may be used
// concurrently.
type Catalogue struct {
	builtin []Builtin
	remote  Remote
}

// NewCatalogue makes a catalogue. remote is nil when no model server is
// configured.
func NewCatalogue(remote Remote, builtin ...Builtin) *Catalogue {
	return &Catalogue{builtin: slices.Clone(builtin), remote: remote}
}

// Answer implements Engine. A model that nobody answers to is a permanent
// *Error.
func (c *Catalogue) Answer(ctx context.Context, t Turn) iter.Seq2[Act, error] {
	e, err := c.find(t.Model)
	if err != nil {
		return func(yield func(Act, error) bool) { yield(nil, err) }
	}
	return e.Answer(ctx, t)
}

func (c *Catalogue) find(model string) (Engine, error) {
	m, err := ParseModel(model)
	if err != nil {
		return nil, err
	}
	for _, b := range c.builtin {
		if b.Info.ID == m.Name {
			return b.Engine, nil
		}
	}
	if c.remote == nil {
		return nil, &Error{Invalid: true, Reason: fmt.Sprintf(
			"no model server is configured, so the model %q cannot be called; set OPENAI_API_KEY or OPENAI_BASE_URL%s",
			m.Name, c.orBuiltin())}
	}
	return c.remote, nil
}

func (c *Catalogue) orBuiltin() string {
	if len(c.builtin) == 0 {
		return ""
	}
	return fmt.Sprintf(", or give the bot the model %q", c.builtin[0].Info.ID)
}

// Models lists what can be called, ordered by ID. When the remote engine
// cannot tell, the rest is returned together with its error.
func (c *Catalogue) Models(ctx context.Context) ([]ModelInfo, error) {
	var models []ModelInfo
	for _, b := range c.builtin {
		models = append(models, b.Info)
	}
	var err error
	if c.remote != nil {
		var remote []ModelInfo
		remote, err = c.remote.Models(ctx)
		models = append(models, remote...)
	}
	slices.SortFunc(models, func(a, b ModelInfo) int { return cmp.Compare(a.ID, b.ID) })
	return models, err
}
