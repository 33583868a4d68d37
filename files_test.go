package parley_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFilesOfTheAPI(t *testing.T) { // A23 A17
	inHouse(t, options{}, func(h *house) {
		file := func(id string) object { return h.get("/file/" + id + "/fetch") }
		times := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "createdAt" || key == "updatedAt" })
		var id string
		h.rule("nothing is needed, and the defaults are known", func(t rule) {
			id = h.create("/file", object{})
			want := object{
				"id": id, "alias": nil, "name": "", "description": "", "blueprintId": nil, "visibility": "private", "meta": object{},
			}
			if diff := cmp.Diff(want, file(id), times); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("the fields round trip", func(t rule) {
			fields := object{
				"alias": "menu", "name": "Menu", "description": "What we cook", "visibility": "protected", "meta": object{"season": "spring"},
			}
			got := file(h.create("/file", fields))
			for key, want := range fields {
				if diff := cmp.Diff(want, got[key]); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
			if diff := cmp.Diff(got, h.get("/file/list?meta.season=spring")["items"].([]any)[0]); diff != "" {
				t.Errorf("the list shows another file: %s", diff)
			}
			if again := file("@menu"); again["id"] != got["id"] {
				t.Errorf("under its alias: %v", again)
			}
		})
		h.rule("what cannot be is refused, and changes nothing", func(t rule) {
			before := len(h.list("/file/list"))
			for _, c := range []struct {
				body object
				says string
				want int
			}{
				{object{"name": 1}, "name", 400},
				{object{"visibility": "secret"}, "visibility", 400},
				{object{"alias": "Not Good"}, "alias", 400},
				{object{"alias": "menu"}, "alias", 409},
				{object{"meta": object{"_x": 1}}, "meta", 400},
				{object{"blueprintId": "none"}, "Blueprint not found", 400},
				{object{"surprise": true}, "surprise", 400},
				{object{"id": "mine"}, "id", 400},
			} {
				for _, path := range []string{"/file/create", "/file/" + id + "/update"} {
					a := h.call(http.MethodPost, path, apiSecret, c.body)
					if a.status != c.want || !strings.Contains(a.body["message"].(string), c.says) {
						t.Errorf("%s %v: %d %s", path, c.body, a.status, a.text)
					}
				}
			}
			if after := len(h.list("/file/list")); after != before || file(id)["name"] != "" {
				t.Errorf("%d files, there were %d; %v", after, before, file(id))
			}
		})
		h.rule("an update changes what it names, and merges meta", func(t rule) {
			h.post("/file/"+id+"/update", object{"name": "List", "meta": object{"a": 1}})
			h.post("/file/"+id+"/update", object{"meta": object{"b": 2}})
			if got := file(id); got["name"] != "List" || !cmp.Equal(got["meta"], object{"a": 1.0, "b": 2.0}) {
				t.Errorf("%v", got)
			}
		})
		h.rule("what is deleted is gone, and its alias is free", func(t rule) {
			if got := h.post("/file/@menu/delete", nil); got["id"] == nil {
				t.Errorf("%v", got)
			}
			for _, path := range []string{"/file/@menu/fetch", "/file/@menu/download"} {
				if a := h.call(http.MethodGet, path, apiSecret, nil); a.status != 404 {
					t.Errorf("%s: %d %s", path, a.status, a.text)
				}
			}
			h.create("/file", object{"alias": "menu"})
		})
	})
}

// Somebody else's files look as if they did not exist. P8 A23
func TestP8FilesOfOthers(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		id := h.create("/file", object{"alias": "mine"})
		for _, c := range []struct{ method, path string }{
			{http.MethodGet, "/file/ID/fetch"},
			{http.MethodPost, "/file/ID/update"},
			{http.MethodPost, "/file/ID/delete"},
			{http.MethodPost, "/file/ID/upload"},
			{http.MethodGet, "/file/ID/download"},
		} {
			unknown := h.call(c.method, strings.Replace(c.path, "ID", "never0existed", 1), otherSecret, object{})
			for _, name := range []string{id, "@mine"} {
				foreign := h.call(c.method, strings.Replace(c.path, "ID", name, 1), otherSecret, object{})
				if foreign.status != 404 || foreign.text != unknown.text {
					t.Errorf("%s: %d %s, for an unknown one %s", c.path, foreign.status, foreign.text, unknown.text)
				}
			}
		}
		for _, path := range []string{"/file/list", "/file/list?cursor=", "/file/list?blueprintId=x"} {
			if a := h.call(http.MethodGet, path, otherSecret, nil); len(a.body["items"].([]any)) != 0 {
				t.Errorf("%s: %s", path, a.text)
			}
		}
		if a := h.call(http.MethodGet, "/file/list?cursor="+id, otherSecret, nil); a.status != 400 {
			t.Errorf("a foreign cursor: %d %s", a.status, a.text)
		}
		if a := h.call(http.MethodPost, "/file/create", otherSecret, object{"alias": "mine"}); a.status != 200 {
			t.Errorf("the same alias in another account: %d %s", a.status, a.text)
		}
	})
}
