package whatsapp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// instead answers the questions whose path or query holds a text in another
// way.
func instead(text string, other http.RoundTripper) func(http.RoundTripper) http.RoundTripper {
	return func(way http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.String(), text) {
				return other.RoundTrip(r)
			}
			return way.RoundTrip(r)
		})
	}
}

func TestAQuestionWithoutAnswerHidesNoOther(t *testing.T) {
	ways := map[string]http.RoundTripper{
		"never answered": transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}),
		"no connection": transport(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}),
		"a proxy's error": answer(502, "<html>Bad gateway for "+inspected.Token+" and "+inspected.AppSecret+"</html>"),
		"not Meta at all": answer(200, "<html>Welcome</html>"),
		"throttled":       answer(400, `{"error":{"message":"(#80007) Too many calls","type":"OAuthException","code":80007}}`),
	}
	questions := map[string][]string{
		"debug_token":     {"token: error"},
		"display_phone":   {"phone_number: error"},
		"health_status":   {"health: warning"},
		"subscribed_apps": {"subscription: error"},
		"/subscriptions":  {"app_secret: warning"},
		"graph.test":      {"token: error", "phone_number: error", "health: warning", "subscription: warning", "callback: warning", "app_secret: warning"},
	}
	for name, way := range ways {
		for question, want := range questions {
			t.Run(fmt.Sprintf("%s: %s", question, name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					found := inspect(t, func(i *inspection) { i.way = instead(question, way) })
					if took := time.Since(began); took > 10*time.Second {
						t.Errorf("it took %v", took)
					}
					if diff := cmp.Diff(want, amiss(found)); diff != "" {
						t.Errorf("%s\n%+v", diff, found)
					}
				})
			})
		}
	}
}

func TestOddAnswers(t *testing.T) {
	const account = `{"health_status":{"entities":[{"entity_type":"WABA","id":"102290129340398","can_send_message":"AVAILABLE"},
		{"entity_type":"MOON","id":"1","can_send_message":"BLOCKED","errors":[{"error_code":"7","possible_solution":"Wait for the tide"}]}]}}`
	cases := []struct {
		rule  string
		odd   map[string]string // answers, by what is in the question; "" for a proxy's error
		check string
		want  whatsapp.Grade
		says  string
	}{
		{"a token that has ended, as an app is told", map[string]string{"debug_token": `{"data":{"is_valid":false,"error":{"code":190,"subcode":463,"message":"Session has expired"}}}`}, "token", whatsapp.Wrong, "has expired: Session has expired."},
		{"a token that has ended, with its date", map[string]string{"debug_token": `{"data":{"is_valid":false,"expires_at":1352419328,"error":{"code":190,"message":"no"}}}`}, "token", whatsapp.Wrong, "expired on 2012-11-09 00:02 UTC."},
		{"a token that was taken back", map[string]string{"debug_token": `{"data":{"is_valid":false,"error":{"code":190,"subcode":460,"message":"The password was changed."}}}`}, "token", whatsapp.Wrong, "The password was changed."},
		{"a token that is not good, and no word on why", map[string]string{"debug_token": `{"data":{}}`}, "token", whatsapp.Wrong, "not valid"},
		{"a permission that is not limited", map[string]string{"debug_token": `{"data":{"is_valid":true,"app_id":634974688087057,"scopes":["whatsapp_business_messaging","whatsapp_business_management"],"granular_scopes":[{"scope":"whatsapp_business_messaging"}]}}`}, "account_access", whatsapp.Good, "102290129340398"},
		{"no word on the account, and one that the token is for", map[string]string{"health_status": ""}, "subscription", whatsapp.Good, "102290129340398"},
		{"no word on the account", map[string]string{"health_status": `{}`, "debug_token": `{"data":{"is_valid":true}}`}, "subscription", whatsapp.Doubtful, "does not tell the number's WhatsApp account"},
		{"no word on the app", map[string]string{"health_status": account, "debug_token": ""}, "subscription", whatsapp.Doubtful, `Subscribed are 634974688087057 ("App 634974688087057")`},
		{"something that nobody knows is ill", map[string]string{"health_status": account}, "health", whatsapp.Wrong, "MOON is blocked in sending"},
		{"an address that is not shown", map[string]string{"health_status": account}, "callback", whatsapp.Good, "by the app's callback"},
		{"an override of another app's", map[string]string{"health_status": account, "subscribed_apps": `{"data":[{"whatsapp_business_api_data":{"id":"1"},"override_callback_uri":"https://other.test"},{"whatsapp_business_api_data":{"id":"634974688087057"}}]}`}, "callback", whatsapp.Good, "by the app's callback"},
		{"no address anywhere", map[string]string{"health_status": account, "/subscriptions": `{"data":[]}`}, "callback", whatsapp.Wrong, "no address"},
		{"webhooks that rest", map[string]string{"/subscriptions": `{"data":[{"object":"whatsapp_business_account","callback_url":"https://x.test","fields":[{"name":"messages"}]}]}`}, "webhook_fields", whatsapp.Doubtful, "not active"},
		{"a number without any rating", map[string]string{"display_phone": `{"status":"CONNECTED"}`}, "quality", whatsapp.Good, "yet"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			found := inspect(t, func(i *inspection) {
				for text, body := range c.odd {
					other, next := answer(200, body), i.way
					if body == "" {
						other = answer(502, "<html>")
					}
					i.way = func(way http.RoundTripper) http.RoundTripper { return instead(text, other)(next(way)) }
				}
			})
			for _, f := range found {
				if f.Check == c.check {
					if f.Grade != c.want || !strings.Contains(f.Message, c.says) {
						t.Errorf("%+v", f)
					}
					return
				}
			}
			t.Errorf("no finding of %s: %+v", c.check, found)
		})
	}
}

func TestATokenThatMetaRepeatsIsNotShown(t *testing.T) { // P9
	echo := transport(func(r *http.Request) (*http.Response, error) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		return answer(400, `{"error":{"message":"Malformed access token `+token+` of EAAwrongother0123 at https://x.test/?a=hunter2","type":"OAuthException","code":190}}`)(r)
	})
	broken := transport(func(r *http.Request) (*http.Response, error) {
		return nil, errors.New("cannot send " + r.URL.RawQuery)
	})
	for name, way := range map[string]http.RoundTripper{"in a refusal": echo, "in an error": broken} {
		t.Run(name, func(t *testing.T) {
			found := inspect(t, func(i *inspection) {
				i.believe("hunter2|a/b+c", inspected.ID) // one that is escaped in addresses
				i.way = instead("", way)
			})
			if message := messageOf(found, whatsapp.CheckToken); !strings.Contains(message, "********") {
				t.Errorf("token: %q", message)
			}
		})
	}
}

func TestAnInspectionEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := whatsapp.NewClient("https://graph.test", "v25.0", transport(func(r *http.Request) (*http.Response, error) {
			cancel()
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		began := time.Now()
		found := client.Inspect(ctx, whatsapp.Setup{Credentials: credentials})
		if time.Since(began) != 0 || len(found) == 0 {
			t.Errorf("after %v: %v", time.Since(began), found)
		}
	})
}
