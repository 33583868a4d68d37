package parley_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCreatingAnIntegration(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.rule("nothing is needed, and the defaults are known", func(t rule) { // F012 F015 F016 F105 F149 A01
			id := h.create(integrations, object{})
			got := h.get(integrations + "/" + id + "/fetch")
			want := object{
				"id": id, "alias": nil, "name": "", "description": "", "blueprintId": nil, "botId": nil,
				"phoneNumberId": nil, "accessToken": nil, "appSecret": nil, "contactCollection": false,
				"sessionDuration": nil, "attachments": false, "allowFrom": "*", "meta": object{},
			}
			ignore := cmpopts.IgnoreMapEntries(func(key string, _ any) bool {
				return key == "verifyToken" || key == "createdAt" || key == "updatedAt"
			})
			if diff := cmp.Diff(want, got, ignore); diff != "" {
				t.Error(diff)
			}
			if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(got["verifyToken"].(string)) {
				t.Errorf("verify token %v", got["verifyToken"])
			}
		})
		h.rule("verify tokens differ and serve at once", func(t rule) { // F013 F017 F018 F058 F284 F045
			seen := map[string]string{}
			for range 20 {
				id := h.create(integrations, object{})
				seen[h.get(integrations + "/" + id + "/fetch")["verifyToken"].(string)] = id
			}
			if len(seen) != 20 {
				t.Fatalf("%d different tokens of 20", len(seen))
			}
			for token, id := range seen {
				path := "/api/v1" + integrations + "/" + id + "/callback?hub.mode=subscribe&hub.challenge=x&hub.verify_token="
				if a := h.call(http.MethodGet, path+token, "", nil); a.status != 200 || a.text != "x" {
					t.Errorf("%d %s", a.status, a.text)
				}
				for _, wrong := range []string{strings.ToUpper(token), token + "0", token[1:], h.verifyToken, "", token + "&hub.verify_token=" + token} { // F062 F081
					if a := h.call(http.MethodGet, path+wrong, "", nil); a.status != 403 || a.body["code"] != "NOT_AUTHORIZED" {
						t.Errorf("token %q: %d %s", wrong, a.status, a.text)
					}
				}
			}
		})
		h.rule("the fields of the documented example round trip", func(t rule) { // F014 F020 F021 F022 F039 F146 F019
			fields := object{
				"name": "Customer Support Bot", "description": "WhatsApp integration for customer inquiries", "botId": h.bot,
				"contactCollection": true, "attachments": true, "sessionDuration": 3600000.0, "alias": "support-1",
				"phoneNumberId": "1234567890", "allowFrom": "+1 415-523-8886", "meta": object{"a": object{"b": []any{1.0, nil}}},
			}
			got := h.get(integrations + "/" + h.create(integrations, fields) + "/fetch")
			for key, want := range fields {
				if diff := cmp.Diff(want, got[key]); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
			for _, key := range []string{"createdAt", "updatedAt"} { // F141
				if at, ok := got[key].(float64); !ok || at != float64(int64(at)) || at < 946684800000 {
					t.Errorf("%s = %v", key, got[key])
				}
			}
		})
		h.rule("what cannot be is refused, and nothing is made", func(t rule) { // F021 F033 F044 A13
			before := len(h.list(integrations + "/list"))
			for _, c := range []struct {
				body object
				says string
			}{
				{object{"name": 1}, "name"},
				{object{"contactCollection": "perhaps"}, "contactCollection"},
				{object{"attachments": 1}, "attachments"},
				{object{"sessionDuration": "an hour"}, "sessionDuration"},
				{object{"sessionDuration": -1}, "sessionDuration"},
				{object{"sessionDuration": 2628000001}, "sessionDuration"},
				{object{"phoneNumberId": 5}, "phoneNumberId"},
				{object{"verifyToken": "mine"}, "verifyToken"},
				{object{"id": "mine"}, "id"},
				{object{"createdAt": 1}, "createdAt"},
				{object{"surprise": true}, "surprise"},
				{object{"botId": "nobody"}, "Bot not found"},
				{object{"blueprintId": "none"}, "Blueprint not found"},
				{object{"alias": "Not Good"}, "alias"},
				{object{"meta": "text"}, "meta"},
				{object{"meta": object{"_x": 1}}, "meta"},
				{object{"name": "a\x00b"}, "name"},
				{object{"accessToken": 5}, "accessToken"},
				{object{"name": strings.Repeat("x", 1025)}, "name"},
			} {
				a := h.call(http.MethodPost, integrations+"/create", apiSecret, c.body)
				if a.status != 400 || a.body["code"] != "BAD_REQUEST" || !strings.Contains(a.body["message"].(string), c.says) {
					t.Errorf("%v: %d %s", c.body, a.status, a.text)
				}
			}
			if after := len(h.list(integrations + "/list")); after != before {
				t.Errorf("%d integrations, there were %d", after, before)
			}
		})
	})
}

