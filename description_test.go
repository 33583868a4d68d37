package parley_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/prometheus/client_golang/prometheus"

	api "parley/http"
	"parley/http/openapi"
)

// described is one operation of the description.
type described struct {
	*openapi3.Operation
	method, path string
	// public says that it can do without a secret.
	public bool
}

func (d described) String() string { return d.method + " " + d.path }

// parameter is a path's parameter, as in the description or as in a route.
var parameter = regexp.MustCompile(`\{\w+\}|:\w+`)

// loadDescription reads the description anew.
func loadDescription(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Description(""))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// operations are all that a description describes, in its order of names. A
// path that is also served under another name counts twice.
func operations(doc *openapi3.T) []described {
	var all []described
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			paths := []string{path}
			also, _ := o.Extensions["x-also"].([]any)
			for _, other := range also {
				paths = append(paths, other.(string))
			}
			for _, p := range paths {
				all = append(all, described{Operation: o, method: method, path: p, public: isPublic(o)})
			}
		}
	}
	slices.SortFunc(all, func(a, b described) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

func isPublic(o *openapi3.Operation) bool {
	if o.Security == nil {
		return false
	}
	return len(*o.Security) == 0 || slices.ContainsFunc(*o.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
}

// servedOperations gives what the server serves, by method and path without
// the parameters' names.
var servedOperations = sync.OnceValue(func() map[string]api.Operation {
	served := map[string]api.Operation{}
	for _, o := range api.New(api.Config{Metrics: prometheus.NewRegistry()}).Operations() {
		served[nameless(o.Method+" "+o.Path)] = o
	}
	return served
})

func nameless(path string) string { return parameter.ReplaceAllString(path, "{}") }

func TestTheDescription(t *testing.T) {
	doc := loadDescription(t)
	t.Run("is well-formed OpenAPI", func(t *testing.T) {
		if err := doc.Validate(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Run("has every operation that is served, and no other", func(t *testing.T) {
		left := map[string]bool{}
		for path := range servedOperations() {
			left[path] = true
		}
		for _, d := range operations(doc) {
			delete(left, nameless(d.String()))
			if _, ok := servedOperations()[nameless(d.String())]; !ok {
				t.Errorf("%s is described but not served", d)
			}
		}
		for path := range left {
			t.Errorf("%s is served but not described", path)
		}
	})
	t.Run("says of each whether it needs a secret", func(t *testing.T) {
		for _, d := range operations(doc) {
			if o, ok := servedOperations()[nameless(d.String())]; ok && o.Public != d.public {
				t.Errorf("%s: public is %v, described as %v", d, o.Public, d.public)
			}
		}
	})
	t.Run("gives each a name of its own, and describes its failures", func(t *testing.T) {
		names := map[string]string{}
		for path, item := range doc.Paths.Map() {
			for method, o := range item.Operations() {
				if other := names[o.OperationID]; o.OperationID == "" || other != "" {
					t.Errorf("%s %s is called %q, as %s is", method, path, o.OperationID, other)
				}
				names[o.OperationID] = method + " " + path
				if o.Responses.Default() == nil || o.Summary == "" {
					t.Errorf("%s %s: no failure or no summary is described", method, path)
				}
			}
		}
	})
}

func TestTheDescriptionIsServed(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		a := h.call(http.MethodGet, "/openapi.json", "", nil)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json" || a.body["openapi"] == nil {
			t.Fatalf("%d %s %.80s", a.status, a.header.Get("Content-Type"), a.text)
		}
		if a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error("a browser may not read it")
		}
		if !strings.Contains(string(openapi.Description("https://wa.example")), `"servers": [{"url": "https://wa.example/api/v1"}, {"url": "/api/v1"}`) {
			t.Error("the public address is not its first server")
		}
	})
}
