package parley_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entries reads a stream of JSON lines.
func entries(t *testing.T, lines string) (items []object) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e struct {
			Type string
			Data object
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type != "item" {
			t.Fatalf("%v: %.200s", err, line)
		}
		if len(line) >= 1<<20 || strings.Trim(line, "\n") == "" {
			t.Errorf("a line of %d bytes", len(line))
		}
		items = append(items, e.Data)
	}
	return items
}

func TestExportingConversations(t *testing.T) { // A20 F111 F129
	inHouse(t, options{}, func(h *house) {
		h.notify(text(alice, "wamid.1", "Hello"))
		h.settle()
		whatsapp := h.conversations()[0]["id"].(string)
		empty := h.create("/conversation", object{"name": "Empty"})
		made := h.create("/conversation", object{"name": "=1+1", "backstory": "You are a pirate.", "messages": []object{
			{"type": "user", "text": "Ahoy, \"mate\"\nné?"}, {"type": "bot", "text": "Arr"},
		}})
		want := []string{made, empty, whatsapp}
		with := func(id string) object {
			c := h.get("/conversation/" + id + "/fetch")
			c["messages"] = []any{}
			for _, m := range h.list("/conversation/" + id + "/message/list") {
				c["messages"] = append(c["messages"].([]any), m)
			}
			return c
		}
		h.rule("a page holds them whole, newest first", func(t rule) {
			page := h.get("/conversation/export")
			items := page["items"].([]any)
			if len(items) != 3 || page["cursor"] == "" {
				t.Fatalf("%d items", len(items))
			}
			for i, id := range want {
				if diff := cmp.Diff(with(id), items[i]); diff != "" {
					t.Error(diff)
				}
			}
		})
		h.rule("pages follow one another", func(t rule) {
			var got []string
			for _, x := range h.list("/conversation/export?take=1") {
				got = append(got, x["id"].(string))
			}
			if diff := cmp.Diff([]string{whatsapp, empty, made}, got); diff != "" {
				t.Error(diff)
			}
		})
		h.rule("lines and events tell the same", func(t rule) {
			lines := entries(t.T, h.call("GET", "/conversation/export", apiSecret, nil, "Accept", "application/jsonl").text)
			sse := h.call("GET", "/conversation/export?take=2", apiSecret, nil, "Accept", "text/event-stream").text
			for i, id := range want {
				if diff := cmp.Diff(with(id), lines[i]); diff != "" || len(lines) != 3 {
					t.Error(diff)
				}
			}
			if n := strings.Count(sse, "event: item\ndata: {"); n != 2 {
				t.Errorf("%d events", n)
			}
		})
		h.rule("a table has the messages as lines", func(t rule) {
			a := h.call("GET", "/conversation/export?order=asc", apiSecret, nil, "Accept", "text/csv")
			table, err := csv.NewReader(strings.NewReader(a.text)).ReadAll()
			if err != nil || len(table) != 4 {
				t.Fatalf("%v %s", err, a.text)
			}
			column := map[string]int{}
			for i, name := range table[0] {
				column[name] = i
			}
			last := table[3]
			if got := last[column["messages"]]; got != "user: Ahoy, \"mate\"\nné?\nbot: Arr" {
				t.Errorf("messages %q", got)
			}
			if last[column["name"]] != "'=1+1" || last[column["backstory"]] != "You are a pirate." || last[column["botId"]] != "" {
				t.Errorf("%q", last)
			}
		})
		h.rule("filters select, and others get nothing", func(t rule) { // P8
			for path, want := range map[string]int{"?meta.app=whatsapp": 1, "?botId=" + h.bot: 1, "?taskId=x": 0, "?contactId=x": 0} {
				if n := len(h.list("/conversation/export" + path)); n != want {
					t.Errorf("%s: %d", path, n)
				}
			}
			for _, form := range []string{"application/json", "application/jsonl", "text/csv"} {
				if a := h.call("GET", "/conversation/export", otherSecret, nil, "Accept", form); strings.Contains(a.text, "id") {
					t.Errorf("%s: %s", form, a.text)
				}
			}
		})
	})
}

func TestALongConversationIsExportedInSeveralItems(t *testing.T) { // A20
	inHouse(t, options{}, func(h *house) {
		var messages []object
		for i := range 30 {
			messages = append(messages, object{"type": "user", "text": fmt.Sprint(i, " ", strings.Repeat("é", 20_000))})
		}
		id := h.create("/conversation", object{"name": "Long", "messages": messages})
		h.create("/conversation", object{})
		for _, form := range []string{"application/json", "application/jsonl"} {
			a := h.call("GET", "/conversation/export?order=asc&take=2", apiSecret, nil, "Accept", form)
			items := []object{}
			if form == "application/json" {
				for _, x := range a.body["items"].([]any) {
					items = append(items, x.(object))
				}
			} else {
				items = entries(h.t, a.text)
			}
			var got []string
			for _, x := range items[:len(items)-1] {
				if x["id"] != id || x["name"] != "Long" {
					h.t.Errorf("%v comes between", x["id"])
				}
				for _, m := range x["messages"].([]any) {
					got = append(got, m.(object)["text"].(string))
				}
			}
			if len(items) < 4 || len(got) != 30 || !strings.HasPrefix(got[29], "29 ") {
				h.t.Errorf("%s: %d messages in %d items", form, len(got), len(items))
			}
		}
	})
}

func TestManyConversationsAreExportedInOrder(t *testing.T) { // A20
	inEmptyHouse(t, func(h *house) {
		made := make([]string, 45) // newest first
		for i := range made {
			made[len(made)-1-i] = h.create("/conversation", object{})
		}
		ids := func(items []object) (ids []string) {
			for _, x := range items {
				ids = append(ids, x["id"].(string))
			}
			return ids
		}
		for query, want := range map[string][]string{"": made, "?take=41": made[:41], "?take=40": made[:40]} {
			lines := entries(h.t, h.call("GET", "/conversation/export"+query, apiSecret, nil, "Accept", "application/jsonl").text)
			if diff := cmp.Diff(want, ids(lines)); diff != "" {
				h.t.Errorf("lines%s: %s", query, diff)
			}
			page := []object{}
			for _, x := range h.get("/conversation/export" + query)["items"].([]any) {
				page = append(page, x.(object))
			}
			if diff := cmp.Diff(want, ids(page)); diff != "" {
				h.t.Errorf("a page%s: %s", query, diff)
			}
		}
	})
}
