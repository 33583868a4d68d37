package whatsapp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// TestTheQuestions proves that each is put as documented, and read from the
// examples in Meta's documentation of it.
func TestTheQuestions(t *testing.T) {
	var asked []string
	ask := func(body string) *whatsapp.Client {
		return whatsapp.NewClient("https://graph.test", "v25.0", transport(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
			return answer(200, body)(r)
		}))
	}
	grant, err := ask(`{"data":{"app_id":"138483919580948","type":"SYSTEM_USER","application":"Social Cafe","expires_at":1352419328,"is_valid":true,
		"issued_at":1347235328,"scopes":["whatsapp_business_messaging"],"granular_scopes":[{"scope":"whatsapp_business_messaging","target_ids":["1"]},{"scope":"email"}]}}`).
		DebugToken(t.Context(), whatsapp.NewToken(secretToken))
	wantGrant := whatsapp.Grant{
		AppID: "138483919580948", Kind: "SYSTEM_USER", Valid: true, Expires: time.Unix(1352419328, 0).UTC(),
		Scopes: []string{"whatsapp_business_messaging"}, Targets: map[string][]string{"whatsapp_business_messaging": {"1"}, "email": nil},
	}
	if diff := cmp.Diff(wantGrant, grant); diff != "" || err != nil {
		t.Error(err, diff)
	}
	standing, err := ask(`{"webhook_configuration":{"phone_number":"https://a.test","application":"https://b.test"},"health_status":{"can_send_message":"LIMITED","entities":[
		{"entity_type":"PHONE_NUMBER","id":"106540352242922","can_send_message":"LIMITED","additional_info":["Your display name has not been approved yet."]}]},"id":"106540352242922"}`).
		Standing(t.Context(), credentials)
	wantStanding := whatsapp.Standing{
		Callbacks: whatsapp.Callbacks{Number: "https://a.test", App: "https://b.test"},
		Health:    []whatsapp.Health{{Entity: "PHONE_NUMBER", ID: "106540352242922", CanSend: "LIMITED", Notes: []string{"Your display name has not been approved yet."}}},
	}
	if diff := cmp.Diff(wantStanding, standing); diff != "" || err != nil {
		t.Error(err, diff)
	}
	apps, err := ask(`{"data":[{"whatsapp_business_api_data":{"id":67084,"link":"https://x.test","name":"Jasper's"},"override_callback_uri":"https://c.test"}]}`).
		Subscribers(t.Context(), whatsapp.NewToken(secretToken), "102290129340398")
	if diff := cmp.Diff([]whatsapp.Subscriber{{AppID: "67084", Name: "Jasper's", Override: "https://c.test"}}, apps); diff != "" || err != nil {
		t.Error(err, diff)
	}
	hook, err := ask(`{"data":[{"object":"page","callback_url":"https://x.test","active":true},
		{"object":"whatsapp_business_account","callback_url":"https://d.test","active":true,"fields":[{"name":"messages","version":"v25.0"}]}]}`).
		AppWebhook(t.Context(), "67084", whatsapp.NewToken("s3cret"))
	if diff := cmp.Diff(whatsapp.AppWebhook{Callback: "https://d.test", Active: true, Fields: []string{"messages"}}, hook); diff != "" || err != nil {
		t.Error(err, diff)
	}
	want := []string{
		"GET /v25.0/debug_token Bearer " + secretToken,
		"GET /v25.0/106540352242922 Bearer " + secretToken,
		"GET /v25.0/102290129340398/subscribed_apps Bearer " + secretToken,
		"GET /v25.0/67084/subscriptions Bearer 67084|s3cret",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestTheErrorsOfLookUps(t *testing.T) {
	debug := func(way http.RoundTripper) error {
		_, err := whatsapp.NewClient("https://graph.test", "v25.0", way).DebugToken(t.Context(), whatsapp.NewToken(secretToken+"|a b"))
		for _, form := range []string{secretToken + "|a b", url.QueryEscape(secretToken + "|a b")} {
			if strings.Contains(fmt.Sprint(err), form) { // P9
				t.Errorf("the token is shown: %v", err)
			}
		}
		return err
	}
	var refused *whatsapp.Error
	err := debug(answer(400, `{"error":{"message":"Malformed access token `+secretToken+`|a b","type":"OAuthException","code":190,"error_subcode":463}}`))
	if !errors.As(err, &refused) || refused.Code != 190 || refused.Subcode != 463 {
		t.Errorf("refused: %v", err)
	}
	err = debug(answer(502, "<html>"))
	if !errors.As(err, &refused) || refused.Status != 502 || errors.As(err, new(*whatsapp.Unclear)) {
		t.Errorf("a proxy: %v", err)
	}
	err = debug(transport(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }))
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("no connection: %v", err)
	}
	if err = debug(answer(200, "[]")); err == nil {
		t.Error("something else than Meta is believed")
	}
}
