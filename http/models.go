package http

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/projections"
)

// Model is a model that bots may name.
type Model struct {
	// ID is what a bot's model string begins with.
	ID          string
	Description string
	// Provider is who runs or made it, "" if nobody says.
	Provider string
	// MaxTokens is how many tokens it takes; 0 is not known.
	MaxTokens int
	// Created is when it was made; zero is not known.
	Created time.Time
}

// Models lists what this server can call, ordered by ID.
type Models interface {
	Models(ctx context.Context) []Model
}

func (s *Server) modelOperations() []operation {
	return []operation{
		{method: get, path: "/platform/model/list", handle: s.listModels, forms: listForms},
	}
}

// shownModel is a model as the API shows it. Spec: "Events and usage".
type shownModel struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Description     string `json:"description"`
	Provider        string `json:"provider"`
	Family          string `json:"family"`
	Type            string `json:"type"`
	MaxTokens       int    `json:"maxTokens"`
	MaxInputTokens  int    `json:"maxInputTokens"`
	MaxOutputTokens int    `json:"maxOutputTokens"`
	CreatedAt       int64  `json:"createdAt"`
	UpdatedAt       int64  `json:"updatedAt"`
}

// language is the type of all models: those that answer bots.
const language = "language"

func showModel(m Model) shownModel {
	created := int64(0)
	if !m.Created.IsZero() {
		created = m.Created.UnixMilli()
	}
	return shownModel{
		ID: m.ID, Name: m.ID, Description: m.Description, Provider: m.Provider, Family: family(m.ID), Type: language,
		MaxTokens: m.MaxTokens, MaxInputTokens: m.MaxTokens, MaxOutputTokens: m.MaxTokens, CreatedAt: created, UpdatedAt: created,
	}
}

// family is what related models' names begin with: "llama3.2" for "llama3.2:1b",
// "gpt" for "gpt-4o".
func family(id string) string {
	name := id[strings.LastIndexByte(id, '/')+1:]
	if i := strings.IndexAny(name, "-:@"); i > 0 {
		name = name[:i]
	}
	return name
}

// listModels lists by name, A first. The list is short: a place in it is a
// row's number.
func (s *Server) listModels(c call) error {
	kinds := values(c.Ctx, "type")
	all := func(ctx context.Context) []Model {
		if len(kinds) > 0 && !slices.Contains(kinds, language) {
			return nil
		}
		return s.models.Models(ctx)
	}
	return c.list(rows{
		oldestFirst: true,
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			if len(p.Meta) > 0 { // models have none
				return nil, nil
			}
			return numbered(all(ctx), p), nil
		},
		seqOf: func(ctx context.Context, id string) (int64, error) {
			for i, m := range all(ctx) {
				if m.ID == id {
					return int64(i + 1), nil
				}
			}
			return 0, projections.ErrNotFound
		},
	})
}

// numbered gives a page of models, by their numbers from 1 on.
func numbered(models []Model, p projections.Page) []item {
	var page []item
	for i := range models {
		if p.Descending {
			i = len(models) - 1 - i
		}
		seq := int64(i + 1)
		beyond := p.After == 0 || p.Descending && seq < p.After || !p.Descending && seq > p.After
		if beyond && len(page) < p.Take {
			page = append(page, item{seq, showModel(models[i])})
		}
	}
	return page
}
