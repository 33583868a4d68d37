package parley_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/script"
	"parley/whatsapp/simulator"
)

// itself says its backstory, so that one can tell who answers.
func itself() engine.Engine {
	return script.Func(func(t engine.Turn) []script.Step { return []script.Step{script.Say(t.Backstory)} })
}

// ask lets alice write and gives what she is answered; "" is nothing.
func (h *house) ask() string {
	h.t.Helper()
	before := len(h.texts(alice))
	h.person(alice).Write("Who are you?")
	h.settle()
	return strings.Join(h.texts(alice)[before:], " | ")
}

// anew ends alice's session.
func (h *house) anew() {
	h.t.Helper()
	h.person(alice).Write("/reset")
	h.settle()
}

// spoken makes a blueprint whose only bot is called Eve, and has the
// integration answer through it.
func (h *house) spoken() (blueprint, eve string) {
	h.t.Helper()
	blueprint = h.create("/blueprint", object{"alias": "shops"})
	eve = h.create("/bot", object{"backstory": "Eve", "blueprintId": blueprint})
	h.post(integrations+"/"+h.integration+"/update", object{"botId": nil, "blueprintId": "@shops"})
	return blueprint, eve
}

func TestABlueprintAnswersThroughItsOnlyBot(t *testing.T) { // D1 F042 F043 F306
	inHouse(t, options{engine: itself()}, func(h *house) {
		blueprint, eve := h.spoken()
		h.rule("it answers, and the conversation is its own", func(t rule) {
			if got := h.ask(); got != "Eve" {
				t.Errorf("%q", got)
			}
			found := h.list("/conversation/list?botId=" + eve)
			if len(found) != 1 || found[0]["botId"] != eve {
				t.Errorf("%v", found)
			}
		})
		mia := h.create("/bot", object{"backstory": "Mia", "blueprintId": blueprint})
		h.rule("a session under way keeps its bot, as it was", func(t rule) { // D5
			h.post("/bot/"+eve+"/update", object{"backstory": "Eva", "blueprintId": nil})
			if got := h.ask(); got != "Eve" {
				t.Errorf("%q", got)
			}
			h.crash()
			if got := h.ask(); got != "Eve" {
				t.Errorf("after a crash: %q", got)
			}
		})
		h.rule("the next session asks the blueprint anew", func(t rule) {
			h.anew()
			if got := h.ask(); got != "Mia" {
				t.Errorf("%q", got)
			}
		})
		h.rule("of two bots none answers, and the event says why", func(t rule) {
			h.post("/bot/"+eve+"/update", object{"blueprintId": blueprint})
			h.anew()
			if got := h.ask(); got != "" {
				t.Errorf("%q", got)
			}
			skipped := h.event("message.skipped")
			if skipped["code"] != "no_bot" || skipped["reason"] != "There is no bot to answer with: the blueprint has 2 bots." {
				t.Errorf("%v", skipped)
			}
		})
		h.rule("a session without an answer is not bound to anybody", func(t rule) {
			h.post("/bot/"+mia+"/delete", object{})
			if got := h.ask(); got != "Eva" {
				t.Errorf("%q", got)
			}
		})
		h.rule("without any bot nobody answers", func(t rule) {
			h.post("/bot/"+eve+"/delete", object{})
			h.anew()
			if got := h.ask(); got != "" {
				t.Errorf("%q", got)
			}
			if got := h.event("message.skipped")["reason"]; got != "There is no bot to answer with: the blueprint has no bot." {
				t.Errorf("%v", got)
			}
		})
		h.rule("nor when the blueprint is gone", func(t rule) {
			h.post("/blueprint/"+blueprint+"/delete", object{})
			h.anew()
			if got := h.ask(); got != "" {
				t.Errorf("%q", got)
			}
			if got := h.event("message.skipped")["reason"]; got != "There is no bot to answer with." {
				t.Errorf("%v", got)
			}
		})
	})
}

