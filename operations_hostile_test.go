package parley_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// raw calls an operation with a body as it is.
func (h *house) raw(d described, path, body string, header ...string) answer {
	h.t.Helper()
	r := httptest.NewRequest(d.method, "/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiSecret)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if d.endless() {
		return h.within(func() answer { return h.do(r) })
	}
	return h.do(r)
}

// bears tells whether an answer is one that a client may get for whatever it
// sent: clients repeat what is answered with 5xx or 429.
func (a answer) bears() bool {
	if a.status == openAnswer || a.status >= 200 && a.status < 300 {
		return utf8.ValidString(a.text) || a.header.Get("Content-Disposition") != "" // a file may hold anything
	}
	code, _ := a.body["code"].(string)
	return a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && a.isProblem(a.status, code) && code != ""
}

// writers are the operations that read a body.
func writers(t testing.TB) []described {
	t.Helper()
	var all []described
	for _, d := range walk(t) {
		if d.method == http.MethodPost {
			all = append(all, d)
		}
	}
	return all
}

func TestHostileBodies(t *testing.T) { // A12 A13
	hostile := map[string]string{
		"a list": `[]`, "a text": `"x"`, "a number": `1`, "null": `null`, "true": `true`,
		"half an object": `{`, "half a string": `{"a":"`, "a comma": `{,}`, "two commas": `{"a":1,,}`, "no quotes": `{a:1}`, "quotes of another sort": `{'a':1}`,
		"a word behind": `{} x`, "an object behind": `{}{}`, "a bracket behind": `{}]`,
		"a NUL": "{\x00}", "a byte order mark": "\ufeff{}", "no UTF-8": "{\"\xff\":\"\xfe\xfd\"}", "UTF-16": "{\x00}\x00",
		"lists without end": strings.Repeat("[", 100_000), "objects without end": strings.Repeat(`{"a":`, 100_000), "deep meta": `{"meta":` + strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 66),
		"a surrogate for a key": `{"\ud800":1}`, "__proto__": `{"__proto__":{"id":"x"},"constructor":{}}`, "an empty key": `{"":1}`,
		"a number too large for a key": `{"surprise":1e999}`, "no number": `{"surprise":NaN}`,
	}
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range writers(t) {
			path, _ := e.path(d, nil)
			for name, body := range hostile {
				a := h.raw(d, path, body)
				if !a.bears() || !d.public && a.status != 400 {
					t.Errorf("%s with %s: %d %.200s", d, name, a.status, a.text)
				}
			}
			if d.public {
				continue
			}
			for _, contentType := range []string{"text/plain", "text/html", "application/x-www-form-urlencoded", "application/xml", "", "application/jsonl", "json"} {
				least, _ := json.Marshal(d.least())
				if strings.HasSuffix(d.path, "/upload") || string(least) == "{}" {
					continue
				}
				if a := h.raw(d, path, string(least), "Content-Type", contentType); !a.isProblem(400, "BAD_REQUEST") {
					t.Errorf("%s as %q: %d %.200s", d, contentType, a.status, a.text)
				}
			}
		}
		checkSound(t, h, e)
	})
}

// TestEveryFieldTakesNonsense puts nonsense into every field that is described.
func TestEveryFieldTakesNonsense(t *testing.T) { // A13
	nonsense := []string{
		`null`, `true`, `0`, `-1`, `1.5`, `1e300`, `1e999`, `-9223372036854775809`, `123456789012345678901234567890`, `""`, `" "`, `"x"`, `"\u0000"`, `"\ud800"`, `"\udc00\ud800"`,
		`"\u202e"`, `"@"`, `"@@x"`, `"` + strings.Repeat("x", 70_000) + `"`, `[]`, `[null]`, `[[]]`, `[{}]`, `{}`, `{"a":null}`, `{"$update":{}}`, `{"$update":1}`, `{"_a":1}`, `{"a":"\u0000"}`, `{"a":"\ud800"}`, `{"a":1e999}`, "{\"a\":\"\xff\"}", `{"a":{"b":["\udfff\ud83e\udd16"]}}`,
		`{"a":1,"a":2}`, "\"\xff\"",
	}
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range writers(t) {
			path, _ := e.path(d, nil)
			for name := range d.fields() {
				for _, value := range nonsense {
					body := withField(d.least(), name, value)
					if a := h.raw(d, path, body); !a.bears() {
						t.Errorf("%s with %.200s: %d %.200s", d, body, a.status, a.text)
					}
				}
				twice := withField(d.least(), name, `1,`+quoted(name)+`:"x"`)
				if a := h.raw(d, path, twice); !a.bears() {
					t.Errorf("%s with %q twice: %d %.200s", d, name, a.status, a.text)
				}
			}
		}
		checkSound(t, h, e)
	})
}

