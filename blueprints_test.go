package parley_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ids gives the IDs of a list, in the order of their names.
func ids(items []object) []string {
	slices.SortFunc(items, func(a, b object) int { return strings.Compare(a["name"].(string), b["name"].(string)) })
	all := []string{}
	for _, x := range items {
		all = append(all, x["id"].(string))
	}
	return all
}

// refused checks what a call of acme's is refused with.
func (h *house) refused(t rule, path string, body any, status int, says string) {
	t.Helper()
	a := h.call(http.MethodPost, path, apiSecret, body)
	message, _ := a.body["message"].(string)
	if a.status != status || !strings.Contains(message, says) {
		t.Errorf("POST %s %v: %d %s, want %d and %q", path, body, a.status, a.text, status, says)
	}
}

func TestBlueprints(t *testing.T) { // A19
	inHouse(t, options{}, func(h *house) {
		h.rule("nothing is needed to make one, and every field is shown", func(t rule) {
			id := h.create("/blueprint", object{})
			want := object{"id": id, "alias": nil, "name": "", "description": "", "visibility": "private", "meta": object{}}
			times := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return strings.HasSuffix(key, "At") })
			if diff := cmp.Diff(want, h.get("/blueprint/"+id+"/fetch"), times); diff != "" {
				t.Error(diff)
			}
			h.post("/blueprint/"+id+"/delete", nil)
		})
		id := h.create("/blueprint", object{
			"alias": "shops", "name": "Shops", "description": "All", "visibility": "protected", "meta": object{"a": 1, "n": 3},
		})
		before := h.get("/blueprint/" + id + "/fetch")
		h.rule("what was fetched can be sent back and changes nothing", func(t rule) {
			fields := object{}
			for key, value := range before {
				if key != "id" && !strings.HasSuffix(key, "At") {
					fields[key] = value
				}
			}
			h.settle()
			h.post("/blueprint/"+id+"/update", fields)
			after := h.get("/blueprint/@shops/fetch")
			if diff := cmp.Diff(before, after, cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "updatedAt" })); diff != "" {
				t.Error(diff)
			}
			if after["updatedAt"].(float64) <= after["createdAt"].(float64) {
				t.Errorf("times %v and %v", after["createdAt"], after["updatedAt"])
			}
		})
		h.rule("an update changes what it names, and merges meta", func(t rule) {
			h.post("/blueprint/"+id+"/update", object{"name": nil, "visibility": "public", "meta": object{"b": 2}})
			got := h.get("/blueprint/" + id + "/fetch")
			if got["name"] != "" || got["visibility"] != "public" || got["description"] != "All" || len(got["meta"].(object)) != 3 {
				t.Errorf("%v", got)
			}
		})
		h.rule("what cannot be is refused, with the field's name", func(t rule) { // A13
			for says, body := range map[string]object{
				"visibility": {"visibility": "secret"}, "name": {"name": 1}, "config": {"config": object{}}, "meta": {"meta": object{"_x": 1}},
				"alias": {"alias": "Shops"}, "id": {"id": "mine"}, "description": {"description": "a\x00b"},
			} {
				h.refused(t, "/blueprint/create", body, 400, says)
				h.refused(t, "/blueprint/"+id+"/update", body, 400, says)
			}
			h.refused(t, "/blueprint/create", object{"alias": "shops"}, 409, "alias")
			h.refused(t, "/blueprint/"+id+"/delete", object{"deleteResources": "perhaps"}, 400, "deleteResources")
			h.refused(t, "/blueprint/"+id+"/delete", object{"surprise": true}, 400, "surprise")
		})
		h.rule("lists have pages, filters and streams", func(t rule) { // A15 A16
			for i := range 4 {
				h.create("/blueprint", object{"name": fmt.Sprint(i), "meta": object{"n": i}})
			}
			if got := h.list("/blueprint/list?take=2"); len(got) != 5 || got[0]["id"] != id {
				t.Errorf("%v", got)
			}
			for filter, want := range map[string]int{"meta.n=3": 2, "meta[n]=1": 1, "meta.n=9": 0} {
				if got := h.list("/blueprint/list?" + filter); len(got) != want {
					t.Errorf("%s: %d", filter, len(got))
				}
			}
			if got := h.lines("/blueprint/list?order=asc"); len(got) != 5 || got[0]["id"] != id {
				t.Errorf("%v", got)
			}
			if got := h.get("/blueprint/list?order=asc&cursor=" + id)["items"].([]any); len(got) != 4 {
				t.Errorf("behind the first: %d", len(got))
			}
		})
		h.rule("somebody else's looks as if it did not exist", func(t rule) { // P8
			for _, do := range []struct{ method, path string }{
				{http.MethodGet, "/blueprint/%s/fetch"},
				{http.MethodGet, "/blueprint/%s/resource/list"},
				{http.MethodPost, "/blueprint/%s/update"},
				{http.MethodPost, "/blueprint/%s/delete"},
			} {
				for _, name := range []string{id, "@shops"} {
					foreign := h.call(do.method, fmt.Sprintf(do.path, name), otherSecret, object{})
					unknown := h.call(do.method, fmt.Sprintf(do.path, "none"), otherSecret, object{})
					if foreign.status != 404 || foreign.text != unknown.text {
						t.Errorf("%s %s: %d %s", do.method, do.path, foreign.status, foreign.text)
					}
				}
			}
			if a := h.call(http.MethodGet, "/blueprint/list", otherSecret, nil); len(a.body["items"].([]any)) != 0 {
				t.Errorf("%s", a.text)
			}
		})
		h.rule("a deleted one is gone, and its alias is free", func(t rule) {
			h.post("/blueprint/@shops/delete", nil)
			for _, path := range []string{"/blueprint/" + id + "/fetch", "/blueprint/@shops/fetch"} {
				if a := h.call(http.MethodGet, path, apiSecret, nil); a.status != 404 {
					t.Errorf("%s: %d", path, a.status)
				}
			}
			h.refused(t, "/blueprint/"+id+"/delete", object{}, 404, "Blueprint not found")
			h.create("/blueprint", object{"alias": "shops"})
		})
	})
}

