package parley_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// lines reads a stream of JSON lines as strictly as the strictest client.
func (h *house) lines(path string, header ...string) []object {
	h.t.Helper()
	a := h.call(http.MethodGet, path, apiSecret, nil, append([]string{"Accept", "application/jsonl"}, header...)...)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/jsonl" {
		h.t.Fatalf("GET %s: %d %s %s", path, a.status, a.header.Get("Content-Type"), a.text)
	}
	var all []object
	for line := range strings.Lines(a.text) {
		var e struct {
			Type string
			Data object
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type != "item" {
			h.t.Fatalf("line %q: %v", line, err)
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 || len(line) >= 1<<20 {
			h.t.Fatalf("line of %d bytes has other than ASCII at %d", len(line), i)
		}
		all = append(all, e.Data)
	}
	return all
}

func TestStreamsOfLists(t *testing.T) { // A16 F348
	inHouse(t, options{}, func(h *house) {
		for i := range 249 {
			h.create("/bot", object{"name": fmt.Sprintf("Café 🤖 %d", i)})
		}
		h.rule("lines go to the end of the list, in its order", func(t rule) {
			all := h.lines("/bot/list?order=asc")
			if len(all) != 250 || all[0]["name"] != "Ada" || all[249]["name"] != "Café 🤖 248" {
				t.Errorf("%d items, from %v to %v", len(all), all[0]["name"], all[len(all)-1]["name"])
			}
			page := h.get("/bot/list?order=asc&take=1")["items"].([]any)[0].(object)
			if page["id"] != all[0]["id"] || len(page) != len(all[0]) {
				t.Errorf("an item of the stream is not that of the page: %v and %v", all[0], page)
			}
		})
		h.rule("take bounds all of them, and a cursor begins behind a row", func(t rule) {
			if got := len(h.lines("/bot/list?take=120")); got != 120 {
				t.Errorf("%d items", got)
			}
			cursor := h.get("/bot/list?order=asc&take=100")["cursor"].(string)
			if got := h.lines("/bot/list?order=asc&cursor=" + cursor); len(got) != 150 || got[0]["name"] != "Café 🤖 99" {
				t.Errorf("%d items", len(got))
			}
		})
		h.rule("an empty list is an empty stream", func(t rule) {
			if got := h.lines("/bot/list?meta.none=x"); len(got) != 0 {
				t.Errorf("%v", got)
			}
		})
		h.rule("what is wrong with the request is an ordinary error", func(t rule) {
			for path, want := range map[string]int{"/bot/list?cursor=x": 400, "/conversation/none/message/list": 404} {
				a := h.call(http.MethodGet, path, apiSecret, nil, "Accept", "application/jsonl")
				if a.status != want || a.body["code"] == nil {
					t.Errorf("%s: %d %s", path, a.status, a.text)
				}
			}
		})
		h.rule("events of a browser", func(t rule) {
			a := h.call(http.MethodGet, "/bot/list?take=2", apiSecret, nil, "Accept", "text/event-stream")
			if strings.Count(a.text, "event: item\ndata: {") != 2 || !strings.HasSuffix(a.text, "}\n\n") {
				t.Errorf("%q", a.text)
			}
		})
		h.rule("who wants several forms gets JSON, and who wants another is refused", func(t rule) {
			for accept, want := range map[string]int{
				"": 200, "*/*": 200, "text/html,application/xhtml+xml,*/*;q=0.8": 200, "application/*": 200, "application/xml": 400, "text/csv": 400,
			} {
				a := h.call(http.MethodGet, "/bot/list?take=1", apiSecret, nil, "Accept", accept)
				if a.status != want || want == 200 && a.body["items"] == nil {
					t.Errorf("%q: %d %s", accept, a.status, a.text)
				}
			}
		})
		h.rule("a HEAD is answered", func(t rule) {
			if a := h.call(http.MethodHead, "/bot/list", apiSecret, nil); a.status != http.StatusOK {
				t.Errorf("%d", a.status)
			}
		})
	})
}
