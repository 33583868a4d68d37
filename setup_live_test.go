package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/simulator"
)

// publicURL is where Meta is told that the house stands.
const publicURL = "https://parley.test"

// onTheInternet gives the house its address, and Meta the callback.
func (h *house) onTheInternet() {
	h.t.Helper()
	h.stop()
	h.config.PublicURL = publicURL
	h.start()
	h.sim.Arrange(phoneNumber, func(d *simulator.Dashboard) { d.Callback = publicURL + h.callback() })
}

// setupLive runs a setup that asks Meta.
func (h *house) setupLive() answer {
	h.t.Helper()
	return h.call(http.MethodPost, integrations+"/"+h.integration+"/setup", apiSecret, object{"live": true})
}

// amiss lists what a setup found that is not as it should be.
func amiss(t rule, a answer) []string {
	t.Helper()
	list := []string{}
	findings, ok := a.body["findings"].([]any)
	if !ok || len(findings) == 0 {
		t.Errorf("nothing was found: %s", a.text)
	}
	for _, f := range findings {
		found := f.(object)
		if found["status"] != "ok" {
			list = append(list, fmt.Sprint(found["check"], ": ", found["status"]))
		}
		if message, _ := found["message"].(string); message == "" || (found["cure"] == nil) != (found["status"] == "ok") || len(found) != 4 {
			t.Errorf("not in the shape of a finding: %v", found)
		}
	}
	return list
}

// setupCalls counts what Meta was asked about its side of a setup.
func (h *house) setupCalls() (n int) {
	for _, c := range h.sim.Calls() {
		if c.Kind == "setup" {
			n++
		}
	}
	return n
}

func TestALiveSetup(t *testing.T) { // F255 F256 F258 F274 P9
	inHouse(t, options{}, func(h *house) {
		h.onTheInternet()
		path := integrations + "/" + h.integration
		h.rule("without it nobody asks Meta, and nothing more is answered", func(t rule) {
			for _, body := range []any{nil, object{}, object{"live": false}, object{"live": "false"}} {
				a := h.call(http.MethodPost, path+"/setup", apiSecret, body)
				if diff := cmp.Diff(object{"id": h.integration}, a.body); a.status != 200 || diff != "" {
					t.Errorf("%v: %d %s", body, a.status, diff)
				}
			}
			if n := h.setupCalls(); n != 0 {
				t.Errorf("Meta was asked %d times", n)
			}
		})
		h.rule("everything is in order, and messages are answered", func(t rule) {
			for range 2 {
				a := h.setupLive()
				if diff := cmp.Diff([]string{}, amiss(t, a)); a.status != 200 || diff != "" {
					t.Errorf("%d %s %s", a.status, diff, a.text)
				}
				if a.body["id"] != h.integration || a.body["callback"] != publicURL+h.callback() || a.body["message"] != nil {
					t.Errorf("%s", a.text)
				}
			}
			h.person(alice).Write("Hello")
			h.settle()
			if len(h.texts(alice)) != 1 {
				t.Errorf("alice got %q", h.texts(alice))
			}
		})
		h.rule("only true and false are understood, and no other field", func(t rule) {
			for _, body := range []object{{"live": "perhaps"}, {"live": 1}, {"live": true, "more": 1}} {
				before := h.setupCalls()
				a := h.call(http.MethodPost, path+"/setup", apiSecret, body)
				if a.status != 400 || a.body["code"] != "BAD_REQUEST" || h.setupCalls() != before {
					t.Errorf("%v: %d %s", body, a.status, a.text)
				}
			}
		})
		h.rule("nobody else's integration is looked at", func(t rule) { // F158 P8
			before := h.setupCalls()
			for _, id := range []string{h.integration, "nothing"} {
				a := h.call(http.MethodPost, integrations+"/"+id+"/setup", otherSecret, object{"live": true})
				if a.status != 404 || a.body["findings"] != nil || h.setupCalls() != before {
					t.Errorf("%s: %d %s", id, a.status, a.text)
				}
			}
		})
	})
}