func TestLinksToABlueprint(t *testing.T) { // F040 F148 F306 F324 F343
	inHouse(t, options{}, func(h *house) {
		shops := h.create("/blueprint", object{"name": "Shops", "alias": "shops"})
		bars := h.create("/blueprint", object{"name": "Bars"})
		foreign := h.call(http.MethodPost, "/blueprint/create", otherSecret, object{"alias": "theirs"}).body["id"].(string)
		member := map[string]string{}
		for _, sort := range []string{"/bot", "/file", integrations} {
			member[sort] = h.create(sort, object{"name": "a", "blueprintId": shops})
			path := sort + "/" + member[sort]
			linked := func() any { return h.get(path + "/fetch")["blueprintId"] }
			h.rule("a link takes an ID or an alias, and shows the ID", func(t rule) {
				for _, name := range []string{bars, "@shops"} {
					h.post(path+"/update", object{"blueprintId": name})
					if want := map[string]string{bars: bars, "@shops": shops}[name]; linked() != want {
						t.Errorf("%s %s: %v", sort, name, linked())
					}
				}
			})
			h.rule("what is not there and what is somebody else's are refused alike", func(t rule) { // P8
				for _, name := range []string{"none", foreign, "@theirs", "@none", "@"} {
					h.refused(t, sort+"/create", object{"blueprintId": name}, 400, "Blueprint not found")
					h.refused(t, path+"/update", object{"blueprintId": name, "name": "b"}, 400, "Blueprint not found")
				}
				if got := h.get(path + "/fetch"); got["blueprintId"] != shops || got["name"] != "a" {
					t.Errorf("%s: a refused update changed it: %v", sort, got)
				}
			})
			h.rule("null and nothing cut the link", func(t rule) {
				for _, none := range []any{nil, ""} {
					h.post(path+"/update", object{"blueprintId": shops})
					h.post(path+"/update", object{"blueprintId": none})
					if linked() != nil {
						t.Errorf("%s %v: %v", sort, none, linked())
					}
				}
				h.post(path+"/update", object{"blueprintId": shops})
			})
			h.rule("the filter takes IDs and aliases, and finds nothing foreign", func(t rule) { // F324 F343
				second := h.create(sort, object{"name": "b", "blueprintId": "@shops"})
				third := h.create(sort, object{"name": "c", "blueprintId": bars})
				for filter, want := range map[string][]string{
					shops: {member[sort], second}, "@shops": {member[sort], second}, bars + ",@shops": {member[sort], second, third},
					"none": {}, foreign: {}, "@theirs": {}, "@": {}, "none," + bars: {third},
				} {
					if diff := cmp.Diff(want, ids(h.list(sort+"/list?take=1&blueprintId="+filter))); diff != "" {
						t.Errorf("%s of %s: %s", sort, filter, diff)
					}
					if diff := cmp.Diff(want, ids(h.lines(sort+"/list?blueprintId="+filter))); diff != "" {
						t.Errorf("stream of %s of %s: %s", sort, filter, diff)
					}
				}
				h.post(sort+"/"+second+"/delete", nil)
			})
		}
		h.rule("its resources are listed, without secrets", func(t rule) { // F043 A19
			h.post(integrations+"/"+member[integrations]+"/update", object{"botId": member["/bot"], "accessToken": accessToken, "meta": object{"k": 1}})
			want := object{"id": shops, "resources": object{
				"bot": []any{object{
					"id": member["/bot"], "name": "a", "description": "", "datasetId": nil, "skillsetId": nil, "meta": object{},
				}},
				"file": []any{object{"id": member["/file"], "name": "a", "description": "", "meta": object{}}},
				"whatsappIntegration": []any{object{
					"id": member[integrations], "name": "a", "description": "", "botId": member["/bot"], "meta": object{"k": 1.0},
				}},
			}}
			if diff := cmp.Diff(want, h.get("/blueprint/@shops/resource/list")); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("a deleted integration leaves blueprint and bot as they were", func(t rule) { // F106 F107
			before := [2]object{h.get("/blueprint/" + shops + "/fetch"), h.get("/bot/" + member["/bot"] + "/fetch")}
			for range 2 { // the second links both anew
				id := h.create(integrations, object{"botId": member["/bot"], "blueprintId": shops})
				h.post(integrations+"/"+id+"/delete", object{})
				resources := h.get("/blueprint/" + shops + "/resource/list")["resources"].(object)
				if got := resources["whatsappIntegration"].([]any); len(got) != 1 {
					t.Errorf("%v", got)
				}
			}
			after := [2]object{h.get("/blueprint/" + shops + "/fetch"), h.get("/bot/" + member["/bot"] + "/fetch")}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("many resources are all listed", func(t rule) {
			for range 105 {
				h.create("/bot", object{"blueprintId": bars})
			}
			resources := h.get("/blueprint/" + bars + "/resource/list")["resources"].(object)
			if got := len(resources["bot"].([]any)); got != 106 {
				t.Errorf("%d bots", got)
			}
		})
		h.rule("members stay when it is deleted, linked to nothing", func(t rule) { // A19
			h.post("/blueprint/"+shops+"/delete", object{"deleteResources": false})
			for sort, id := range member {
				if got := h.get(sort + "/" + id + "/fetch"); got["blueprintId"] != nil || got["name"] != "a" {
					t.Errorf("%s: %v", sort, got)
				}
				if got := h.list(sort + "/list?blueprintId=" + shops); len(got) != 0 {
					t.Errorf("%s are still found: %v", sort, got)
				}
			}
			h.refused(t, "/bot/create", object{"blueprintId": shops}, 400, "Blueprint not found")
		})
	})
}

func TestConversationsAreFoundByTheirBot(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.post("/bot/"+h.bot+"/update", object{"alias": "ada"})
		other := h.create("/bot", object{"name": "Bob"})
		h.person(alice).Write("Hello")
		h.settle()
		for filter, want := range map[string]int{h.bot: 1, "@ada": 1, "@ada," + other: 1, other: 0, "@none": 0, "none": 0} {
			if got := h.list("/conversation/list?botId=" + filter); len(got) != want {
				t.Errorf("%s: %d conversations, want %d", filter, len(got), want)
			}
		}
	})
}

func TestCloningABot(t *testing.T) { // A18
	inHouse(t, options{}, func(h *house) {
		blueprint := h.create("/blueprint", object{})
		id := h.create("/bot", object{
			"alias": "ada", "name": "Ada", "description": "d", "backstory": "You are kind.", "model": "gpt-x/temperature=0.2",
			"privacy": true, "moderation": true, "visibility": "public", "blueprintId": blueprint, "meta": object{"a": object{"b": nil}},
		})
		h.settle()
		for _, body := range []any{nil, object{}} {
			copied := h.post("/bot/@ada/clone", body)["id"].(string)
			want, got := h.get("/bot/"+id+"/fetch"), h.get("/bot/"+copied+"/fetch")
			if got["id"] == id || got["createdAt"] == want["createdAt"] || got["createdAt"] != got["updatedAt"] {
				t.Errorf("%v", got)
			}
			for _, key := range []string{"id", "createdAt", "updatedAt"} {
				delete(want, key)
				delete(got, key)
			}
			want["alias"], want["blueprintId"] = nil, nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		if a := h.call(http.MethodPost, "/bot/"+id+"/clone", otherSecret, object{}); a.status != 404 { // P8
			t.Errorf("somebody else's: %d %s", a.status, a.text)
		}
		if a := h.call(http.MethodPost, "/bot/"+id+"/clone", apiSecret, object{"name": "New"}); a.status != 400 {
			t.Errorf("a clone with fields: %d %s", a.status, a.text)
		}
	})
}
