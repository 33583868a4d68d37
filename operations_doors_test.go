package parley_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// isProblem tells whether an answer is an error of a status, as errors are.
func (a answer) isProblem(status int, code string) bool {
	message, _ := a.body["message"].(string)
	return a.status == status && a.body["code"] == code && message != "" && a.header.Get("Content-Type") == "application/json"
}

func TestEveryOperationWantsASecret(t *testing.T) { // A10 A11 A12 P8
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range walk(t) {
			path, ok := e.path(d, nil)
			if !ok {
				t.Errorf("%s: nothing to call it with", d)
			}
			if d.public {
				continue
			}
			nowhere, _ := e.path(d, map[string]string{"botId": "none", "whatsappIntegrationId": "none", "conversationId": "none"})
			for name, c := range map[string]struct {
				path   string
				body   any
				header []string
			}{
				"no secret":            {path, d.least(), nil},
				"a wrong one":          {path, d.least(), []string{"Authorization", "Bearer " + apiSecret + "x"}},
				"an empty one":         {path, d.least(), []string{"Authorization", "Bearer "}},
				"another scheme":       {path, d.least(), []string{"Authorization", "Basic " + apiSecret}},
				"no scheme":            {path, d.least(), []string{"Authorization", apiSecret}},
				"two":                  {path, d.least(), []string{"Authorization", "Bearer " + apiSecret + ", Bearer " + apiSecret}},
				"one in the query":     {path + "?secret=" + apiSecret + "&token=" + apiSecret + "&authorization=Bearer%20" + apiSecret, d.least(), nil},
				"one in the body":      {path, object{"secret": apiSecret, "token": apiSecret}, nil},
				"one in a cookie":      {path, d.least(), []string{"Cookie", "secret=" + apiSecret}},
				"none for a wrong ID":  {nowhere, d.least(), nil},
				"none for a bad body":  {path, "[", nil},
				"none for a bad type":  {path, d.least(), []string{"Content-Type", "text/html"}},
				"none for a bad form":  {path, d.least(), []string{"Accept", "application/xml"}},
				"a user":               {path, d.least(), []string{"Authorization", "Bearer " + apiSecret, "X-RunAs-User-ID", "someone"}},
				"a user by old name":   {path, d.least(), []string{"Authorization", "Bearer " + apiSecret, "X-RunAs-UserID", "someone"}},
				"a user by e-mail":     {path, d.least(), []string{"Authorization", "Bearer " + apiSecret, "X-RunAs-Child-User-Email", "a@b.c"}},
				"a user in small type": {path, d.least(), []string{"Authorization", "Bearer " + apiSecret, "x-runas-user-id", "someone"}},
			} {
				if a := h.try(d, c.path, "", c.body, c.header...); !a.isProblem(401, "NOT_AUTHENTICATED") {
					t.Errorf("%s with %s: %d %.200s", d, name, a.status, a.text)
				}
			}
		}
		for _, list := range []string{"/bot/list", integrations + "/list"} {
			if rows := len(h.list(list)); rows != 2 {
				t.Errorf("%s has %d rows: a refused call did something", list, rows)
			}
		}
	})
}

func TestTheSchemeIsReadInAnyCase(t *testing.T) { // A10
	inHouse(t, options{}, func(h *house) {
		for _, scheme := range []string{"Bearer ", "bearer ", "BEARER "} {
			if a := h.call(http.MethodGet, "/bot/list", "", nil, "Authorization", scheme+apiSecret); a.status != 200 {
				t.Errorf("%q: %d", scheme, a.status)
			}
		}
	})
}

