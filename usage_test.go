package parley_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/engine"
	"parley/engine/script"
)

// counting answers with a word for which the model counts tokens.
func counting(tokens int) engine.Engine {
	return script.Func(func(engine.Turn) []script.Step {
		return []script.Step{script.Say("Hi."), script.Do(engine.Used{Tokens: tokens})}
	})
}

func TestUsage(t *testing.T) { // A26
	inHouse(t, options{engine: counting(21)}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		nothing := object{"datasets": 0.0, "records": 0.0, "skillsets": 0.0, "abilities": 0.0, "files": 0.0, "users": 0.0}
		used := func(tokens, conversations, messages float64) object {
			return object{"tokens": tokens, "conversations": conversations, "messages": messages, "database": nothing}
		}
		h.rule("who did nothing used nothing", func(t rule) {
			if diff := cmp.Diff(used(0, 0, 0), h.get("/usage/fetch")); diff != "" || len(h.list("/usage/list")) != 0 {
				t.Error(diff)
			}
		})
		h.person(alice).Write("One")
		h.settle()
		h.person(alice).Write("Two")
		h.person(bob).Write("One")
		h.settle()
		h.rule("messages of both sides, conversations and tokens are counted", func(t rule) {
			if diff := cmp.Diff(used(63, 2, 6), h.get("/usage/fetch")); diff != "" {
				t.Error(diff)
			}
		})
		all := h.list("/usage/list")
		h.rule("the records come to the same, and are each of something", func(t rule) {
			sums := map[string]float64{}
			for _, r := range all {
				sums[r["type"].(string)] += r["count"].(float64)
				if r["conversationId"] == nil || (r["messageId"] != nil) != (r["type"] == "message") || r["contactId"] == nil {
					t.Errorf("%v", r)
				}
			}
			if diff := cmp.Diff(map[string]float64{"token": 63, "conversation": 2, "message": 6}, sums); diff != "" || len(all) != 11 {
				t.Errorf("%d records %s", len(all), diff)
			}
		})
		h.rule("pages of any size are the list, both ways", func(t rule) { // A14
			for _, order := range []string{"asc", "desc"} {
				whole := h.get("/usage/list?order=" + order)["items"].([]any)
				for take := range 12 {
					var walked []any
					for cursor := ""; ; {
						page := h.get(fmt.Sprintf("/usage/list?order=%s&take=%d&cursor=%s", order, take+1, cursor))
						if len(page["items"].([]any)) == 0 {
							break
						}
						walked, cursor = append(walked, page["items"].([]any)...), page["cursor"].(string)
					}
					if diff := cmp.Diff(whole, walked); diff != "" {
						t.Errorf("%s by %d: %s", order, take+1, diff)
					}
				}
			}
			if diff := cmp.Diff(all, h.lines("/usage/list?order=asc")); diff != "" {
				t.Errorf("lines: %s", diff)
			}
		})
		h.rule("filters select", func(t rule) {
			message := h.list("/usage/list?type=message")[3]
			for _, name := range []string{"type", "conversationId", "contactId", "messageId"} {
				var want []object
				for _, r := range all {
					if r[name] == message[name] {
						want = append(want, r)
					}
				}
				if diff := cmp.Diff(want, h.list("/usage/list?"+name+"="+message[name].(string))); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			for _, query := range []string{"type=surprise", "botId=nobody", "blueprintId=x", "taskId=x", "messageId=none", "meta.a=b"} {
				if got := h.list("/usage/list?" + query); len(got) != 0 {
					t.Errorf("%s: %v", query, got)
				}
			}
			if got := h.list("/usage/list?botId=" + h.bot); len(got) == 0 {
				t.Error("nothing of the bot")
			}
		})
		h.rule("the series has ninety days of midnight, and today's is the use", func(t rule) {
			time.Sleep(48 * time.Hour)
			h.person(alice).Write("Three")
			h.settle()
			series := h.get("/usage/series/fetch")
			for name, want := range map[string][]float64{"tokens": {63, 0, 21}, "conversations": {2, 0, 1}, "messages": {6, 0, 2}} {
				points := series[name].([]any)
				last := points[len(points)-1].(object)["date"].(float64)
				if len(points) != 90 || int64(last)%(24*3600*1000) != 0 || time.UnixMilli(int64(last)).UTC().Day() != time.Now().UTC().Day() {
					t.Errorf("%d points up to %v", len(points), last)
				}
				for i, total := range want {
					if got := points[87+i].(object)["total"]; got != total {
						t.Errorf("%s %d days ago: %v, not %v", name, 2-i, got, total)
					}
				}
			}
		})
		h.rule("nothing of it is anybody else's", func(t rule) { // P8
			if a := h.call(http.MethodGet, "/usage/fetch", otherSecret, nil); cmp.Diff(used(0, 0, 0), a.body) != "" {
				t.Errorf("%s", a.text)
			}
			for _, query := range []string{"", "?conversationId=" + all[0]["conversationId"].(string)} {
				if a := h.call(http.MethodGet, "/usage/list"+query, otherSecret, nil); len(a.body["items"].([]any)) != 0 {
					t.Errorf("%s", a.text)
				}
			}
		})
		h.rule("what was used stays used, and files are counted", func(t rule) {
			was := h.get("/usage/fetch")
			h.post(integrations+"/"+h.integration+"/delete", object{})
			h.create("/file", object{"name": "a"})
			is := h.get("/usage/fetch")
			ignore := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "database" })
			if diff := cmp.Diff(was, is, ignore); diff != "" || is["database"].(object)["files"] != 1.0 {
				t.Errorf("%v %s", is, diff)
			}
		})
		h.rule("an answer that is stored nowhere costs tokens and is no message", func(t rule) {
			was := h.get("/usage/fetch")
			h.post("/conversation/complete", object{"model": "script", "messages": []object{{"type": "user", "text": "Hello"}}})
			is := h.get("/usage/fetch")
			if is["tokens"] != was["tokens"].(float64)+21 || is["messages"] != was["messages"] {
				t.Errorf("%v, was %v", is, was)
			}
		})
	})
}
