package parley_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unknown is an ID in the form of ours that nothing has.
const unknown = "zzzzzzzzzzzzzzzzzzzzzzzz0"

// TestForeignIsAbsent walks every operation with another account's secret: what
// exists but is foreign is answered like what does not exist.
func TestForeignIsAbsent(t *testing.T) { // P8 F148 F165
	inHouse(t, options{}, func(h *house) {
		acme, globex := h.estate(apiSecret, "acme"), h.estate(otherSecret, "globex")
		theirs := h.snapshot(acme)
		for _, d := range walk(t) {
			if d.public && d.method+d.path != "GET/file/{fileId}/download" {
				continue
			}
			acme.pathsTo(d, func(param string, by map[string]string) {
				checkAlike(t, d.String()+" by "+param, globex, acme, func(id func(string) string) answer {
					instead := map[string]string{}
					for p, value := range by {
						instead[p] = id(value)
					}
					path, _ := globex.path(d, instead)
					return h.try(d, path, otherSecret, d.least())
				}, 404)
			})
			for field := range d.fields() {
				foreign := acme.ids[field]
				if foreign == "" {
					continue
				}
				for _, value := range []string{foreign, acme.aliases[field]} {
					if value == "" {
						continue
					}
					checkAlike(t, d.String()+" with "+field+" in its body", globex, acme, func(id func(string) string) answer {
						body := d.least()
						body[field] = id(value)
						path, _ := globex.path(d, nil)
						return h.try(d, path, otherSecret, body)
					}, 400, 404)
				}
			}
			if d.method == http.MethodGet {
				checkFilters(t, h, d, acme, globex)
			}
		}
		if diff := cmp.Diff(theirs, h.snapshot(acme)); diff != "" {
			t.Errorf("the other account's resources changed: %s", diff)
		}
	})
}

// pathsTo gives the ways in which a path can name something of the estate: one
// parameter by itself, in every form, and all at once.
func (e estate) pathsTo(d described, use func(param string, by map[string]string)) {
	all := map[string]string{}
	for _, p := range d.parameters() {
		if e.ids[p] == "" {
			continue
		}
		all[p] = e.ids[p]
		use(p, map[string]string{p: e.ids[p]})
		if alias := e.aliases[p]; alias != "" {
			use(p+" as alias", map[string]string{p: alias})
		}
	}
	if len(all) > 1 {
		use("all", all)
	}
}

// checkAlike makes the same call for what is foreign and for what is not there.
func checkAlike(t *testing.T, name string, own, foreign estate, call func(id func(string) string) answer, statuses ...int) {
	t.Helper()
	got := call(func(value string) string { return value })
	want := call(func(value string) string {
		if strings.HasPrefix(value, "@") {
			return "@" + unknown
		}
		return unknown
	})
	if got.status != want.status || got.text != want.text || !slices.Contains(statuses, got.status) {
		t.Errorf("%s: foreign %d %.200s, absent %d %.200s", name, got.status, got.text, want.status, want.text)
	}
	checkSilent(t, name, got, foreign)
}

// checkSilent looks for what is another account's in an answer.
func checkSilent(t *testing.T, name string, a answer, foreign estate) {
	t.Helper()
	for _, id := range slices.Concat(slices.Collect(maps.Values(foreign.ids)), slices.Collect(maps.Values(foreign.aliases))) {
		if id != "" && strings.Contains(a.text, strings.TrimPrefix(id, "@")) {
			t.Errorf("%s: the answer shows %s: %.300s", name, id, a.text)
		}
	}
}

// checkFilters filters a list by, and pages it from, what is foreign.
func checkFilters(t *testing.T, h *house, d described, foreign, own estate) {
	t.Helper()
	path, ok := own.path(d, nil)
	if !ok {
		return
	}
	for _, p := range d.Parameters {
		filter := p.Value.Name
		if p.Value.In != "query" {
			continue
		}
		var values []string
		switch {
		case filter == "cursor":
			values = append(slices.Collect(maps.Values(foreign.ids)), unknown)
		case foreign.ids[filter] != "":
			values = []string{foreign.ids[filter], foreign.aliases[filter], unknown, "@" + unknown}
		}
		answers, empty := map[string][]string{}, true
		for _, value := range values {
			if value == "" {
				continue
			}
			for _, accept := range []string{"application/json", "application/jsonl"} {
				a := h.call(d.method, path+"?"+filter+"="+value, otherSecret, nil, "Accept", accept)
				checkSilent(t, d.String()+" by "+filter, a, foreign)
				answers[accept] = append(answers[accept], a.text)
				empty = empty && (accept != "application/json" || strings.Contains(a.text, `"items":[]`))
			}
		}
		if !empty && filter != "cursor" {
			t.Errorf("%s does not filter by %s", d, filter)
		}
		for accept, texts := range answers {
			if len(slices.Compact(texts)) > 1 {
				t.Errorf("%s by %s as %s: foreign and absent differ: %.600q", d, filter, accept, texts)
			}
		}
	}
}

// snapshot reads everything of an estate that can be read by its IDs.
func (h *house) snapshot(e estate) map[string]string {
	h.t.Helper()
	all := map[string]string{}
	for _, d := range walk(h.t) {
		path, ok := e.path(d, nil)
		if ok && strings.HasSuffix(d.path, "/fetch") && d.method == http.MethodGet && len(d.parameters()) > 0 {
			a := e.call(d.method, path, nil)
			if a.status != http.StatusOK {
				h.t.Errorf("%s: %d %s", d, a.status, a.text)
			}
			all[d.String()] = a.text
		}
	}
	return all
}

// TestWhatIsUniqueIsSoPerAccount proves that a name taken elsewhere is free.
func TestWhatIsUniqueIsSoPerAccount(t *testing.T) { // P8 A17
	inHouse(t, options{}, func(h *house) {
		acme, globex := h.estate(apiSecret, "acme"), h.estate(otherSecret, "globex")
		for _, f := range families {
			if alias := acme.aliases[f.id]; alias != "" {
				id := globex.post(f.path+"/create", object{"alias": alias[1:]})["id"].(string)
				if got := globex.call(http.MethodGet, f.path+"/"+alias+"/fetch", nil); got.body["id"] != id {
					t.Errorf("%s is %s, and should be %s", alias, got.text, id)
				}
				if got := acme.call(http.MethodGet, f.path+"/"+alias+"/fetch", nil); got.body["id"] != acme.ids[f.id] {
					t.Errorf("the other account's %s is %s now", alias, got.text)
				}
				if a := globex.call(http.MethodPost, f.path+"/create", object{"alias": alias[1:]}); !a.isProblem(409, "CONFLICT") {
					t.Errorf("taken twice: %d %s", a.status, a.text)
				}
			}
		}
		fingerprint := object{"fingerprint": "one-and-the-same-person"}
		if acme.post("/contact/create", fingerprint)["id"] == globex.post("/contact/create", fingerprint)["id"] {
			t.Error("two accounts share a contact")
		}
	})
}