func TestMethodsAndRoutes(t *testing.T) { // A12 A28 A30
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		served := map[string][]string{}
		for _, d := range walk(t) {
			served[d.path] = append(served[d.path], d.method)
		}
		for _, d := range walk(t) {
			path, _ := e.path(d, nil)
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				if strings.Contains(strings.Join(served[d.path], " "), method) {
					continue
				}
				if a := h.call(method, path, apiSecret, object{}); !a.isProblem(405, "METHOD_NOT_ALLOWED") {
					t.Errorf("%s %s: %d %.200s", method, path, a.status, a.text)
				}
			}
			if a := h.call(http.MethodOptions, path, "", nil, "Origin", "https://example.com", "Access-Control-Request-Method", d.method); a.status != 200 ||
				a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), d.method) ||
				!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Authorization") {
				t.Errorf("OPTIONS %s: %d %v", path, a.status, a.header)
			}
			if d.public {
				continue
			}
			if a := h.call(http.MethodHead, path, apiSecret, nil); a.status != 200 {
				t.Errorf("HEAD %s: %d", path, a.status)
			}
			if a := h.call(d.method, path, "", nil); a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: a browser may not read its errors", d)
			}
		}
		for _, path := range []string{"/", "/bots", "/bot", "/bot/" + h.bot, "/bot/" + h.bot + "/fetch/more", "/bot//fetch", "/%2e%2e/bot/list", "/integration/slack/list"} {
			for _, method := range []string{"GET", "POST"} {
				if a := h.call(method, "/api/v1"+path, apiSecret, nil); !a.isProblem(404, "NOT_FOUND") {
					t.Errorf("%s %s: %d %.200s", method, path, a.status, a.text)
				}
			}
		}
	})
}

func TestBothPrefixesAreOne(t *testing.T) { // A30
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range walk(t) {
			path, _ := e.path(d, nil)
			if d.method != http.MethodGet {
				continue
			}
			long := e.call(d.method, "/api/v1"+path, nil)
			short := e.call(d.method, "/v1"+path, nil)
			if long.status != short.status || long.text != short.text {
				t.Errorf("%s: %s", d, cmp.Diff(long.text, short.text))
			}
		}
		id := h.post("/v1/bot/create", object{"name": "Short"})["id"].(string)
		if h.get("/api/v1/bot/" + id + "/fetch")["name"] != "Short" {
			t.Error("what was written under one is not read under the other")
		}
	})
}

func TestAliasesStandForIDs(t *testing.T) { // A17
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range walk(t) {
			for _, p := range d.parameters() {
				alias := e.aliases[p]
				if alias == "" || d.public || d.method != http.MethodGet {
					continue
				}
				path, _ := e.path(d, nil)
				want := e.call(d.method, path, nil)
				for _, form := range []string{alias, "%40" + alias[1:], strings.ReplaceAll(url.QueryEscape(alias), "-", "%2D")} {
					got := e.call(d.method, strings.Replace(path, e.ids[p], form, 1), nil)
					if got.status != want.status || got.text != want.text {
						t.Errorf("%s by %s: %d %.200s", d, form, got.status, got.text)
					}
				}
			}
		}
		for _, d := range walk(t) { // what writes, too
			for _, p := range d.parameters() {
				if e.aliases[p] == "" || d.public || d.method != http.MethodPost || strings.HasSuffix(d.path, "/upload") {
					continue
				}
				path, _ := e.path(d, map[string]string{p: e.aliases[p]})
				if a := e.call(d.method, path, d.least()); a.status != 200 {
					t.Errorf("%s by alias: %d %.200s", d, a.status, a.text)
				}
			}
		}
	})
}

func TestAnAbsurdPathIsNoFailure(t *testing.T) { // A13
	inHouse(t, options{}, func(h *house) {
		for _, d := range walk(t) {
			for _, id := range []string{
				"%00", "%FF%FE", "..", "%2e%2e", "%2F", "@", "@@", "%40%00", "(name)", strings.Repeat("x", 3000), "%ED%A0%80",
				"%F0%9F%A4%96", "'%20OR%201=1--", "%25", "null", "%0D%0AX-Injected:%20yes", "-", "a.b", "*", "%5B%5D",
			} {
				path := parameter.ReplaceAllLiteralString(d.path, id)
				if path == d.path {
					continue
				}
				r := httptest.NewRequest(d.method, "http://parley.test/api/v1/", nil)
				r.URL.RawPath, r.URL.Path, r.RequestURI = "/api/v1"+path, "/api/v1"+path, "/api/v1"+path
				r.Header.Set("Authorization", "Bearer "+apiSecret)
				a := h.do(r)
				if a.status < 400 || a.status >= 500 || a.body["code"] == nil || a.header.Get("X-Injected") != "" {
					t.Errorf("%s with %s: %d %.200s", d, id, a.status, a.text)
				}
			}
		}
	})
}
