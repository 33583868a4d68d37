package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// updates are the operations that change what can be fetched.
func updates(t testing.TB) []described {
	t.Helper()
	var all []described
	for _, d := range walk(t) {
		if strings.HasSuffix(d.path, "/update") {
			all = append(all, d)
		}
	}
	return all
}

// fetched reads what an update changes.
func (e estate) fetched(d described) answer {
	e.h.t.Helper()
	path, _ := e.path(d, nil)
	a := e.call(http.MethodGet, strings.TrimSuffix(path, "/update")+"/fetch", nil)
	if a.status != http.StatusOK {
		e.h.t.Fatalf("%s: %d %s", d, a.status, a.text)
	}
	return a
}

func TestConcurrentMergesOfMetaAllSurvive(t *testing.T) { // F315 A17
	const writers = 8
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range updates(t) {
			path, _ := e.path(d, nil)
			before := e.fetched(d).body["meta"].(object)
			var group sync.WaitGroup
			for i := range writers {
				group.Go(func() {
					e.call(http.MethodPost, path, object{"meta": object{fmt.Sprintf("key%d", i): i, "common": i}})
				})
			}
			group.Wait()
			after := e.fetched(d).body["meta"].(object)
			for key, value := range before {
				if diff := cmp.Diff(value, after[key]); diff != "" {
					t.Errorf("%s: %s is lost: %s", d, key, diff)
				}
			}
			for i := range writers {
				if after[fmt.Sprintf("key%d", i)] != float64(i) {
					t.Errorf("%s: the meta of writer %d is lost: %v", d, i, after)
				}
			}
		}
	})
}

func TestMetaMergesAlikeEverywhere(t *testing.T) { // F314
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range updates(t) {
			path, _ := e.path(d, nil)
			for _, step := range []any{
				object{"a": 1, "b": object{"c": 1, "d": 1}},
				object{"b": object{"c": 2}},
				nil,
				object{},
				object{"$update": object{"e": "x"}},
				object{"a": nil},
				object{"-dropped": 1},
			} {
				e.post(path, object{"meta": step})
			}
			if a := e.call(http.MethodPost, path, object{"meta": object{"_mine": 1, "a": 5}}); !a.isProblem(400, "BAD_REQUEST") {
				t.Errorf("%s with a reserved key: %d %s", d, a.status, a.text)
			}
			got := e.fetched(d).body["meta"].(object)
			want := object{"a": nil, "b": object{"c": 2.0}, "e": "x"}
			for key, value := range want {
				if diff := cmp.Diff(value, got[key]); diff != "" {
					t.Errorf("%s: %s: %s", d, key, diff)
				}
			}
			for _, key := range []string{"$update", "-dropped", "_mine"} {
				if _, ok := got[key]; ok {
					t.Errorf("%s: %s is stored", d, key)
				}
			}
		}
	})
}

func TestARefusedUpdateChangesNothing(t *testing.T) { // A12 A17
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		other := h.estate(apiSecret, "other")
		for _, d := range updates(t) {
			path, _ := e.path(d, nil)
			before := e.fetched(d).text
			wrong := map[string]object{"a field that is not known": {"surprise": 1}, "a reserved key": {"meta": object{"_x": 1}}}
			for name := range d.fields() {
				wrong[name+" of no type it can have"] = object{name: []any{[]any{}}}
				if strings.HasSuffix(name, "Id") && name != "phoneNumberId" {
					wrong[name+" of nothing"] = object{name: unknown}
				}
			}
			if alias := other.aliases[d.parameters()[0]]; alias != "" {
				wrong["an alias that is taken"] = object{"alias": alias[1:]}
			}
			for what, fields := range wrong {
				body := object{}
				for name, field := range d.fields() {
					if field.Value.Type.Is("string") && len(field.Value.Enum) == 0 && !strings.HasSuffix(name, "Id") && name != "fingerprint" {
						body[name] = sample(name, field.Value)
					}
				}
				body["meta"] = object{"changed": true}
				for name, value := range fields {
					body[name] = value
				}
				a := e.call(http.MethodPost, path, body)
				if a.status != 400 && a.status != 404 && a.status != 409 {
					t.Errorf("%s with %s: %d %s", d, what, a.status, a.text)
				}
				if diff := cmp.Diff(before, e.fetched(d).text); diff != "" {
					t.Fatalf("%s with %s: refused, and yet: %s", d, what, diff)
				}
			}
		}
	})
}

// TestWhatIsDescribedIsTaken puts every described field by itself, with a value
// that fits its description.
func TestWhatIsDescribedIsTaken(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		e := h.estate(apiSecret, "acme")
		for _, d := range writers(t) {
			path, _ := e.path(d, nil)
			if d.public || strings.HasSuffix(d.path, "/delete") {
				continue
			}
			for name, field := range d.fields() {
				value := sample(name, field.Value)
				if id := e.ids[name]; id != "" && !strings.HasPrefix(field.Value.Description, "Nothing but null") {
					value = id
				}
				body := d.least()
				if d.OperationID == "updateContact" && name == "fingerprint" {
					value = e.fetched(d).body[name] // it cannot be changed
				}
				body[name] = value
				if a := h.try(d, path, apiSecret, body); a.status == 400 {
					t.Errorf("%s with %s = %v: %d %s", d, name, value, a.status, a.text)
				}
			}
		}
	})
}