func TestWhoSpeaksForAnIntegration(t *testing.T) { // D1 F042 F147
	inHouse(t, options{engine: itself()}, func(h *house) {
		path := integrations + "/" + h.integration
		blueprint, eve := h.spoken()
		h.rule("its own bot goes before the blueprint's", func(t rule) {
			h.post(path+"/update", object{"botId": h.bot})
			if got := h.ask(); got != "You are kind." {
				t.Errorf("%q", got)
			}
		})
		h.rule("a bot that is deleted ends the session's answers", func(t rule) {
			h.post("/bot/"+h.bot+"/delete", object{})
			if got := h.ask(); got != "" {
				t.Errorf("%q", got)
			}
		})
		h.rule("the next session has no bot, as the integration shows, and asks the blueprint", func(t rule) {
			if got := h.get(path + "/fetch")["botId"]; got != nil {
				t.Errorf("the bot is %v", got)
			}
			h.anew()
			if got := h.ask(); got != "Eve" {
				t.Errorf("%q", got)
			}
			h.create("/bot", object{"backstory": "Mia", "blueprintId": blueprint})
			if got := h.ask(); got != "Eve" {
				t.Errorf("the session did not keep its bot: %q", got)
			}
			if found := h.list("/conversation/list?botId=" + eve); len(found) != 1 {
				t.Errorf("%v", found)
			}
		})
		h.rule("bots of other accounts and blueprints count for nothing", func(t rule) { // P8
			foreign := h.call(http.MethodPost, "/blueprint/create", otherSecret, object{}).body["id"]
			h.call(http.MethodPost, "/bot/create", otherSecret, object{"backstory": "Spy", "blueprintId": foreign})
			other := h.create("/blueprint", object{})
			h.create("/bot", object{"backstory": "Zoe", "blueprintId": other})
			h.post(path+"/update", object{"blueprintId": other})
			h.anew()
			if got := h.ask(); got != "Zoe" {
				t.Errorf("%q", got)
			}
		})
	})
}

func TestInitiatingThroughABlueprint(t *testing.T) { // D1
	inHouse(t, options{engine: itself()}, func(h *house) {
		path := integrations + "/" + h.integration
		blueprint, eve := h.spoken()
		// Inside Meta's 24-hour window.
		h.person(alice).Write("Hello")
		h.settle()
		h.rule("the blueprint's only bot has the conversation, and goes on with it", func(t rule) {
			h.post(path+"/initiate", object{"to": alice, "text": "Good morning"})
			h.settle()
			h.create("/bot", object{"backstory": "Mia", "blueprintId": blueprint})
			if got := h.ask(); got != "Eve" {
				t.Errorf("%q", got)
			}
			if diff := cmp.Diff([]string{"Eve", "Good morning", "Eve"}, h.texts(alice)); diff != "" {
				t.Error(diff)
			}
			found := h.list("/conversation/list?botId=" + eve + "&meta.whatsapp.initiated=true")
			if len(found) != 1 {
				t.Errorf("%v", found)
			}
		})
		h.rule("with two bots or none it is refused", func(t rule) {
			const none = "WhatsApp integration does not have a bot configured"
			body := object{"to": alice, "text": "Good morning"}
			h.refused(t, path+"/initiate", body, 400, none+": the blueprint has 2 bots")
			h.post(path+"/update", object{"blueprintId": h.create("/blueprint", object{})})
			h.refused(t, path+"/initiate", body, 400, none+": the blueprint has no bot")
			h.post(path+"/update", object{"blueprintId": nil})
			h.refused(t, path+"/initiate", body, 400, none)
		})
	})
}

func TestChangesOfASharedBotReachEveryIntegration(t *testing.T) { // F043
	inHouse(t, options{engine: itself()}, func(h *house) {
		const number = "1065403522429"
		blueprint, eve := h.spoken()
		second := h.create(integrations, object{"name": "Z", "blueprintId": blueprint, "phoneNumberId": number, "accessToken": accessToken})
		h.sim.Connect(simulator.Number{
			ID: number, WABAID: "1022", Display: "15550783882", Token: accessToken,
			Callback: "http://parley.test/api/v1" + integrations + "/" + second + "/callback",
		})
		resources := h.get("/blueprint/" + blueprint + "/resource/list")["resources"].(object)
		if got := resources["whatsappIntegration"].([]any); len(got) != 2 {
			h.t.Errorf("%v", got)
		}
		h.post("/bot/"+eve+"/update", object{"backstory": "Eva"})
		for _, number := range []string{phoneNumber, number} {
			before := len(h.texts(bob))
			h.sim.Person(number, bob).Write("Who are you?")
			h.settle()
			if diff := cmp.Diff([]string{"Eva"}, h.texts(bob)[before:]); diff != "" {
				h.t.Errorf("%s: %s", number, diff)
			}
		}
	})
}
