package whatsapp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// The business that is inspected, with secrets that must not come out again.
var inspected = simulator.Number{
	ID: "106540352242922", WABAID: "102290129340398", Display: "+1 555-078-3881", Token: "EAAGsecretaccesstoken0123456789",
	AppSecret: "0123456789abcdef-app-secret", Callback: "https://parley.test/api/v1/integration/whatsapp/i1/callback",
}

// inspection is Meta with one number, and what our side believes of it.
type inspection struct {
	*simulator.Simulator
	setup whatsapp.Setup
	// way stands between the client and Meta.
	way func(http.RoundTripper) http.RoundTripper
}

// arrange changes something at Meta's.
func (i *inspection) arrange(change func(*simulator.Dashboard)) { i.Arrange(inspected.ID, change) }

// believe sets what our side has for a token and a number.
func (i *inspection) believe(token, number string) {
	i.setup.Credentials = whatsapp.Credentials{Token: whatsapp.NewToken(token), PhoneNumberID: number}
}

func inspect(t testing.TB, change func(*inspection)) []whatsapp.Finding {
	t.Helper()
	i := &inspection{Simulator: simulator.New(simulator.Config{Faults: simulator.Calm()})}
	defer i.Close()
	i.Connect(inspected)
	i.believe(inspected.Token, inspected.ID)
	i.setup.AppSecret, i.setup.Callbacks = whatsapp.NewToken(inspected.AppSecret), []string{inspected.Callback, "https://parley.test/v1/integration/whatsapp/i1/callback"}
	i.way = func(way http.RoundTripper) http.RoundTripper { return way }
	change(i)
	client := whatsapp.NewClient("https://graph.test", "v25.0", i.way(i.Transport()))
	found := client.Inspect(t.Context(), i.setup)
	checkClean(t, found)
	return found
}

// checkClean looks for what must not be in a finding. P9
func checkClean(t testing.TB, found []whatsapp.Finding) {
	t.Helper()
	if len(found) == 0 {
		t.Error("nothing was found, not even that all is well")
	}
	for _, f := range found {
		text := f.Message + " " + f.Cure
		for _, secret := range []string{inspected.Token, inspected.AppSecret, "EAAwrong", "078-9999", "078-3881", "5550783881", "hunter2"} {
			if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				t.Errorf("%s shows %q: %s", f.Check, secret, text)
			}
		}
		if f.Message == "" || f.Grade != whatsapp.Good && f.Cure == "" || f.Grade == whatsapp.Good && f.Cure != "" || strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("not a finding for a person: %+v", f)
		}
	}
}

// amiss lists what is not good, as "check: grade".
func amiss(found []whatsapp.Finding) []string {
	list := []string{}
	for _, f := range found {
		if f.Grade != whatsapp.Good {
			list = append(list, f.Check+": "+string(f.Grade))
		}
	}
	return list
}

func messageOf(found []whatsapp.Finding, check string) string {
	for _, f := range found {
		if f.Check == check {
			return f.Message
		}
	}
	return ""
}

