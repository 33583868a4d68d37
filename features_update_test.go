package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/whatsapp/simulator"
)

func (h *house) update(id string, changes object) {
	h.t.Helper()
	if diff := cmp.Diff(object{"id": id}, h.post(integrations+"/"+id+"/update", changes)); diff != "" {
		h.t.Errorf("the answer to %v: %s", changes, diff)
	}
}

func TestTheDocumentedUpdate(t *testing.T) { // F027 F293 F294 F298
	inHouse(t, options{}, func(h *house) {
		id := h.create(integrations, object{"name": "Old", "botId": h.bot})
		h.update(id, object{
			"name": "Updated Customer Support Bot", "phoneNumberId": "1234567890", "accessToken": accessToken,
			"contactCollection": true, "sessionDuration": 7200000, "attachments": true,
		})
		got := h.fetch(id)
		want := object{
			"id": id, "name": "Updated Customer Support Bot", "phoneNumberId": "1234567890", "accessToken": "********",
			"contactCollection": true, "sessionDuration": 7200000.0, "attachments": true, "botId": h.bot,
		}
		for key, want := range want {
			if got[key] != want {
				h.t.Errorf("%s = %v, want %v", key, got[key], want)
			}
		}
	})
}

// A change holds for the next session, and a session under way does not notice.
// F041 F300 F312 F313
func TestChangesDuringASession(t *testing.T) {
	tells := script.Func(func(t engine.Turn) []script.Step {
		return []script.Step{script.Say(t.Model + ": " + t.Backstory)}
	})
	inHouse(t, options{engine: tells}, func(h *house) {
		strict := h.create("/bot", object{"backstory": "You are strict.", "model": "another"})
		hears := func(person, want string) {
			h.t.Helper()
			h.person(person).Write("Hello")
			h.settle()
			got := h.texts(person)
			if len(got) == 0 || got[len(got)-1] != want {
				h.t.Errorf("%s got %q, want %q", person, got, want)
			}
		}
		const kind, stern = "script: You are kind.", "another: You are strict."
		hears(alice, kind)
		h.update(h.integration, object{"name": "Renamed", "description": "Something else"})
		hears(alice, kind)
		h.update(h.integration, object{"botId": strict})
		hears(alice, kind)
		hears(bob, stern)
		if n := len(h.conversations()); n != 2 {
			h.t.Errorf("%d conversations", n)
		}
		h.person(alice).Write("/new")
		hears(alice, stern)
	})
}

func TestANumberThatIsExchanged(t *testing.T) { // F029 F265 F301 F302
	const another, itsToken = "200000000000001", "EAAG-token-of-another"
	inHouse(t, options{}, func(h *house) {
		h.sim.Connect(simulator.Number{
			ID: another, WABAID: "102290129340399", Display: "15550783882", Token: itsToken, AppSecret: appSecret,
			Callback: "http://parley.test" + h.callback(),
		})
		h.person(alice).Write("Hello")
		h.settle()
		h.update(h.integration, object{"phoneNumberId": another, "accessToken": itsToken})
		h.sim.Person(another, bob).Write("Hello")
		h.settle()
		sent := map[string]string{}
		for _, c := range h.sim.Calls() {
			if c.Kind == "send" && c.Status == http.StatusOK {
				sent[c.To] += c.Number
			}
		}
		if diff := cmp.Diff(map[string]string{alice: phoneNumber, bob: another}, sent); diff != "" {
			h.t.Error(diff)
		}
	})
}

func TestIntegrationsAreIndependent(t *testing.T) { // F307 F308 F316
	inHouse(t, options{}, func(h *house) {
		second := h.create(integrations, object{"name": "Second", "meta": object{"a": 1}})
		before := h.fetch(second)
		h.update(h.integration, object{
			"name": "First", "description": "d", "botId": nil, "phoneNumberId": "1", "accessToken": "", "appSecret": nil, "attachments": true,
			"contactCollection": true, "sessionDuration": 0, "allowFrom": "", "meta": object{"b": 2},
		})
		if diff := cmp.Diff(before, h.fetch(second)); diff != "" {
			h.t.Errorf("a change of one shows in another: %s", diff)
		}
		if a := h.call(http.MethodPost, integrations+"/"+second+"/update", apiSecret, object{"verifyToken": h.verifyToken}); a.status != 400 {
			h.t.Errorf("the verify token can be chosen: %d %s", a.status, a.text)
		}
		for id, want := range map[string]int{h.integration: 200, second: 403} {
			query := "/callback?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + h.verifyToken
			if a := h.call(http.MethodGet, integrations+"/"+id+query, "", nil); a.status != want {
				h.t.Errorf("the first one's verify token: %d, want %d", a.status, want)
			}
		}
	})
}