func TestALiveSetupThatFindsSomething(t *testing.T) { // F256 F276 F277 P9
	cases := []struct {
		rule   string
		change func(h *house)
		want   []string
		says   string
	}{
		{
			"a token that Meta does not know",
			func(h *house) {
				h.post(integrations+"/"+h.integration+"/update", object{"accessToken": "EAAG-of-nobody"})
			},
			[]string{"token: error", "phone_number: warning", "health: warning", "subscription: warning", "callback: warning", "app_secret: warning"},
			"does not take the access token",
		},
		{
			"another phone number ID",
			func(h *house) {
				h.post(integrations+"/"+h.integration+"/update", object{"phoneNumberId": "106540352242929"})
			},
			[]string{"phone_number: error", "health: warning"},
			"no phone number with the ID 106540352242929",
		},
		{
			"an app that gets none of the account's webhooks",
			func(h *house) {
				h.sim.Arrange(phoneNumber, func(d *simulator.Dashboard) { d.Subscribed = []string{"111111111111111"} })
			},
			[]string{"subscription: error"},
			"not the token's app " + simulator.DefaultApp,
		},
		{
			"webhooks that go elsewhere, and a name that is not approved",
			func(h *house) {
				h.sim.Arrange(phoneNumber, func(d *simulator.Dashboard) {
					d.NumberCallback, d.NameStatus = "https://other.test/hook", "PENDING_REVIEW"
				})
			},
			[]string{"display_name: warning", "callback: error"},
			"Webhooks go to https://other.test/hook, by an override for the number, and not to this integration.",
		},
		{
			"the secret of another app",
			func(h *house) { h.post(integrations+"/"+h.integration+"/update", object{"appSecret": "another"}) },
			[]string{"app_secret: error"},
			"The app secret is not that of the token's app",
		},
		{
			"no phone number ID",
			func(h *house) { h.post(integrations+"/"+h.integration+"/update", object{"phoneNumberId": nil}) },
			[]string{"settings: error"},
			"No phone number ID found",
		},
		{
			"no token",
			func(h *house) { h.post(integrations+"/"+h.integration+"/update", object{"accessToken": nil}) },
			[]string{"settings: error"},
			"No access token found",
		},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			inHouse(t, options{}, func(h *house) {
				h.onTheInternet()
				c.change(h)
				a := h.setupLive()
				if a.status != 409 || a.body["code"] != "CONFLICT" || !strings.Contains(fmt.Sprint(a.body["message"]), c.says) {
					h.t.Errorf("%d %s", a.status, a.text)
				}
				if diff := cmp.Diff(c.want, amiss(rule{h.t, c.rule}, a)); diff != "" {
					h.t.Errorf("%s %s", diff, a.text)
				}
				if a.body["callback"] != publicURL+h.callback() || strings.Contains(a.text, "EAAG") {
					h.t.Errorf("%s", a.text)
				}
			})
		})
	}
}

func TestALiveSetupWhileMetaIsSilent(t *testing.T) { // F256
	silent := func(http.RoundTripper) http.RoundTripper { return hanging{} }
	inHouse(t, options{way: silent}, func(h *house) {
		h.onTheInternet()
		a := h.setupLive()
		want := []string{"token: error", "phone_number: error", "health: warning", "subscription: warning", "callback: warning", "app_secret: warning"}
		if diff := cmp.Diff(want, amiss(rule{h.t, "silence"}, a)); a.status != 409 || diff != "" {
			h.t.Errorf("%d %s %s", a.status, diff, a.text)
		}
	})
}

// hanging is a way that leads nowhere.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestALiveSetupOfAServerWithoutAPublicAddress(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		for address, callback := range map[string]any{"": nil, "http://127.0.0.1:8080": "http://127.0.0.1:8080" + h.callback()} {
			h.stop()
			h.config.PublicURL = address
			h.start()
			a := h.setupLive()
			if diff := cmp.Diff([]string{"public_url: warning", "callback: warning"}, amiss(rule{h.t, address}, a)); a.status != 200 || diff != "" {
				h.t.Errorf("%d %s %s", a.status, diff, a.text)
			}
			if a.body["callback"] != callback {
				h.t.Errorf("callback %v", a.body["callback"])
			}
		}
	})
}
