package openai

import (
	"context"
	"net/http"
	"time"

	"github.com/openai/openai-go/v3/option"

	"parley/engine"
)

// Models implements engine.Remote: it asks the server for its models.
func (e *Engine) Models(ctx context.Context) ([]engine.ModelInfo, error) {
	var response *http.Response
	page, err := e.models.List(ctx, option.WithResponseInto(&response))
	if err != nil {
		return nil, e.failure(err, response)
	}
	var models []engine.ModelInfo
	for _, m := range page.Data {
		info := engine.ModelInfo{ID: m.ID, Provider: m.OwnedBy}
		if m.Created > 0 {
			info.Created = time.Unix(m.Created, 0).UTC()
		}
		models = append(models, info)
	}
	return models, nil
}