func TestARefusalDoesNotRepeatAToken(t *testing.T) { // F319 P9
	inHouse(t, options{}, func(h *house) {
		const wrong = "EAAG-mistyped"
		for _, field := range []string{"accessToken", "appSecret"} {
			for _, value := range []any{[]any{wrong}, object{wrong: wrong}} {
				a := h.call(http.MethodPost, integrations+"/"+h.integration+"/update", apiSecret, object{field: value})
				if a.status != 400 || !strings.Contains(a.text, field) || strings.Contains(a.text, wrong) {
					h.t.Errorf("%s = %v: %d %s", field, value, a.status, a.text)
				}
			}
		}
		if strings.Contains(h.logs.String(), wrong) {
			h.t.Error("it is logged")
		}
	})
}

// Who looks after many sees in the list alone which are complete, and without a
// secret. F322 F329 F330 F333 F334 F335 F336 F345 F346 F347 F349 F350
func TestAListOfIntegrationsForADashboard(t *testing.T) {
	inEmptyHouse(t, func(h *house) {
		blueprint, bot := h.create("/blueprint", object{}), h.create("/bot", object{})
		ready := h.create(integrations, object{
			"phoneNumberId": phoneNumber, "accessToken": accessToken, "botId": bot, "blueprintId": blueprint,
			"contactCollection": true, "attachments": true, "sessionDuration": 60_000,
		})
		numberless := h.create(integrations, object{"accessToken": accessToken})
		tokenless := h.create(integrations, object{"phoneNumberId": "1"})
		complete := map[any]bool{}
		for _, item := range h.list(integrations + "/list") {
			id := item["id"].(string)
			complete[id] = item["phoneNumberId"] != nil && item["accessToken"] == "********"
			if diff := cmp.Diff(h.fetch(id), item); diff != "" {
				h.t.Errorf("an item is not what fetch gives: %s", diff)
			}
			a := h.call(http.MethodPost, integrations+"/"+id+"/setup", apiSecret, object{})
			if (a.status == 200) != complete[id] {
				h.t.Errorf("%v, and setup says %d %s", item, a.status, a.text)
			}
		}
		if diff := cmp.Diff(map[any]bool{ready: true, numberless: false, tokenless: false}, complete); diff != "" {
			h.t.Error(diff)
		}
	})
}

// Messages of two people, statuses and news of the account come in one POST,
// and each is handled once. F052 F053 F055 F056
func TestAMixedNotification(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		sent := h.sim.Accepted(alice)[0].WAMID
		entry := func(body string) string {
			_, body, _ = strings.Cut(body, `"entry":[`)
			return strings.TrimSuffix(body, "]}")
		}
		status := fmt.Sprintf(`{"id":"102290129340398","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":"15550783881","phone_number_id":%q},`+
			`"statuses":[{"id":%q,"status":"played","timestamp":"946684900","recipient_id":%q}]}},`+
			`{"field":"account_update","value":{"event":"VERIFIED_ACCOUNT"}},{"field":"phone_number_quality_update","value":{"event":"FLAGGED"}}]}`, phoneNumber, sent, alice)
		body := `{"object":"whatsapp_business_account","entry":[` + entry(text(alice, "wamid.a", "Again")) + "," + status + "," + entry(text(bob, "wamid.b", "Me too")) + "]}"
		before := h.eventTypes()
		for range 2 { // Meta repeats
			if got := h.notify(body); got != 200 {
				h.t.Fatalf("status %d", got)
			}
			h.settle()
			if a := h.call(http.MethodGet, h.callback()+"?hub.mode=subscribe&hub.challenge=x&hub.verify_token="+h.verifyToken, "", nil); a.text != "x" {
				h.t.Errorf("verification between: %d %s", a.status, a.text)
			}
		}
		if diff := cmp.Diff([]string{"You said: Hello", "You said: Again"}, h.texts(alice)); diff != "" {
			h.t.Errorf("alice: %s", diff)
		}
		if diff := cmp.Diff([]string{"You said: Me too"}, h.texts(bob)); diff != "" {
			h.t.Errorf("bob: %s", diff)
		}
		after := h.eventTypes()
		for kind, want := range map[string]int{"message.received": 2, "status.played": 1} {
			if got := count(after, kind) - count(before, kind); got != want {
				h.t.Errorf("%d of %s", got, kind)
			}
		}
		if count(after, "system") < 2 {
			h.t.Errorf("news of the account: %q", after)
		}
	})
}
