package whatsapp_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"parley/whatsapp"
)

type signed struct {
	Secret string `json:"app_secret"`
	Body   []byte `json:"body_base64"`
	Header string
	Valid  *bool // nil where either answer is safe
	Why    string
}

func signatures(t testing.TB) (all []signed) {
	for _, name := range fixtures(t, "signature") {
		var s signed
		if err := json.Unmarshal(fixture(t, name), &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, s)
	}
	return all
}

func TestVerify(t *testing.T) {
	for _, s := range signatures(t) {
		t.Run(s.Why, func(t *testing.T) {
			got := whatsapp.Verify(s.Header, s.Body, s.Secret)
			if s.Valid != nil && got != *s.Valid {
				t.Errorf("got %v", got)
			}
			if s.Valid != nil && *s.Valid && whatsapp.Sign(s.Secret, s.Body) != s.Header {
				t.Error("Sign gives another signature")
			}
		})
	}
}

func TestVerifyDuringARotation(t *testing.T) {
	body := []byte("{}")
	header := whatsapp.Sign("new", body)
	cases := []struct {
		rule    string
		secrets []string
		want    bool
	}{
		{"the first secret counts", []string{"new", "old"}, true},
		{"the last secret counts", []string{"old", "new"}, true},
		{"another secret does not", []string{"old"}, false},
		{"without secrets nothing is right", nil, false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := whatsapp.Verify(header, body, c.secrets...); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("an empty secret is never right", func(t *testing.T) {
		if whatsapp.Verify(whatsapp.Sign("", body), body, "") {
			t.Error("accepted")
		}
	})
}

func TestChallenge(t *testing.T) {
	for _, name := range fixtures(t, "verify") {
		t.Run(name, func(t *testing.T) {
			var c struct {
				Token  string `json:"verify_token"`
				Query  map[string]string
				Status int     `json:"expect_status"`
				Body   *string `json:"expect_body"`
			}
			if err := json.Unmarshal(fixture(t, name), &c); err != nil {
				t.Fatal(err)
			}
			query := url.Values{}
			for key, value := range c.Query {
				query.Set(key, value)
			}
			challenge, ok := whatsapp.Challenge(query, c.Token)
			if ok != (c.Status == 200) || ok && challenge != *c.Body || !ok && challenge != "" {
				t.Errorf("got %q, %v", challenge, ok)
			}
		})
	}
}

func TestChallengeIsExact(t *testing.T) {
	ask := func(token string) url.Values {
		return url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {token}, "hub.challenge": {"<b>1158201444</b>"}}
	}
	if challenge, ok := whatsapp.Challenge(ask("Secret"), "Secret"); !ok || challenge != "<b>1158201444</b>" {
		t.Errorf("got %q, %v", challenge, ok)
	}
	for _, token := range []string{"secret", "Secret ", "Secre", ""} {
		if _, ok := whatsapp.Challenge(ask(token), "Secret"); ok {
			t.Errorf("%q was accepted", token)
		}
	}
	if _, ok := whatsapp.Challenge(ask(""), ""); ok {
		t.Error("an empty token was accepted")
	}
}

func FuzzVerify(f *testing.F) {
	for _, s := range signatures(f) {
		f.Add(s.Header, s.Body, s.Secret)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte, secret string) {
		if whatsapp.Verify(header, body, "another "+secret) {
			t.Error("a random header was accepted")
		}
		own := whatsapp.Sign(secret, body)
		if got := whatsapp.Verify(own, body, secret); got != (secret != "") {
			t.Errorf("own signature: %v", got)
		}
		if whatsapp.Verify(own, append(body, 'x'), secret) {
			t.Error("a changed body was accepted")
		}
	})
}
