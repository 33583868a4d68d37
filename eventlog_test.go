package parley_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

func TestFiltersOfTheEventLog(t *testing.T) { // A25
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"contactCollection": true})
		h.person(alice).Write("Hello")
		h.person(bob).Write("Hello")
		h.settle()
		conversations := h.conversations()
		alices, bobs, hers := conversations[0]["contactId"].(string), conversations[1]["contactId"].(string), conversations[0]["id"].(string)
		only := func(field, value string) (all []object) {
			for _, e := range h.list("/event/log/list") {
				if e[field] == value {
					all = append(all, e)
				}
			}
			return all
		}
		for field, value := range map[string]string{
			"contactId": alices, "conversationId": hers, "botId": h.bot, "whatsappIntegrationId": h.integration,
			"type": "contact.create",
		} {
			h.rule(field+" gives its events and no others", func(t rule) {
				want := only(field, value)
				if diff := cmp.Diff(want, h.list("/event/log/list?"+field+"="+value)); diff != "" || len(want) == 0 {
					t.Errorf("%d events %s", len(want), diff)
				}
				if diff := cmp.Diff(want, h.lines("/event/log/export?order=asc&"+field+"="+value)); diff != "" {
					t.Errorf("exported: %s", diff)
				}
			})
		}
		h.rule("filters are all asked for, and their values any of", func(t rule) {
			both := bobs + "," + alices
			if got, want := len(h.list("/event/log/list?contactId="+both)), len(only("contactId", alices))+len(only("contactId", bobs)); got != want {
				t.Errorf("%d events, not %d", got, want)
			}
			if got := h.list("/event/log/list?contactId=" + alices + "&conversationId=" + conversations[1]["id"].(string)); len(got) != 0 {
				t.Errorf("%v", got)
			}
		})
		h.rule("what no event is about gives none, nor does what is somebody else's", func(t rule) { // P8
			for _, name := range []string{"blueprintId", "fileId", "taskId", "slackIntegrationId", "webhookId", "surpriseId", "contactId", "botId"} {
				if got := h.list("/event/log/list?" + name + "=nothing"); len(got) != 0 {
					t.Errorf("%s: %v", name, got)
				}
			}
			for _, query := range []string{"contactId=" + alices, "conversationId=" + hers, "botId=" + h.bot, "whatsappIntegrationId=" + h.integration} {
				a := h.call(http.MethodGet, "/event/log/list?"+query, otherSecret, nil)
				if a.status != 200 || len(a.body["items"].([]any)) != 0 {
					t.Errorf("%s: %s", query, a.text)
				}
			}
		})
		h.rule("events keep what they are about when it is gone", func(t rule) { // F104
			was := only("contactId", alices)
			h.post("/contact/"+alices+"/delete", object{})
			if diff := cmp.Diff(was, only("contactId", alices)[:len(was)]); diff != "" {
				t.Error(diff)
			}
			if got := h.list("/event/log/list?type=contact.delete"); len(got) != 1 || got[0]["contactId"] != alices {
				t.Errorf("%v", got)
			}
		})
		h.rule("the export is a page, lines or a table", func(t rule) {
			if got := h.get("/event/log/export?take=3")["items"].([]any); len(got) != 3 {
				t.Errorf("%v", got)
			}
			table := h.call(http.MethodGet, "/event/log/export?order=asc", apiSecret, nil, "Accept", "text/csv").text
			if rows := strings.Count(table, "\r\n"); rows != len(h.list("/event/log/list"))+1 || !strings.Contains(table, `"type"`) {
				t.Errorf("%d rows", rows)
			}
		})
	})
}

func TestTheEventOfAHugeWebhook(t *testing.T) { // A16
	inHouse(t, options{}, func(h *house) {
		for _, filler := range []string{"<", "é", "🤖", `\"`, "x"} {
			body := strings.Replace(text(alice, "wamid."+filler, "Hello"), `"messaging_product"`,
				`"filler":"`+strings.Repeat(filler, 3_000_000/len(filler))+`","messaging_product"`, 1)
			r := httptest.NewRequest(http.MethodPost, h.callback(), strings.NewReader(body))
			r.Header.Set("X-Hub-Signature-256", whatsapp.Sign(appSecret, []byte(body)))
			if a := h.do(r); a.status != http.StatusOK {
				t.Fatalf("%q: %d %s", filler, a.status, a.text)
			}
		}
		h.settle()
		for _, path := range []string{"/event/log/list", "/event/log/export"} { // the lines are measured as they are read
			if got := len(h.lines(path + "?type=integration.whatsapp.callback.notification")); got < 5 {
				t.Errorf("%s: %d lines", path, got)
			}
		}
	})
}
