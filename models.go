package parley

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/http"
)

// models tells the HTTP server which models there are.
type models struct {
	engine engine.Engine
	// fallback is the model of bots that name none; "" if there is none.
	fallback string
	logger   *slog.Logger

	mutex sync.Mutex
	known []http.Model // as of a moment ago, so that a list costs no call
	until time.Time
}

// The bounds of asking a model server for its models.
const (
	modelsTime = 3 * time.Second
	modelsKept = 30 * time.Second
)

// Models implements http.Models. What a model server does not tell is left
// out, but for the model that the settings name.
func (m *models) Models(ctx context.Context) []http.Model {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if time.Now().Before(m.until) {
		return m.known
	}
	ctx, cancel := context.WithTimeout(ctx, modelsTime)
	defer cancel()
	var found []http.Model
	if lister, ok := m.engine.(interface {
		Models(ctx context.Context) ([]engine.ModelInfo, error)
	}); ok {
		infos, err := lister.Models(ctx)
		if err != nil {
			m.logger.Warn("the model server does not say which models it has", "err", err)
		}
		for _, i := range infos {
			found = append(found, http.Model{ID: i.ID, Description: i.Description, Provider: i.Provider, MaxTokens: i.MaxTokens, Created: i.Created})
		}
	}
	named, err := engine.ParseModel(m.fallback)
	if err == nil && !slices.ContainsFunc(found, func(x http.Model) bool { return x.ID == named.Name }) {
		found = append(found, http.Model{ID: named.Name})
	}
	slices.SortFunc(found, func(a, b http.Model) int { return strings.Compare(a.ID, b.ID) })
	m.known, m.until = found, time.Now().Add(modelsKept)
	return found
}
