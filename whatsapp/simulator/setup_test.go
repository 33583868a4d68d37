package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp/simulator"
)

func TestQuestionsAboutTheSetup(t *testing.T) {
	const (
		fields  = "/v25.0/" + numberID + "?fields="
		account = "/v25.0/102290129340398/subscribed_apps"
		app     = "/v25.0/" + simulator.DefaultApp + "/subscriptions"
		debug   = "/v25.0/debug_token?input_token="
		secret  = simulator.DefaultApp + "|app secret"
	)
	untouched := func(*simulator.Dashboard) {}
	cases := []struct {
		rule, path, token string
		change            func(*simulator.Dashboard)
		status            int
		code              [2]int
		says              string
	}{
		{"a token asks about itself", debug + business.Token, business.Token, untouched, 200, [2]int{}, `"is_valid":true`},
		{"an app asks about a token", debug + business.Token, secret, untouched, 200, [2]int{}, `"expires_at":0`},
		{"a token asks about an unknown one", debug + "other", business.Token, untouched, 200, [2]int{}, `"is_valid":false`},
		{"an unknown token asks", debug + business.Token, "other", untouched, 401, [2]int{190, 0}, ""},
		{"nobody asks", debug + business.Token, "", untouched, 401, [2]int{104, 0}, ""},
		{"an expired token asks", debug + business.Token, business.Token, func(d *simulator.Dashboard) { d.Expires = time.Unix(1, 0) }, 401, [2]int{190, 463}, ""},
		{"an app with a wrong secret asks", app, simulator.DefaultApp + "|other", untouched, 400, [2]int{190, 0}, ""},
		{"a field", fields + "status", business.Token, untouched, 200, [2]int{}, `{"id":"` + numberID + `","status":"CONNECTED"}`},
		{"a field that does not exist", fields + "status,price", business.Token, untouched, 400, [2]int{100, 0}, "price"},
		{"another number", "/v25.0/454545?fields=status", business.Token, untouched, 400, [2]int{100, 33}, ""},
		{"a number that the token is not good for", fields + "status", business.Token, func(d *simulator.Dashboard) { d.Scopes = nil }, 400, [2]int{100, 33}, ""},
		{"an app is no token for a number", fields + "status", secret, untouched, 400, [2]int{100, 33}, ""},
		{"the apps of an account", account, business.Token, untouched, 200, [2]int{}, simulator.DefaultApp},
		{"no apps of an account", account, business.Token, func(d *simulator.Dashboard) { d.Subscribed = nil }, 200, [2]int{}, `{"data":[]}`},
		{"an override for an account", account, business.Token, func(d *simulator.Dashboard) { d.AccountCallback = "https://o.test" }, 200, [2]int{}, `"override_callback_uri":"https:\/\/o.test"`},
		{"an account without the permission", account, business.Token, func(d *simulator.Dashboard) { d.Scopes = []string{"whatsapp_business_messaging"} }, 403, [2]int{200, 0}, ""},
		{"another account", "/v25.0/999/subscribed_apps", business.Token, untouched, 400, [2]int{100, 33}, ""},
		{"what an app is subscribed to", app, secret, untouched, 200, [2]int{}, `"name":"messages"`},
		{"an app's question with another token", app, business.Token, untouched, 400, [2]int{15, 0}, ""},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				l.Arrange(numberID, c.change)
				status, body := l.do(t, "GET", c.path, c.token, "")
				if status != c.status || status != 200 && codeOf(t, body) != c.code || !strings.Contains(body, c.says) {
					t.Errorf("got %d %s", status, body)
				}
				if calls := l.Calls(); len(calls) != 1 || calls[0].Kind != "setup" || calls[0].Status != c.status || calls[0].Code != c.code[0] {
					t.Errorf("recorded: %+v", calls)
				}
				l.idle(t)
			})
		})
	}
}

func TestHealthSumsUpWhoTakesPart(t *testing.T) {
	limited, blocked := simulator.Ailing{CanSend: "LIMITED", Note: "n"}, simulator.Ailing{CanSend: "BLOCKED", Code: 1, Description: "d"}
	for rule, c := range map[string]struct {
		ailing map[string]simulator.Ailing
		want   []string // the sum, then the number, the account, the business and the app
	}{
		"all are well":                {nil, []string{"AVAILABLE", "AVAILABLE", "AVAILABLE", "AVAILABLE", "AVAILABLE"}},
		"one is limited":              {map[string]simulator.Ailing{"WABA": limited}, []string{"LIMITED", "AVAILABLE", "LIMITED", "AVAILABLE", "AVAILABLE"}},
		"one is limited, one blocked": {map[string]simulator.Ailing{"APP": limited, "WABA": blocked}, []string{"BLOCKED", "AVAILABLE", "BLOCKED", "AVAILABLE", "LIMITED"}},
		"a block counts for more":     {map[string]simulator.Ailing{"APP": blocked, "WABA": limited}, []string{"BLOCKED", "AVAILABLE", "LIMITED", "AVAILABLE", "BLOCKED"}},
	} {
		t.Run(rule, func(t *testing.T) {
			bubble(t, calm(), func(t *testing.T, l *life) {
				l.Arrange(numberID, func(d *simulator.Dashboard) { d.Ailing = c.ailing })
				_, body := l.do(t, "GET", "/v25.0/"+numberID+"?fields=health_status", business.Token, "")
				var shown struct {
					Health struct {
						CanSend  string `json:"can_send_message"`
						Entities []struct {
							CanSend string `json:"can_send_message"`
						}
					} `json:"health_status"`
				}
				if err := json.Unmarshal([]byte(body), &shown); err != nil {
					t.Fatal(err)
				}
				got := []string{shown.Health.CanSend}
				for _, e := range shown.Health.Entities {
					got = append(got, e.CanSend)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				l.idle(t)
			})
		})
	}
}
