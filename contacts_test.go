package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const fingerprint = "fingerprint-of-countess-ada"

func TestContactsOfTheAPI(t *testing.T) { // A22
	inHouse(t, options{}, func(h *house) {
		contact := func(id string) object { return h.get("/contact/" + id + "/fetch") }
		h.rule("nothing is needed, and the fingerprint is long enough to be handed in again", func(t rule) {
			got := contact(h.create("/contact", object{}))
			want := object{
				"name": "", "description": "", "email": nil, "phone": nil, "nick": nil, "preferences": nil,
				"verifiedAt": nil, "meta": object{},
			}
			ignore := cmpopts.IgnoreMapEntries(func(key string, _ any) bool {
				return key == "id" || key == "fingerprint" || key == "createdAt" || key == "updatedAt"
			})
			if diff := cmp.Diff(want, got, ignore); diff != "" {
				t.Error(diff)
			}
			if len(got["fingerprint"].(string)) <= 17 {
				t.Errorf("fingerprint %v", got["fingerprint"])
			}
			again := contact(h.create("/contact", object{"fingerprint": ""}))
			if again["id"] == got["id"] || again["fingerprint"] == got["fingerprint"] {
				t.Errorf("two contacts are one: %v", again)
			}
		})
		fields := object{
			"fingerprint": fingerprint, "name": "Ada", "description": "a countess", "email": "ada@example.com",
			"nick": "ada", "preferences": "language=en", "verifiedAt": 1700000000123.0, "meta": object{"vip": true},
		}
		var id string
		h.rule("the fields round trip, the phone number in its one form", func(t rule) {
			body := object{"phone": "+1 (555) 123-0001"}
			for key, value := range fields {
				body[key] = value
			}
			id = h.create("/contact", body)
			got := contact(id)
			for key, want := range fields {
				if diff := cmp.Diff(want, got[key]); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
			if got["phone"] != "+15551230001" {
				t.Errorf("phone %v", got["phone"])
			}
			if diff := cmp.Diff(got, h.get("/contact/list?take=1")["items"].([]any)[0]); diff != "" {
				t.Errorf("the list shows another contact: %s", diff)
			}
		})
		h.rule("a fingerprint that is taken is a conflict, in this account alone", func(t rule) {
			if a := h.call(http.MethodPost, "/contact/create", apiSecret, object{"fingerprint": fingerprint}); a.status != 409 || a.body["code"] != "CONFLICT" {
				t.Errorf("%d %s", a.status, a.text)
			}
			if a := h.call(http.MethodPost, "/contact/create", otherSecret, object{"fingerprint": fingerprint}); a.status != 200 || a.body["id"] == id {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
		h.rule("a whole contact can be put back without change", func(t rule) {
			was := contact(id)
			body := contact(id)
			for _, key := range []string{"id", "createdAt", "updatedAt"} {
				delete(body, key)
			}
			h.post("/contact/"+id+"/update", body)
			if diff := cmp.Diff(was, contact(id), cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "updatedAt" })); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("an update changes what it names, merges meta and clears what is null", func(t rule) {
			h.post("/contact/"+id+"/update", object{"nick": "Countess", "email": nil, "verifiedAt": nil, "meta": object{"since": 1843}})
			got := contact(id)
			want := object{"nick": "Countess", "email": nil, "verifiedAt": nil, "name": "Ada", "meta": object{"vip": true, "since": 1843.0}}
			for key, value := range want {
				if diff := cmp.Diff(value, got[key]); diff != "" {
					t.Errorf("%s: %s", key, diff)
				}
			}
		})
		h.rule("what is wrong is refused by name, and nothing changes", func(t rule) { // A13
			before, count := contact(id), len(h.list("/contact/list"))
			for _, c := range []struct {
				field string
				value any
			}{
				{"fingerprint", "too-short"},
				{"fingerprint", strings.Repeat("f", 256)},
				{"fingerprint", 5},
				{"email", "ada"},
				{"email", "Ada <ada@example.com>"},
				{"phone", "15551230001"},
				{"phone", "+0123456789"},
				{"phone", 15551230001},
				{"verifiedAt", "yesterday"},
				{"verifiedAt", -1},
				{"verifiedAt", 1e15},
				{"verifiedAt", 1.5},
				{"name", "a\x00b"},
				{"meta", "text"},
				{"meta", object{"_x": 1}},
				{"surprise", 1},
				{"createdAt", 1},
			} {
				for _, path := range []string{"/contact/create", "/contact/ensure", "/contact/" + id + "/update"} {
					body := object{c.field: c.value}
					if path == "/contact/ensure" && c.field != "fingerprint" {
						body["fingerprint"] = "another-long-fingerprint"
					}
					a := h.call(http.MethodPost, path, apiSecret, body)
					if a.status != 400 || a.body["code"] != "BAD_REQUEST" || !strings.Contains(a.body["message"].(string), c.field) {
						t.Errorf("%s of %v: %d %s", path, body, a.status, a.text)
					}
				}
			}
			if diff := cmp.Diff(before, contact(id)); diff != "" || len(h.list("/contact/list")) != count {
				t.Errorf("%d contacts, there were %d; %s", len(h.list("/contact/list")), count, diff)
			}
		})
		h.rule("the fingerprint stays what it is", func(t rule) {
			a := h.call(http.MethodPost, "/contact/"+id+"/update", apiSecret, object{"fingerprint": fingerprint + "-of-lovelace"})
			if a.status != 400 || !strings.Contains(a.text, "cannot be changed") || contact(id)["fingerprint"] != fingerprint {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
		h.rule("lists filter by meta and go page by page", func(t rule) { // A15
			if got := h.list("/contact/list?meta.vip=true"); len(got) != 1 || got[0]["id"] != id {
				t.Errorf("%v", got)
			}
			all := h.list("/contact/list")
			if got := h.list("/contact/list?take=1"); len(got) != len(all) || len(all) != 3 {
				t.Errorf("%d contacts one by one, %d together", len(got), len(all))
			}
		})
	})
}

func TestEnsuringContacts(t *testing.T) { // A22
	inHouse(t, options{}, func(h *house) {
		ensure := func(body object) string { return h.post("/contact/ensure", body)["id"].(string) }
		contact := func(id string) object { return h.get("/contact/" + id + "/fetch") }
		var proved, said string
		h.rule("with a fingerprint it is made once, verified, and then left alone", func(t rule) {
			proved = ensure(object{"fingerprint": fingerprint, "name": "Ada", "email": "ada@example.com"})
			was := contact(proved)
			if was["verifiedAt"] == nil {
				t.Error("it is not verified")
			}
			if again := ensure(object{"fingerprint": fingerprint, "name": "Eve", "email": "eve@example.com"}); again != proved {
				t.Errorf("%s, not %s", again, proved)
			}
			if diff := cmp.Diff(was, contact(proved)); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("without one the same words are the same contact, not verified, and another than the proved one", func(t rule) {
			said = ensure(object{"name": "Ada", "email": "ada@example.com", "phone": "+1 555 123 0001"})
			if again := ensure(object{"phone": "+15551230001", "email": "ada@example.com", "name": "Ada", "nick": "", "description": "other"}); again != said {
				t.Errorf("%s, not %s", again, said)
			}
			got := contact(said)
			if got["verifiedAt"] != nil || said == proved || got["phone"] != "+15551230001" {
				t.Errorf("%v", got)
			}
			if id := ensure(object{"name": "Ada", "email": "ada@example.com"}); id == said || id == proved {
				t.Error("other words are the same contact")
			}
			if id := ensure(object{"nick": "bob", "verifiedAt": 1700000000000}); contact(id)["verifiedAt"] != nil {
				t.Error("words are taken for a proof")
			}
		})
		h.rule("who says nothing is nobody", func(t rule) {
			for _, body := range []object{{}, {"description": "somebody"}, {"fingerprint": nil, "name": ""}} {
				if a := h.call(http.MethodPost, "/contact/ensure", apiSecret, body); a.status != 400 {
					t.Errorf("%v: %d %s", body, a.status, a.text)
				}
			}
		})
		h.rule("fingerprints that derive from words are those of the public platform", func(t rule) {
			if got := contact(said)["fingerprint"]; got != "477fab06-054a-50e8-ac6f-ac77785c4e1c" {
				t.Errorf("%v", got)
			}
		})
		h.rule("many at once make one row", func(t rule) {
			for _, body := range []object{{"fingerprint": "of-many-at-once-1"}, {"email": "many@example.com"}} {
				before := len(h.list("/contact/list"))
				ids := atOnce(24, func(int) string { return ensure(body) })
				for _, id := range ids {
					if id != ids[0] {
						t.Errorf("%v: contacts %s and %s", body, ids[0], id)
					}
				}
				if got := len(h.list("/contact/list")); got != before+1 {
					t.Errorf("%v: %d contacts, there were %d", body, got, before)
				}
			}
			statuses := atOnce(24, func(int) string {
				return fmt.Sprint(h.call(http.MethodPost, "/contact/create", apiSecret, object{"fingerprint": "of-many-at-once-2"}).status)
			})
			if made := strings.Count(strings.Join(statuses, " "), "200"); made != 1 {
				t.Errorf("%d were made: %v", made, statuses)
			}
		})
		h.rule("who was deleted is made anew", func(t rule) {
			h.post("/contact/"+proved+"/delete", object{})
			id := ensure(object{"fingerprint": fingerprint, "name": "Eve"})
			if got := contact(id); got["name"] != "Eve" {
				t.Errorf("%v", got)
			}
		})
	})
}

// atOnce does something many times at the same time.
func atOnce[R any](n int, do func(i int) R) []R {
	results := make([]R, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { results[i] = do(i) })
	}
	all.Wait()
	return results
}

func TestAContactAndItsConversations(t *testing.T) { // A22 F030 F032 F190 F191
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true, "sessionDuration": 0})
		for _, text := range []string{"One", "Two", "Three"} {
			h.person(alice).Write(text)
			h.settle()
		}
		h.person(bob).Write("Hello")
		h.settle()
		contacts := h.list("/contact/list")
		if len(contacts) != 2 || contacts[0]["phone"] != "+"+alice {
			t.Fatalf("%v", contacts)
		}
		id := contacts[0]["id"].(string)
		path := "/contact/" + id + "/conversation/list"
		h.rule("the conversations of a contact are those that are linked with it", func(t rule) {
			got := h.list(path)
			if len(got) != 3 || len(h.lines(path)) != 3 || len(h.list(path+"?take=2")) != 3 {
				t.Fatalf("%v", got)
			}
			for i, c := range h.conversations()[:3] {
				if diff := cmp.Diff(c, got[i]); diff != "" || c["contactId"] != id {
					t.Errorf("%v %s", c["contactId"], diff)
				}
			}
		})
		h.rule("a collected contact can be ensured by the fingerprint that it is known by", func(t rule) {
			if got := h.post("/contact/ensure", object{"fingerprint": contacts[0]["fingerprint"]})["id"]; got != id {
				t.Errorf("%v, not %s", got, id)
			}
		})
		h.rule("a deleted contact leaves the conversations, without a contact", func(t rule) {
			h.post("/contact/"+id+"/delete", object{})
			for _, c := range h.conversations()[:3] {
				if c["contactId"] != nil {
					t.Errorf("%v", c)
				}
			}
			for _, call := range []struct{ method, path string }{
				{http.MethodGet, path},
				{http.MethodGet, "/contact/" + id + "/fetch"},
				{http.MethodPost, "/contact/" + id + "/update"},
				{http.MethodPost, "/contact/" + id + "/delete"},
			} {
				if a := h.call(call.method, call.path, apiSecret, object{}); a.status != 404 {
					t.Errorf("%s: %d %s", call.path, a.status, a.text)
				}
			}
		})
	})
}

func TestContactsOfOthers(t *testing.T) { // P8
	inHouse(t, options{}, func(h *house) {
		id := h.create("/contact", object{"fingerprint": fingerprint, "name": "Ada"})
		for _, c := range []struct {
			method, path string
			body         any
		}{
			{http.MethodGet, "/contact/%s/fetch", nil},
			{http.MethodGet, "/contact/%s/conversation/list", nil},
			{http.MethodPost, "/contact/%s/update", object{"name": "Eve"}},
			{http.MethodPost, "/contact/%s/delete", object{}},
		} {
			theirs := h.call(c.method, fmt.Sprintf(c.path, id), otherSecret, c.body)
			nobodys := h.call(c.method, fmt.Sprintf(c.path, "nobody"), otherSecret, c.body)
			if theirs.status != 404 || theirs.text != nobodys.text || nobodys.status != 404 {
				t.Errorf("%s: %d %s, and %s", c.path, theirs.status, theirs.text, nobodys.text)
			}
		}
		for _, path := range []string{"/contact/list", "/contact/export"} {
			if a := h.call(http.MethodGet, path, otherSecret, nil); len(a.body["items"].([]any)) != 0 {
				t.Errorf("%s: %s", path, a.text)
			}
		}
		if a := h.call(http.MethodGet, "/contact/list?cursor="+id, otherSecret, nil); a.status != 400 {
			t.Errorf("a foreign cursor: %d %s", a.status, a.text)
		}
		if got := h.get("/contact/" + id + "/fetch"); got["name"] != "Ada" {
			t.Errorf("%v", got)
		}
	})
}

func TestExportingContacts(t *testing.T) { // A22 A16
	inHouse(t, options{}, func(h *house) {
		for i := range 130 {
			h.create("/contact", object{"name": fmt.Sprintf("=Ädä %d", i), "phone": fmt.Sprintf("+1555123%04d", i), "meta": object{"n": i}})
		}
		page := h.get("/contact/export?order=asc&take=2")
		if items := page["items"].([]any); len(items) != 2 || page["cursor"] == "" {
			t.Errorf("%v", page)
		}
		if lines := h.lines("/contact/export?order=asc"); len(lines) != 130 || lines[129]["name"] != "=Ädä 129" {
			t.Errorf("%d lines", len(lines))
		}
		table := h.call(http.MethodGet, "/contact/export?order=asc", apiSecret, nil, "Accept", "text/csv").text
		rows := strings.Split(strings.TrimSpace(table), "\r\n")
		if len(rows) != 131 || !strings.HasPrefix(rows[0], `"id","fingerprint","name"`) || !strings.Contains(rows[1], `"'=Ädä 0"`) {
			t.Errorf("%d rows: %s", len(rows), rows[0])
		}
		if a := h.call(http.MethodGet, "/contact/list", apiSecret, nil, "Accept", "text/csv"); a.status != 400 {
			t.Errorf("a list is no table: %d", a.status)
		}
	})
}