func TestASetupWithNothingWrong(t *testing.T) {
	var checks []string
	for _, f := range inspect(t, func(*inspection) {}) {
		checks = append(checks, f.Check+": "+string(f.Grade))
	}
	want := []string{
		"token: ok", "token_expiry: ok", "permissions: ok", "account_access: ok", "phone_number: ok", "connection: ok",
		"display_name: ok", "quality: ok", "health: ok", "subscription: ok", "callback: ok", "app_secret: ok", "webhook_fields: ok",
	}
	if diff := cmp.Diff(want, checks); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCanBeWrongWithASetup(t *testing.T) { // F256 F274 F276 F277
	const otherApp = "111111111111111"
	arrange := func(change func(*simulator.Dashboard)) func(*inspection) {
		return func(i *inspection) { i.arrange(change) }
	}
	cases := []struct {
		rule   string
		change func(*inspection)
		want   []string
		// says is in the message of the first thing that is not good.
		says string
	}{
		{
			"a token that Meta does not know", func(i *inspection) { i.believe("EAAwrong-token-0000", inspected.ID) },
			[]string{"token: error", "phone_number: warning", "health: warning", "subscription: warning", "callback: warning", "app_secret: warning"},
			"Invalid OAuth access token",
		},
		{
			"a token that has expired", arrange(func(d *simulator.Dashboard) { d.Expires = time.Now().Add(-time.Hour) }),
			[]string{"token: error", "phone_number: warning", "health: warning", "subscription: warning", "callback: warning", "app_secret: warning"},
			"expired",
		},
		{
			"a token that expires soon", arrange(func(d *simulator.Dashboard) { d.Expires = time.Now().Add(24 * time.Hour) }),
			[]string{"token_expiry: warning"},
			"expires soon",
		},
		{
			"a token that lives for two months", arrange(func(d *simulator.Dashboard) { d.Expires = time.Now().Add(60 * 24 * time.Hour) }),
			[]string{},
			"",
		},
		{
			"a token without the permission to send", arrange(func(d *simulator.Dashboard) { d.Scopes = []string{"whatsapp_business_management"} }),
			[]string{"permissions: error"},
			"lacks whatsapp_business_messaging.",
		},
		{
			"a token without the permission to manage", arrange(func(d *simulator.Dashboard) { d.Scopes = []string{"whatsapp_business_messaging"} }),
			[]string{"permissions: error", "subscription: error"},
			"lacks whatsapp_business_management.",
		},
		{
			"a token that may send for another account alone", arrange(func(d *simulator.Dashboard) { d.Targets = map[string][]string{"whatsapp_business_messaging": {"999"}} }),
			[]string{"account_access: error"},
			"whatsapp_business_messaging is not for the number's WhatsApp account 102290129340398",
		},
		{
			"a token for another account", arrange(func(d *simulator.Dashboard) {
				d.Targets = map[string][]string{"whatsapp_business_messaging": {"999"}, "whatsapp_business_management": {"999", "998"}}
			}),
			[]string{"phone_number: error", "health: warning", "subscription: warning"},
			"no phone number with the ID 106540352242922; it is good for these WhatsApp accounts: 999, 998",
		},
		{
			"another phone number ID", func(i *inspection) { i.believe(inspected.Token, "106540352242923") },
			[]string{"phone_number: error", "health: warning"},
			"no phone number with the ID 106540352242923; it is good for",
		},
		{
			"the phone number in place of its ID", func(i *inspection) { i.believe(inspected.Token, "15550783881") },
			[]string{"phone_number: error", "health: warning"},
			"the ID …3881, which looks like the phone number itself; it is good for",
		},
		{
			"no app subscribed", arrange(func(d *simulator.Dashboard) { d.Subscribed = nil }),
			[]string{"subscription: error"},
			"No app is subscribed",
		},
		{
			"another app subscribed, and ours not", arrange(func(d *simulator.Dashboard) { d.Subscribed = []string{otherApp} }),
			[]string{"subscription: error"},
			"only " + otherApp,
		},
		{
			"another app subscribed beside ours", arrange(func(d *simulator.Dashboard) { d.Subscribed = append(d.Subscribed, otherApp) }),
			[]string{},
			"",
		},
		{
			"an override of the number's that leads elsewhere", arrange(func(d *simulator.Dashboard) { d.NumberCallback = "https://u:hunter2@other.test/hook?key=hunter2" }),
			[]string{"callback: error"},
			"https://********@other.test/hook?********, by an override for the number",
		},
		{
			"an override of the account's that leads elsewhere", arrange(func(d *simulator.Dashboard) { d.AccountCallback = "https://other.test/hook" }),
			[]string{"callback: error"},
			"by an override for the WhatsApp account",
		},
		{
			"an app that calls elsewhere", arrange(func(d *simulator.Dashboard) { d.Callback = "https://other.test/hook" }),
			[]string{"callback: error"},
			"by the app's callback",
		},
		{
			"an override that leads here, over one that does not", arrange(func(d *simulator.Dashboard) {
				d.Callback, d.AccountCallback, d.NumberCallback = "https://other.test/", "https://other.test/hook", inspected.Callback
			}),
			[]string{},
			"",
		},
		{
			"the same address in another spelling", arrange(func(d *simulator.Dashboard) {
				d.NumberCallback = "HTTPS://Parley.test:443/v1/integration/whatsapp/i1/callback/"
			}),
			[]string{},
			"",
		},
		{
			"an app without a callback", arrange(func(d *simulator.Dashboard) { d.Callback = "" }),
			[]string{"callback: error", "webhook_fields: error"},
			"no address for webhooks",
		},
		{
			"an app that is not subscribed to messages", arrange(func(d *simulator.Dashboard) { d.Fields = []string{"account_update"} }),
			[]string{"webhook_fields: error"},
			"not subscribed to the field messages", // F271
		},
		{
			"the secret of another app", func(i *inspection) { i.setup.AppSecret = whatsapp.NewToken("hunter2-hunter2") },
			[]string{"app_secret: error"},
			"not that of the token's app",
		},
		{
			"no app secret", func(i *inspection) { i.setup.AppSecret = whatsapp.Token{} },
			[]string{"app_secret: warning"},
			"nobody can tell",
		},
		{
			"no address of our own", func(i *inspection) { i.setup.Callbacks = nil },
			[]string{"callback: warning"},
			"Webhooks go to https://parley.test/api/v1/integration/whatsapp/i1/callback",
		},
		{
			"a number that is not connected", arrange(func(d *simulator.Dashboard) { d.Status = "PENDING" }),
			[]string{"connection: error"},
			"PENDING",
		},
		{
			"a number on another platform", arrange(func(d *simulator.Dashboard) { d.Platform = "ON_PREMISE" }),
			[]string{"connection: error"},
			"ON_PREMISE",
		},
		{
			"a banned number", arrange(func(d *simulator.Dashboard) { d.Status = "BANNED" }),
			[]string{"connection: error"},
			"BANNED",
		},
		{
			"a number that Meta slows", arrange(func(d *simulator.Dashboard) { d.Status = "FLAGGED" }),
			[]string{"connection: warning"},
			"FLAGGED",
		},
		{
			"a number that nobody verified", arrange(func(d *simulator.Dashboard) { d.Verification = "NOT_VERIFIED" }),
			[]string{"connection: warning"},
			"nobody has verified",
		},
		{
			"a verification that expired", arrange(func(d *simulator.Dashboard) { d.Verification = "EXPIRED" }),
			[]string{},
			"",
		},
		{
			"a test number", arrange(func(d *simulator.Dashboard) { d.Mode, d.Verification = "SANDBOX", "NOT_VERIFIED" }),
			[]string{"phone_number: warning"},
			"…3881 is a test number", // F281
		},
		{
			"a name that was declined", arrange(func(d *simulator.Dashboard) { d.NameStatus = "DECLINED" }),
			[]string{"display_name: warning"},
			"DECLINED",
		},
		{
			"a number that people complain about", arrange(func(d *simulator.Dashboard) { d.Quality = "RED" }),
			[]string{"quality: warning"},
			"RED",
		},
		{
			"no payment method, and a business that is not verified", arrange(func(d *simulator.Dashboard) {
				d.Ailing = map[string]simulator.Ailing{
					"WABA":     {CanSend: "BLOCKED", Code: 141006, Description: "There is an error with the payment method."},
					"BUSINESS": {CanSend: "LIMITED", Note: "The business is not verified. Call +1 (555) 078-9999."},
				}
			}),
			[]string{"health: error", "health: warning"},
			"The WhatsApp account is blocked in sending: There is an error with the payment method.",
		},
		{
			"reasons that concern calls are left out", arrange(func(d *simulator.Dashboard) {
				d.Ailing = map[string]simulator.Ailing{"PHONE_NUMBER": {CanSend: "LIMITED", Code: 138024, Description: "SIP is not enabled"}}
			}),
			[]string{"health: warning"},
			"The phone number is limited in sending: Meta gives no reason.",
		},
		{
			"a name that plays tricks with the terminal", arrange(func(d *simulator.Dashboard) { d.Name = "a\x1b[2Jb\n" + inspected.Token }),
			[]string{},
			"",
		},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				found := inspect(t, c.change)
				if diff := cmp.Diff(c.want, amiss(found)); diff != "" {
					t.Errorf("%s\n%+v", diff, found)
				}
				for _, f := range found {
					if f.Grade != whatsapp.Good {
						if !strings.Contains(f.Message, c.says) {
							t.Errorf("%q does not say %q", f.Message, c.says)
						}
						return
					}
				}
			})
		})
	}
}