func TestSecretsOfAnIntegration(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		path := integrations + "/" + h.integration
		fetch := func(key string) any { return h.get(path + "/fetch")[key] }
		last := func() string {
			calls := h.sim.Calls()
			return fmt.Sprint(calls[len(calls)-1].Status, " ", calls[len(calls)-1].Code)
		}
		h.rule("stored ones show as a mask, everywhere", func(t rule) { // F150 F151 F153 F155 F327 F328 A05
			for range 2 {
				if fetch("accessToken") != "********" || fetch("appSecret") != "********" {
					t.Errorf("%v", h.get(path+"/fetch"))
				}
				h.post(path+"/update", object{"accessToken": "********", "appSecret": "********"})
			}
			h.person(alice).Write("Hello")
			h.settle()
			if len(h.texts(alice)) != 1 {
				t.Errorf("the token was not kept: %s", last())
			}
		})
		h.rule("a new one counts at once", func(t rule) { // F156 F297 F310 F317
			h.post(path+"/update", object{"accessToken": "EAAG-another-token"})
			h.person(alice).Write("Hello again")
			h.settle()
			if len(h.texts(alice)) != 1 {
				t.Errorf("alice got %q with a token that Meta does not know", h.texts(alice))
			}
			if e := h.event("api.error"); e["error"].(object)["code"] != 190.0 { // F277 F291
				t.Errorf("event %v", e)
			}
			h.post(path+"/update", object{"accessToken": accessToken})
			h.settle()
			h.settle()
			if len(h.texts(alice)) != 2 {
				t.Errorf("alice got %q after the token was put right", h.texts(alice))
			}
		})
		h.rule("null and nothing clear them", func(t rule) { // F152
			for _, none := range []any{nil, ""} {
				h.post(path+"/update", object{"accessToken": accessToken})
				h.post(path+"/update", object{"accessToken": none})
				if got := fetch("accessToken"); got != nil {
					t.Errorf("%v: %v", none, got)
				}
			}
		})
		h.rule("a copy of a fetched one has no secret", func(t rule) { // F164
			fields := h.get(path + "/fetch")
			for _, key := range []string{"id", "verifyToken", "createdAt", "updatedAt", "alias"} {
				delete(fields, key)
			}
			copied := h.get(integrations + "/" + h.create(integrations, fields) + "/fetch")
			if copied["accessToken"] != nil || copied["appSecret"] != nil || copied["name"] != "Shop" {
				t.Errorf("%v", copied)
			}
		})
	})
}

