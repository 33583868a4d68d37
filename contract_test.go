package parley_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"parley/http/openapi"
)

// contract holds answers to the description. It is stricter than what clients
// are promised: a field that is not described is a mistake.
type contract struct {
	operations []described
	failure    *openapi3.Schema
}

// theContract is made once: it is only read.
var theContract = sync.OnceValues(func() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Description(""))
	if err != nil {
		return nil, err
	}
	c := &contract{operations: operations(doc), failure: doc.Components.Schemas["Error"].Value}
	seen := map[*openapi3.Schema]bool{}
	for _, s := range doc.Components.Schemas {
		closeSchema(s.Value, seen)
	}
	for _, o := range c.operations {
		for _, r := range o.Responses.Map() {
			for _, m := range r.Value.Content {
				closeSchema(m.Schema.Value, seen)
			}
		}
	}
	return c, nil
})

// closeSchema forbids the fields that objects do not name, unless they are
// open by their own word.
func closeSchema(s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if s.Type.Is("object") && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
	for _, p := range s.Properties {
		closeSchema(p.Value, seen)
	}
	for _, o := range s.OneOf {
		closeSchema(o.Value, seen)
	}
	if s.Items != nil {
		closeSchema(s.Items.Value, seen)
	}
}

// check tells where a request and its answer depart from the description.
func (c *contract) check(r *http.Request, sent []byte, a answer) error {
	path := r.URL.Path
	for _, prefix := range []string{"/api/v1", "/v1"} {
		if below, ok := strings.CutPrefix(path, prefix+"/"); ok {
			return c.checkBelow(r, "/"+below, sent, a)
		}
	}
	return nil
}

func (c *contract) checkBelow(r *http.Request, path string, sent []byte, a answer) error {
	if r.Method == http.MethodOptions || r.Method == http.MethodHead {
		return nil
	}
	d, ok := c.find(r.Method, path)
	switch {
	case !ok && (a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed):
		return visit(c.failure, []byte(a.text))
	case !ok:
		return fmt.Errorf("%s %s is not described, and answered with %d", r.Method, path, a.status)
	}
	if err := d.checkAnswer(a); err != nil {
		return fmt.Errorf("%s: %d: %w", d, a.status, err)
	}
	if a.status < 300 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := d.checkSent(sent); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	return nil
}

// find gives the operation of a path. One whose path has fewer parameters is
// the better match.
func (c *contract) find(method, path string) (found described, ok bool) {
	for _, d := range c.operations {
		if d.method == method && matches(d.path, path) && (!ok || strings.Count(d.path, "{") < strings.Count(found.path, "{")) {
			found, ok = d, true
		}
	}
	return found, ok
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	return slices.EqualFunc(p, q, func(p, q string) bool { return p == q || strings.HasPrefix(p, "{") && q != "" })
}

// checkAnswer holds an answer to the description of its status and type.
func (d described) checkAnswer(a answer) error {
	response := d.Responses.Status(a.status)
	if response == nil {
		if a.status < 400 {
			return fmt.Errorf("the status is not described")
		}
		response = d.Responses.Default()
	}
	if len(response.Value.Content) == 0 {
		if a.text != "" {
			return fmt.Errorf("a body is not described: %.200s", a.text)
		}
		return nil
	}
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	media := response.Value.Content.Get(kind)
	if media == nil {
		return fmt.Errorf("the content type %q is not described", kind)
	}
	switch kind {
	case "application/json":
		if media == response.Value.Content["*/*"] {
			return nil // a file of JSON
		}
		return visit(media.Schema.Value, []byte(a.text))
	case "application/jsonl":
		return visitLines(media.Schema.Value, a.text)
	case "text/event-stream":
		return visitEvents(response.Value.Content["application/jsonl"].Schema.Value, a.text)
	}
	return nil
}

// checkSent holds a request that was carried out to its description: what is
// accepted must be described.
func (d described) checkSent(sent []byte) error {
	var fields map[string]json.RawMessage
	if d.RequestBody == nil || len(sent) == 0 || json.Unmarshal(sent, &fields) != nil {
		return nil
	}
	schema := d.RequestBody.Value.Content.Get("application/json").Schema.Value
	if schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has {
		return nil
	}
	for name := range fields {
		if schema.Properties[name] == nil {
			return fmt.Errorf("the field %q is accepted, but not described", name)
		}
	}
	return nil
}

