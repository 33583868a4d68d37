package parley_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"parley"
	"parley/events"
	"parley/events/memory"
)

// listingServer is a model server that only tells its models.
type listingServer struct {
	asked  atomic.Int64
	broken atomic.Bool
}

const modelKey = "sk-of-the-model-server"

func (m *listingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.asked.Add(1)
	if m.broken.Load() || r.URL.Path != "/v1/models" || r.Header.Get("Authorization") != "Bearer "+modelKey {
		http.Error(w, `{"error": {"message": "the key `+modelKey+` is wrong"}}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"object": "list", "data": [
		{"id": "llama3.2:1b", "object": "model", "created": 1730000000, "owned_by": "meta"},
		{"id": "acme/gpt-4o-mini", "object": "model", "created": 1720000000, "owned_by": "acme"}]}`)
}

// nodeWith starts a node with a model server, and gives what it lists.
func nodeWith(t *testing.T, m *listingServer, model string) (list func(query string) object, logs *strings.Builder) {
	t.Helper()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	logs = &strings.Builder{}
	data := t.TempDir()
	config := parley.Config{
		Data: data, MasterKeyFile: filepath.Join(data, "master.key"), Tokens: map[string]events.Secret{"acme": events.NewSecret(apiSecret)},
		Media: "mem://", OpenAIURL: server.URL + "/v1", OpenAIKey: events.NewSecret(modelKey), Model: model, GraphURL: "http://127.0.0.1:1", Tasks: 1,
	}
	node, err := parley.Start(t.Context(), config, parley.Parts{Store: memory.New()}, slog.New(slog.NewTextHandler(logs, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return func(query string) object {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/api/v1/platform/model/list"+query, nil)
		r.Header.Set("Authorization", "Bearer "+apiSecret)
		w := httptest.NewRecorder()
		node.Handler().ServeHTTP(w, r)
		var body object
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return body
	}, logs
}

func modelIDs(page object) (ids []string) {
	for _, i := range page["items"].([]any) {
		ids = append(ids, i.(object)["id"].(string))
	}
	return ids
}

func TestModels(t *testing.T) { // A27
	m := &listingServer{}
	list, _ := nodeWith(t, m, "llama3.2:1b/temperature=0.5")
	const all = "acme/gpt-4o-mini llama3.2:1b rivescript"
	if got := strings.Join(modelIDs(list("")), " "); got != all {
		t.Errorf("listed are %s, want %s", got, all)
	}
	llama := list("?take=1&cursor=acme/gpt-4o-mini")["items"].([]any)[0].(object)
	if llama["provider"] != "meta" || llama["family"] != "llama3.2" || llama["type"] != "language" || llama["createdAt"] != 1730000000000. {
		t.Errorf("%v", llama)
	}
	if got := modelIDs(list("?order=desc&take=1")); got[0] != "rivescript" {
		t.Errorf("the last one is %v", got)
	}
	if got := len(modelIDs(list("?type=image"))); got != 0 {
		t.Errorf("%d models of images", got)
	}
	if got := len(modelIDs(list("?type=language"))); got != 3 {
		t.Errorf("%d models of language", got)
	}
	if got := m.asked.Load(); got != 1 {
		t.Errorf("the model server was asked %d times within a moment", got)
	}
}

func TestModelsOfAServerThatDoesNotTell(t *testing.T) { // A27 P9
	m := &listingServer{}
	m.broken.Store(true)
	list, logs := nodeWith(t, m, "llama3.2:1b/temperature=0.5")
	if got := strings.Join(modelIDs(list("")), " "); got != "llama3.2:1b rivescript" {
		t.Errorf("listed are %s", got)
	}
	if strings.Contains(logs.String(), modelKey) || !strings.Contains(logs.String(), "which models it has") {
		t.Errorf("the log says %s", logs)
	}
}

// Whoever forgets the key learns of it at the start, and not from the first
// person who writes.
func TestAModelThatCannotBeAskedIsToldAtTheStart(t *testing.T) {
	for _, c := range []struct {
		model, address string
		tells          bool
	}{
		{"gpt-5-mini", "", true},
		{"gpt-5-mini/temperature=hot", "http://127.0.0.1:1/v1", true},
		{"gpt-5-mini", "http://127.0.0.1:1/v1", false},
		{"rivescript", "", false},
		{"", "", false},
	} {
		logs, data := &strings.Builder{}, t.TempDir()
		config := parley.Config{
			Data: data, MasterKeyFile: filepath.Join(data, "master.key"), Media: "mem://",
			OpenAIURL: c.address, Model: c.model, GraphURL: "http://127.0.0.1:1", Tasks: 1,
		}
		node, err := parley.Start(t.Context(), config, parley.Parts{Store: memory.New()}, slog.New(slog.NewTextHandler(logs, nil)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := node.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if tells := strings.Contains(logs.String(), "PARLEY_MODEL"); tells != c.tells {
			t.Errorf("%+v: %s", c, logs)
		}
	}
}
