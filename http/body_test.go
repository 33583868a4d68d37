package http

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
)

// probe runs a handler on one request and gives its error.
func probe(t *testing.T, r *http.Request, handle func(*fiber.Ctx) error) (err error) {
	t.Helper()
	app := fiber.New(fiber.Config{Immutable: true})
	app.All("/*", func(c *fiber.Ctx) error {
		err = handle(c)
		return nil
	})
	response, testErr := app.Test(r, -1)
	if testErr != nil {
		t.Fatal(testErr)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return err
}

func posted(body, contentType string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func TestReadBody(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, c := range []struct {
		name, body, contentType string
		optional                bool
		refused                 string
	}{
		{name: "an object is read", body: `{"a":1}`, contentType: "application/json"},
		{name: "a charset is fine", body: `{}`, contentType: "application/json; charset=utf-8"},
		{name: "another type is refused", body: `{}`, contentType: "text/plain", refused: "content type"},
		{name: "a missing type is refused", body: `{}`, refused: "content type"},
		{name: "an array is refused", body: `[]`, contentType: "application/json", refused: "object"},
		{name: "null is refused", body: `null`, contentType: "application/json", refused: "object"},
		{name: "what follows the object is refused", body: `{} {}`, contentType: "application/json", refused: "object"},
		{name: "broken JSON is refused", body: `{"a":`, contentType: "application/json", refused: "object"},
		{name: "nothing is refused", contentType: "application/json", refused: "object"},
		{name: "nothing is fine where it is optional", optional: true},
		{name: "64 levels are fine", body: deep(64), contentType: "application/json"},
		{name: "65 levels are too deep", body: deep(65), contentType: "application/json", refused: "deeper"},
		{name: "brackets in strings are no levels", body: `{"a":"` + strings.Repeat(`[{\"`, 100) + `"}`, contentType: "application/json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := probe(t, posted(c.body, c.contentType), func(f *fiber.Ctx) error {
				_, err := readBody(f, c.optional)
				return err
			})
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || problemOf(err).status != 400 || !strings.Contains(err.Error(), c.refused)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		take             func(*body) any
	}{
		{"a string", `{"x":"a"}`, "{true a}", func(b *body) any { return b.text("x") }},
		{"null is an empty string", `{"x":null}`, "{true }", func(b *body) any { return b.text("x") }},
		{"a missing string is not set", `{}`, "{false }", func(b *body) any { return b.text("x") }},
		{"a number is no string", `{"x":1}`, `"x" must be a string`, func(b *body) any { return b.text("x") }},
		{"a flag", `{"x":true}`, "{true true}", func(b *body) any { return b.flag("x") }},
		{"a flag as text", `{"x":"false"}`, "{true false}", func(b *body) any { return b.flag("x") }},
		{"one is no flag", `{"x":1}`, `"x" must be true or false`, func(b *body) any { return b.flag("x") }},
		{"a whole number", `{"x":3600000}`, "3600000", number},
		{"a whole number as text", `{"x":"12"}`, "12", number},
		{"a whole number with an exponent", `{"x":1e3}`, "1000", number},
		{"null is kept", `{"x":null}`, "null", number},
		{"half is not whole", `{"x":0.5}`, `"x" must be a whole number`, number},
		{"NaN is no number", `{"x":"NaN"}`, `"x" must be a whole number`, number},
		{"infinity is no number", `{"x":"Infinity"}`, `"x" must be a whole number`, number},
		{"too large a number is none", `{"x":1e300}`, `"x" must be a whole number`, number},
		{"an object", `{"x":{"a":1}}`, `{"a":1}`, func(b *body) any { return string(b.object("x")) }},
		{"null is no object to merge", `{"x":null}`, ``, func(b *body) any { return string(b.object("x")) }},
		{"an array is no object", `{"x":[1]}`, `"x" must be an object`, func(b *body) any { return string(b.object("x")) }},
		{"an unknown field is refused", `{"y":1,"z":2}`, `"y" is not allowed`, func(b *body) any { return b.text("x") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			err := probe(t, posted(c.body, "application/json"), func(f *fiber.Ctx) error {
				b, err := readBody(f, false)
				if err != nil {
					return err
				}
				got = fmt.Sprint(c.take(b))
				return b.done()
			})
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func number(b *body) any {
	n := b.integerOrNull("x")
	switch {
	case !n.Set:
		return "unset"
	case n.Value == nil:
		return "null"
	}
	return *n.Value
}

func TestListParameters(t *testing.T) { // F344
	for _, c := range []struct {
		query      string
		take       int
		descending bool
		after      int64
		refused    bool
	}{
		{query: "", take: 100, descending: true},
		{query: "take=10&order=asc", take: 10},
		{query: "take=1000", take: 100, descending: true},
		{query: "take=0", take: 100, descending: true},
		{query: "take=-3", take: 1, descending: true},
		{query: "take=many&order=sideways", take: 100, descending: true},
		{query: "take=NaN", take: 100, descending: true},
		{query: "cursor=", take: 100, descending: true},
		{query: "cursor=.1c", take: 100, descending: true, after: 48},
		{query: "cursor=known", take: 100, descending: true, after: 7},
		{query: "cursor=unknown", refused: true},
		{query: "cursor=.x-", refused: true},
	} {
		t.Run(c.query, func(t *testing.T) {
			err := probe(t, httptest.NewRequest(http.MethodGet, "/?"+c.query, nil), func(f *fiber.Ctx) error {
				p, err := page(f, true, func(id string) (int64, error) {
					if id == "known" {
						return 7, nil
					}
					return 0, errNotFound
				})
				if err == nil && (p.Take != c.take || p.Descending != c.descending || p.After != c.after) {
					t.Errorf("got %+v", p)
				}
				return err
			})
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMetaFilters(t *testing.T) { // A15
	err := probe(t, httptest.NewRequest(http.MethodGet, "/?meta.a.b=1&meta%5Bc%5D=x&meta%5Bd%5D%5Be%5D=y&other=2", nil), func(f *fiber.Ctx) error {
		want := map[string]string{"a.b": "1", "c": "x", "d.e": "y"}
		if diff := cmp.Diff(want, metaFilter(f)); diff != "" {
			t.Error(diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