// Surrogates in pairs, and any others: strict clients refuse the second.
var (
	pairs    = regexp.MustCompile(`(?i)\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}`)
	unpaired = regexp.MustCompile(`(?i)\\ud[89a-f][0-9a-f]{2}`)
)

func visit(s *openapi3.Schema, text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("the body is not JSON: %w: %.200s", err, text)
	}
	if unpaired.Match(pairs.ReplaceAll(text, nil)) || !utf8.Valid(text) {
		return fmt.Errorf("the text is not one that every client can read: %.500q", text)
	}
	if err := s.VisitJSON(value, openapi3.VisitAsResponse()); err != nil {
		return fmt.Errorf("%s\nin %.500s", reason(err), text)
	}
	return nil
}

// reason says what is wrong and where, without the whole schema.
func reason(err error) string {
	var wrong *openapi3.SchemaError
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	text := "/" + strings.Join(wrong.JSONPointer(), "/") + ": " + wrong.Reason
	if wrong.Origin != nil {
		text += " (" + reason(wrong.Origin) + ")"
	}
	return text
}

func visitLines(s *openapi3.Schema, text string) error {
	for line := range strings.Lines(text) {
		if err := visit(s, []byte(line)); err != nil {
			return err
		}
	}
	return nil
}

// visitEvents holds server-sent events to the description of the lines that
// say the same.
func visitEvents(s *openapi3.Schema, text string) error {
	for event := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		if event == "" {
			continue
		}
		name, data, ok := strings.Cut(event, "\ndata: ")
		if !ok {
			return fmt.Errorf("not an event: %.200s", event)
		}
		line := fmt.Sprintf(`{"type":%q,"data":%s}`, strings.TrimPrefix(name, "event: "), data)
		if err := visit(s, []byte(line)); err != nil {
			return err
		}
	}
	return nil
}

func TestTheContractFindsDepartures(t *testing.T) {
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	json := http.Header{"Content-Type": {"application/json"}}
	for name, a := range map[string]struct {
		method, path string
		answer       answer
		sent         string
		ok           bool
	}{
		"what is described":              {"POST", "/bot/create", answer{200, json, `{"id":"x"}`, nil}, `{"name":"x"}`, true},
		"a field that is not described":  {"POST", "/bot/create", answer{200, json, `{"id":"x","more":1}`, nil}, `{}`, false},
		"a field too few":                {"POST", "/bot/create", answer{200, json, `{}`, nil}, `{}`, false},
		"a field of another type":        {"POST", "/bot/create", answer{200, json, `{"id":1}`, nil}, `{}`, false},
		"a field that is accepted":       {"POST", "/bot/create", answer{200, json, `{"id":"x"}`, nil}, `{"more":1}`, false},
		"an error":                       {"POST", "/bot/create", answer{400, json, `{"message":"x","code":"BAD_REQUEST"}`, nil}, `{"more":1}`, true},
		"an error without a code":        {"POST", "/bot/create", answer{400, json, `{"message":"x"}`, nil}, `{}`, false},
		"an error in plain text":         {"POST", "/bot/create", answer{500, http.Header{"Content-Type": {"text/plain"}}, `oops`, nil}, `{}`, false},
		"a status that is not described": {"POST", "/bot/create", answer{201, json, `{"id":"x"}`, nil}, `{}`, false},
		"an unknown route":               {"GET", "/bot", answer{404, json, `{"message":"x","code":"NOT_FOUND"}`, nil}, ``, true},
		"a route that is not described":  {"GET", "/bot", answer{200, json, `{}`, nil}, ``, false},
		"a stream": {
			"GET", "/bot/list", answer{200, http.Header{"Content-Type": {"application/jsonl"}}, `{"type":"item","data":{"id":"x"}}` + "\n", nil}, ``, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{Method: a.method, Header: json, URL: &url.URL{Path: "/api/v1" + a.path}}
			if err := c.check(r, []byte(a.sent), a.answer); (err == nil) != a.ok {
				t.Errorf("%v", err)
			}
		})
	}
}