func TestUpdatingAnIntegration(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		path := integrations + "/" + h.integration
		before := h.get(path + "/fetch")
		h.rule("what was fetched can be sent back and changes nothing", func(t rule) { // F137 F296
			fields := object{}
			for key, value := range before {
				fields[key] = value
			}
			for _, key := range []string{"id", "verifyToken", "createdAt", "updatedAt"} {
				delete(fields, key)
			}
			if got := h.post(path+"/update", fields); got["id"] != h.integration {
				t.Errorf("answer %v", got)
			}
			after := h.get(path + "/fetch")
			delete(before, "updatedAt")
			delete(after, "updatedAt")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("meta is merged, also by two at once", func(t rule) { // F314 F315
			h.post(path+"/update", object{"meta": object{"a": 1, "b": 1}})
			h.post(path+"/update", object{"meta": object{"b": 2, "c": 3}})
			h.post(path+"/update", object{})
			h.post(path+"/update", object{"meta": object{}})
			h.post(path+"/update", object{"meta": nil})
			var both sync.WaitGroup
			for _, key := range []string{"x", "y"} {
				both.Go(func() { h.post(path+"/update", object{"meta": object{key: 1}}) })
			}
			both.Wait()
			want := object{"a": 1.0, "b": 2.0, "c": 3.0, "x": 1.0, "y": 1.0}
			if diff := cmp.Diff(want, h.get(path + "/fetch")["meta"]); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a refused update changes nothing at all", func(t rule) {
			a := h.call(http.MethodPost, path+"/update", apiSecret, object{"name": "Changed", "accessToken": "new", "sessionDuration": -1})
			if a.status != 400 || h.get(path + "/fetch")["name"] != "Shop" {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
		h.rule("links are cut by null and by nothing", func(t rule) { // F039 F320
			for _, none := range []any{nil, ""} {
				h.post(path+"/update", object{"botId": h.bot})
				h.post(path+"/update", object{"botId": none})
				if got := h.get(path + "/fetch")["botId"]; got != nil {
					t.Errorf("%v: %v", none, got)
				}
			}
		})
		h.rule("a deleted bot leaves the integration standing", func(t rule) { // F147
			bot := h.create("/bot", object{"alias": "gone"})
			h.post(path+"/update", object{"botId": "@gone"})
			if got := h.get(path + "/fetch")["botId"]; got != bot {
				t.Errorf("linked to %v", got)
			}
			h.post("/bot/"+bot+"/delete", nil)
			if got := h.get(path + "/fetch")["botId"]; got != nil {
				t.Errorf("still linked to %v", got)
			}
		})
	})
}

func TestSetup(t *testing.T) { // F008 F255 F257 F260 F261 F272 F273 F274 F275 F286 F287
	inHouse(t, options{}, func(h *house) {
		id := h.create(integrations, object{})
		path := integrations + "/" + id
		setup := func() string {
			a := h.call(http.MethodPost, path+"/setup", apiSecret, object{})
			return fmt.Sprint(a.status, " ", a.body["code"], " ", a.body["message"])
		}
		if got := setup(); got != "409 CONFLICT No phone number ID found" {
			t.Error(got)
		}
		h.post(path+"/update", object{"phoneNumberId": "not-a-number"})
		if got := setup(); !strings.HasPrefix(got, "409 CONFLICT The phone number ID must be digits") {
			t.Error(got)
		}
		h.post(path+"/update", object{"phoneNumberId": "12345"})
		if got := setup(); got != "409 CONFLICT No access token found" {
			t.Error(got)
		}
		h.post(path+"/update", object{"accessToken": accessToken})
		for range 2 {
			if got := h.post(path+"/setup", object{}); got["id"] != id {
				t.Errorf("%v", got)
			}
		}
	})
}

func TestDeletingAnIntegration(t *testing.T) { // F098 F100 F104 F106 F107 F118 F119 F125 F127
	inHouse(t, options{}, func(h *house) {
		other := h.create(integrations, object{"name": "Other", "phoneNumberId": phoneNumber})
		path := integrations + "/" + h.integration
		if got := h.post(path+"/delete", nil); got["id"] != h.integration {
			t.Errorf("answer %v", got)
		}
		for _, call := range []struct{ method, path string }{
			{http.MethodGet, path + "/fetch"}, {http.MethodPost, path + "/update"}, {http.MethodPost, path + "/setup"}, {http.MethodPost, path + "/delete"},
		} {
			if a := h.call(call.method, call.path, apiSecret, object{}); a.status != 404 || a.body["code"] != "NOT_FOUND" {
				t.Errorf("%s: %d %s", call.path, a.status, a.text)
			}
		}
		verify := h.callback() + "?hub.mode=subscribe&hub.challenge=x&hub.verify_token=" + h.verifyToken
		if a := h.call(http.MethodGet, verify, "", nil); a.status != 404 { // F083
			t.Errorf("verification: %d", a.status)
		}
		h.stop()
		h.start()
		if a := h.call(http.MethodGet, path+"/fetch", apiSecret, nil); a.status != 404 {
			t.Errorf("after a restart: %d", a.status)
		}
		left := h.list(integrations + "/list")
		if len(left) != 1 || left[0]["id"] != other {
			t.Errorf("left: %v", left)
		}
		if got := h.get("/bot/" + h.bot + "/fetch"); got["name"] != "Ada" {
			t.Errorf("the bot is %v", got)
		}
	})
}

func TestLists(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/delete", nil)
		var ids []string
		for i := range 25 {
			ids = append(ids, h.create(integrations, object{"name": fmt.Sprint(i), "meta": object{"n": i, "even": i%2 == 0, "tag": object{"x": "y"}}}))
		}
		walk := func(query string) (got []string) {
			for cursor := ""; ; {
				page := h.get(integrations + "/list?" + query + "&cursor=" + cursor)
				items := page["items"].([]any)
				for _, i := range items {
					got = append(got, i.(object)["id"].(string))
				}
				if cursor = page["cursor"].(string); len(items) == 0 {
					if cursor != "" {
						t.Errorf("the empty page has the cursor %q", cursor) // A14
					}
					return got
				}
			}
		}
		backwards := func(ids []string) (out []string) {
			for _, id := range ids {
				out = append([]string{id}, out...)
			}
			return out
		}
		h.rule("pages join, both ways", func(t rule) { // F321 F323 F325 F338 F341 F342 F344
			for _, take := range []int{1, 5, 7, 100} {
				if diff := cmp.Diff(ids, walk(fmt.Sprintf("order=asc&take=%d", take))); diff != "" {
					t.Errorf("take %d: %s", take, diff)
				}
				if diff := cmp.Diff(backwards(ids), walk(fmt.Sprintf("order=desc&take=%d", take))); diff != "" {
					t.Errorf("take %d: %s", take, diff)
				}
			}
			if diff := cmp.Diff(backwards(ids), walk("")); diff != "" {
				t.Errorf("newest first is not the default: %s", diff)
			}
		})
		h.rule("an item is what fetch gives", func(t rule) { // F326 F331 F332 F337
			item := h.get(integrations + "/list?take=1")["items"].([]any)[0]
			if diff := cmp.Diff(h.get(integrations+"/"+ids[24]+"/fetch"), item); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a walk survives additions, removals and the loss of its own row", func(t rule) { // F339 F340
			first := h.get(integrations + "/list?order=asc&take=5")
			cursor := first["cursor"].(string)
			h.post(integrations+"/"+ids[4]+"/delete", nil)
			h.post(integrations+"/"+ids[7]+"/delete", nil)
			added := h.create(integrations, object{})
			var got []string
			for _, i := range h.get(integrations + "/list?order=asc&cursor=" + cursor)["items"].([]any) {
				got = append(got, i.(object)["id"].(string))
			}
			want := append(append(append([]string{}, ids[5:7]...), ids[8:]...), added)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("the ID of a row is a cursor, too", func(t rule) {
			got := h.get(integrations + "/list?order=asc&take=1&cursor=" + ids[9])["items"].([]any)
			if len(got) != 1 || got[0].(object)["id"] != ids[10] {
				t.Errorf("%v", got)
			}
			if a := h.call(http.MethodGet, integrations+"/list?cursor=nonsense", apiSecret, nil); a.status != 400 {
				t.Errorf("a cursor that never was: %d", a.status)
			}
		})
		h.rule("meta filters in both spellings", func(t rule) { // A15
			for query, want := range map[string]int{
				"meta.n=3": 1, "meta[n]=3": 1, "meta.even=true&meta.tag.x=y": 12, "meta[tag][x]=y&meta.n=99": 0,
			} {
				if got := len(walk(query)); got != want {
					t.Errorf("%s: %d, want %d", query, got, want)
				}
			}
		})
		h.rule("an unknown blueprint has nothing", func(t rule) { // F343
			if got := walk("blueprintId=none"); len(got) != 0 {
				t.Errorf("%v", got)
			}
		})
	})
}

func TestAliases(t *testing.T) { // A17
	inHouse(t, options{}, func(h *house) {
		first := h.create("/bot", object{"alias": "ada"})
		if got := h.get("/bot/@ada/fetch"); got["id"] != first || got["alias"] != "ada" {
			t.Errorf("%v", got)
		}
		if got := h.get("/bot/%40ada/fetch"); got["id"] != first {
			t.Errorf("percent-encoded: %v", got)
		}
		if a := h.call(http.MethodPost, "/bot/create", apiSecret, object{"alias": "ada"}); a.status != 409 || a.body["code"] != "CONFLICT" {
			t.Errorf("a second one: %d %s", a.status, a.text)
		}
		h.create(integrations, object{"alias": "ada"}) // another kind of thing
		if a := h.call(http.MethodPost, "/bot/create", otherSecret, object{"alias": "ada"}); a.status != 200 {
			t.Errorf("another account: %d %s", a.status, a.text)
		}
		h.post("/bot/"+first+"/update", object{"name": "Ada"})
		if got := h.get("/bot/" + first + "/fetch"); got["alias"] != "ada" {
			t.Errorf("an update that does not name it: %v", got)
		}
		h.post("/bot/"+first+"/update", object{"alias": "lovelace"})
		second := h.create("/bot", object{"alias": "ada"})
		if got := h.get("/bot/@ada/fetch"); got["id"] != second {
			t.Errorf("a freed one: %v", got)
		}
		h.post("/bot/@ada/delete", nil)
		h.post("/bot/"+first+"/update", object{"alias": "ada"})
		h.post("/bot/"+first+"/update", object{"alias": nil})
		if got := h.get("/bot/" + first + "/fetch"); got["alias"] != nil {
			t.Errorf("a cleared one: %v", got)
		}
		var winners, losers int
		var both sync.WaitGroup
		var mutex sync.Mutex
		for range 8 {
			both.Go(func() {
				a := h.call(http.MethodPost, "/bot/create", apiSecret, object{"alias": "wanted"})
				mutex.Lock()
				defer mutex.Unlock()
				switch a.status {
				case 200:
					winners++
				case 409:
					losers++
				}
			})
		}
		both.Wait()
		if winners != 1 || losers != 7 {
			t.Errorf("%d got the alias, %d did not", winners, losers)
		}
	})
}

func TestAuthentication(t *testing.T) { // A10 A11 A12 A28 A30
	inHouse(t, options{}, func(h *house) {
		for _, secret := range []string{"", "wrong", strings.ToUpper(apiSecret)} {
			for _, path := range []string{integrations + "/list", integrations + "/none/fetch"} {
				a := h.call(http.MethodGet, path, secret, nil)
				if a.status != 401 || a.body["code"] != "NOT_AUTHENTICATED" || a.body["message"] != "Not authenticated" {
					t.Errorf("%q %s: %d %s", secret, path, a.status, a.text)
				}
			}
			if a := h.call(http.MethodPost, integrations+"/create", secret, nil); a.status != 401 {
				t.Errorf("before the body is looked at: %d", a.status)
			}
		}
		for _, header := range []string{"Authorization", "bearer " + apiSecret, "Authorization", "BEARER " + apiSecret} {
			if header == "Authorization" {
				continue
			}
			if a := h.call(http.MethodGet, integrations+"/list", "", nil, "Authorization", header); a.status != 200 {
				t.Errorf("%s: %d", header[:6], a.status)
			}
		}
		if a := h.call(http.MethodGet, integrations+"/list", "", nil, "Authorization", "Basic "+apiSecret); a.status != 401 {
			t.Errorf("another scheme: %d", a.status)
		}
		for _, header := range []string{"X-RunAs-User-ID", "x-runas-userid", "X-RunAs-Child-User-Email"} {
			if a := h.call(http.MethodGet, integrations+"/list", apiSecret, nil, header, "somebody"); a.status != 401 {
				t.Errorf("%s: %d", header, a.status)
			}
		}
		if a := h.call(http.MethodGet, "/v1"+integrations+"/list", apiSecret, nil); a.status != 200 || a.text != h.call(http.MethodGet, integrations+"/list", apiSecret, nil).text {
			t.Errorf("without the first /api: %d", a.status)
		}
		if a := h.call(http.MethodGet, "/nothing/here", apiSecret, nil); a.status != 404 || a.body["code"] != "NOT_FOUND" {
			t.Errorf("an unknown route: %d %s", a.status, a.text)
		}
		if a := h.call(http.MethodPost, integrations+"/list", apiSecret, object{}); a.status != 405 || a.body["code"] != "METHOD_NOT_ALLOWED" {
			t.Errorf("a wrong method: %d %s", a.status, a.text)
		}
		preflight := h.call(http.MethodOptions, integrations+"/create", "", nil, "Origin", "https://example.org", "Access-Control-Request-Method", "POST")
		if preflight.status != 200 || preflight.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(preflight.header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("preflight: %d %v", preflight.status, preflight.header)
		}
	})
}

// Somebody else's things look as if they did not exist. P8 F157 F158 F159
func TestP8AccountsDoNotSeeEachOther(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		conversation := h.conversations()[0]["id"].(string)
		for _, call := range []struct{ method, path string }{
			{http.MethodGet, "/integration/whatsapp/ID/fetch"},
			{http.MethodPost, "/integration/whatsapp/ID/update"},
			{http.MethodPost, "/integration/whatsapp/ID/delete"},
			{http.MethodPost, "/integration/whatsapp/ID/setup"},
			{http.MethodGet, "/bot/ID/fetch"},
			{http.MethodPost, "/bot/ID/update"},
			{http.MethodPost, "/bot/ID/delete"},
			{http.MethodGet, "/conversation/ID/fetch"},
			{http.MethodGet, "/conversation/ID/message/list"},
		} {
			id := h.integration
			switch {
			case strings.HasPrefix(call.path, "/bot"):
				id = h.bot
			case strings.HasPrefix(call.path, "/conversation"):
				id = conversation
			}
			foreign := h.call(call.method, strings.Replace(call.path, "ID", id, 1), otherSecret, object{})
			unknown := h.call(call.method, strings.Replace(call.path, "ID", "never0existed", 1), otherSecret, object{})
			if foreign.status != 404 || foreign.text != unknown.text {
				t.Errorf("%s: %d %s, for an unknown one %s", call.path, foreign.status, foreign.text, unknown.text)
			}
		}
		for _, path := range []string{
			integrations + "/list", "/bot/list", "/conversation/list", "/event/log/list",
			"/event/log/list?whatsappIntegrationId=" + h.integration, "/conversation/list?botId=" + h.bot,
		} {
			if a := h.call(http.MethodGet, path, otherSecret, nil); a.status != 200 || len(a.body["items"].([]any)) != 0 {
				t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
		foreign := h.call(http.MethodPost, integrations+"/create", otherSecret, object{"botId": h.bot})
		unknown := h.call(http.MethodPost, integrations+"/create", otherSecret, object{"botId": "never0existed"})
		if foreign.status != 400 || foreign.text != unknown.text {
			t.Errorf("linking to a foreign bot: %d %s", foreign.status, foreign.text)
		}
	})
}

func TestBots(t *testing.T) { // A18 F202
	inHouse(t, options{}, func(h *house) {
		id := h.create("/bot", object{
			"name": "Ada", "description": "d", "backstory": "You are kind.", "model": "gpt-x/temperature=0.2",
			"privacy": true, "visibility": "public", "meta": object{"a": 1}, "datasetId": nil, "skillsetId": "",
		})
		got := h.get("/bot/" + id + "/fetch")
		want := object{
			"id": id, "alias": nil, "name": "Ada", "description": "d", "backstory": "You are kind.", "model": "gpt-x/temperature=0.2",
			"datasetId": nil, "skillsetId": nil, "privacy": true, "moderation": false, "visibility": "public", "blueprintId": nil, "meta": object{"a": 1.0},
		}
		ignore := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return strings.HasSuffix(key, "At") })
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Error(diff)
		}
		for _, body := range []object{{"visibility": "secret"}, {"datasetId": "d1"}, {"backstory": 1}, {"model": strings.Repeat("x", 256)}} {
			if a := h.call(http.MethodPost, "/bot/"+id+"/update", apiSecret, body); a.status != 400 {
				t.Errorf("%v: %d", body, a.status)
			}
		}
		h.post("/bot/"+id+"/delete", nil)
		if a := h.call(http.MethodPost, "/bot/"+id+"/delete", apiSecret, nil); a.status != 404 {
			t.Errorf("a second deletion: %d", a.status)
		}
	})
}

func TestNonsenseIsNeverOurFault(t *testing.T) { // A13 F177
	inHouse(t, options{}, func(h *house) {
		for _, body := range []string{
			"", "null", "[]", "1", `"x"`, "{", `{"a":`, `{"a":1}x`, "{}{}", strings.Repeat("[", 10000), strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
			`{"name":"` + "\xff\xfe" + `"}`, `{"name":"\ud800"}`, `{"meta":{"a":"` + strings.Repeat("x", 70000) + `"}}`, `{"name":{"$ne":1}}`,
			`{"sessionDuration":1e999}`, `{"name":"a\u0000b"}`,
		} {
			for _, path := range []string{integrations + "/create", integrations + "/" + h.integration + "/update", "/bot/create", "/bot/" + h.bot + "/update"} {
				r := httptest.NewRequest(http.MethodPost, "/api/v1"+path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+apiSecret)
				r.Header.Set("Content-Type", "application/json")
				if a := h.do(r); a.status >= 500 || a.status == 429 {
					t.Errorf("%s with %.40q: %d", path, body, a.status)
				}
			}
		}
	})
}