// withField writes a body with one field as it is.
func withField(body object, name, value string) string {
	var b bytes.Buffer
	b.WriteString("{" + quoted(name) + ":" + value)
	for other, v := range body {
		if other != name {
			text, _ := json.Marshal(v) // a sample is JSON
			b.WriteString("," + quoted(other) + ":" + string(text))
		}
	}
	return b.String() + "}"
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // a string is JSON
	return string(text)
}

// checkSound reads everything: what was stored can be shown.
func checkSound(t *testing.T, h *house, e estate) {
	t.Helper()
	for _, d := range walk(t) {
		path, ok := e.path(d, nil)
		if !ok || d.public || d.method != http.MethodGet {
			continue
		}
		for _, accept := range []string{"application/json", "application/jsonl"} {
			if a := e.call(d.method, path, nil, "Accept", accept); !a.bears() {
				t.Errorf("%s: %d %.300s", d, a.status, a.text)
			}
		}
	}
}

// TestABodyMayBeLarge puts the largest body that is let in; what is larger is
// looked at where there is a network.
func TestABodyMayBeLarge(t *testing.T) { // A13
	inHouse(t, options{}, func(h *house) {
		body := `{"surprise":"` + strings.Repeat("x", 4_500_000-len(`{"surprise":""}`)) + `"}`
		for _, path := range []string{"/bot/create", integrations + "/" + h.integration + "/update"} {
			r := httptest.NewRequest(http.MethodPost, "/api/v1"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+apiSecret)
			if a := h.do(r); !a.isProblem(400, "BAD_REQUEST") {
				t.Errorf("%s: %d %.200s", path, a.status, a.text)
			}
		}
	})
}

// TestRandomRequests draws operations, fields, values and parameters.
func TestRandomRequests(t *testing.T) { // A12 A13
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		all := walk(t)
		all = all[:slices.IndexFunc(all, func(d described) bool { return strings.HasSuffix(d.path, "/delete") })]
		rapid.Check(t, func(t *rapid.T) {
			d := rapid.SampledFrom(all).Draw(t, "operation")
			path, _ := e.path(d, nil)
			if query := drawQuery(t, d); query != "" {
				path += "?" + query
			}
			body, err := json.Marshal(drawBody(t, d))
			if err != nil {
				t.Fatal(err)
			}
			accept := rapid.SampledFrom([]string{"", "*/*", "application/json", "application/jsonl", "text/csv", "text/event-stream", "a/b", ";;;"}).Draw(t, "accept")
			if a := h.raw(d, path, string(body), "Accept", accept); !a.bears() {
				t.Fatalf("%s with %s: %d %.300s", path, body, a.status, a.text)
			}
		})
		checkSound(t, h, e)
	})
}

// drawQuery draws a query string of described and other parameters.
func drawQuery(t *rapid.T, d described) string {
	names := []string{"meta.a", "meta[a]", "meta[a][b]", "meta.", "meta[", "surprise"}
	for _, p := range d.Parameters {
		if p.Value.In == "query" {
			names = append(names, p.Value.Name)
		}
	}
	var pairs []string
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		value := rapid.SampledFrom([]string{
			"", "1", "0", "-1", "1e9", "NaN", "x", "asc", "desc", ".", ".1", ".zzzzzzzzzzzzzzzzzzz", "%00", "%FF", "%", "a,b,,c", "@", "@acme-bot", "e1", "'", "%F0%9F%A4%96",
		}).Draw(t, "value")
		pairs = append(pairs, rapid.SampledFrom(names).Draw(t, "name")+"="+value)
	}
	return strings.Join(pairs, "&")
}

// drawBody draws an object of described and other fields.
func drawBody(t *rapid.T, d described) object {
	names := []string{"surprise", "id", "createdAt"}
	for name := range d.fields() {
		names = append(names, name)
	}
	slices.Sort(names)
	body := object{}
	if rapid.Bool().Draw(t, "least") {
		maps.Copy(body, d.least())
	}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		body[rapid.SampledFrom(names).Draw(t, "field")] = drawValue(t, 3)
	}
	return body
}

// drawValue draws any JSON value.
func drawValue(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "integer")
	case 3:
		return rapid.Float64Range(-1e300, 1e300).Draw(t, "float")
	case 4:
		return rapid.String().Draw(t, "text")
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawValue(t, depth-1))
		}
		return list
	}
	value := object{}
	for range rapid.IntRange(0, 3).Draw(t, "size") {
		value[rapid.SampledFrom([]string{"type", "text", "name", "meta", "file", "size", "_x", "$update", "activity", "é"}).Draw(t, "key")] = drawValue(t, depth-1)
	}
	return value
}
