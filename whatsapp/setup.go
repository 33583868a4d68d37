package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Grant is what an access token allows.
type Grant struct {
	// AppID is the app that the token was made for.
	AppID string
	// Kind is whose it is, for example "SYSTEM_USER" or "USER".
	Kind string
	// Valid is false for a token that is not good any more; Refusal then says
	// why, if Meta does.
	Valid   bool
	Refusal *Error
	// Expires is zero if it never does.
	Expires time.Time
	// Scopes are the permissions, for example "whatsapp_business_messaging".
	Scopes []string
	// Targets are the IDs that a permission is limited to, by permission. One
	// without any is not limited.
	Targets map[string][]string
}

// DebugToken asks Meta what the token allows, on the token's own authority.
// The error is an *Error if Meta refused, which it also does when it does not
// know the token; anything else means that it could not be asked. No error has
// the token in it.
// Meta: debug token.
func (c *Client) DebugToken(ctx context.Context, token Token) (Grant, error) {
	var w struct {
		Data struct {
			AppID    string   `json:"app_id"`
			Kind     string   `json:"type"`
			Valid    bool     `json:"is_valid"`
			Expires  Number   `json:"expires_at"`
			Scopes   []string `json:"scopes"`
			Granular []struct {
				Scope   string   `json:"scope"`
				Targets []string `json:"target_ids"`
			} `json:"granular_scopes"`
			Error *struct {
				Code    Number `json:"code"`
				Subcode Number `json:"subcode"`
				Message string `json:"message"`
			} `json:"error"`
		} `json:"data"`
	}
	query := url.Values{"input_token": {token.Reveal()}}
	if err := c.lookUp(ctx, token, "debug_token", query, &w); err != nil {
		return Grant{}, fmt.Errorf("debug token: %w", err)
	}
	d := w.Data
	g := Grant{AppID: d.AppID, Kind: d.Kind, Valid: d.Valid, Expires: d.Expires.Time(), Scopes: d.Scopes, Targets: map[string][]string{}}
	for _, limit := range d.Granular {
		g.Targets[limit.Scope] = limit.Targets
	}
	if d.Error != nil {
		g.Refusal = &Error{Status: http.StatusOK, Code: d.Error.Code.Int(), Subcode: d.Error.Subcode.Int(), Type: "OAuthException", Message: d.Error.Message}
	}
	return g, nil
}

// PhoneNumber is what Meta says of a business number. All words are Meta's, and
// any may be missing.
type PhoneNumber struct {
	// Display is the number as a person reads it, for example "+1 555-078-3881".
	Display      string `json:"display_phone_number"`
	VerifiedName string `json:"verified_name"`
	// Status is "CONNECTED" for a number that can be used.
	Status string `json:"status"`
	// Platform is "CLOUD_API" for one that is registered with this API.
	Platform string `json:"platform_type"`
	// Mode is "LIVE" or "SANDBOX".
	Mode string `json:"account_mode"`
	// Verification is of the number's ownership, for example "VERIFIED".
	Verification string `json:"code_verification_status"`
	// NameStatus is of the display name, for example "APPROVED".
	NameStatus string `json:"name_status"`
	// Quality is "GREEN", "YELLOW", "RED" or "UNKNOWN".
	Quality string `json:"quality_rating"`
}

const numberFields = "display_phone_number,verified_name,status,platform_type,account_mode,code_verification_status,name_status,quality_rating"

// PhoneNumber asks Meta about the number. Errors are as for DebugToken; code
// 100 with subcode 33 means that there is no such number, or not for the token.
// Meta: business phone numbers.
func (c *Client) PhoneNumber(ctx context.Context, credentials Credentials) (n PhoneNumber, err error) {
	query := url.Values{"fields": {numberFields}}
	if err := c.lookUp(ctx, credentials.Token, url.PathEscape(credentials.PhoneNumberID), query, &n); err != nil {
		return PhoneNumber{}, fmt.Errorf("look up phone number: %w", err)
	}
	return n, nil
}

// Standing is how a number stands among what it belongs to.
type Standing struct {
	// Callbacks are where webhooks about the number go.
	Callbacks Callbacks
	// Health is what takes part in a message: the number, its account, the
	// business, the app.
	Health []Health
}

// Callbacks are the addresses that webhooks can go to. The first that is set
// counts. Meta: webhook overrides.
type Callbacks struct {
	Number  string `json:"phone_number"`
	Account string `json:"whatsapp_business_account"`
	App     string `json:"application"`
}

// Health tells whether one thing lets messages through.
type Health struct {
	// Entity is "PHONE_NUMBER", "WABA", "BUSINESS" or "APP", and ID its ID.
	Entity string `json:"entity_type"`
	ID     string `json:"id"`
	// CanSend is "AVAILABLE", "LIMITED" or "BLOCKED".
	CanSend string    `json:"can_send_message"`
	Notes   []string  `json:"additional_info"`
	Reasons []Ailment `json:"errors"`
}

// Ailment is a reason why something does not let all messages through.
type Ailment struct {
	Code        Number `json:"error_code"`
	Description string `json:"error_description"`
	Solution    string `json:"possible_solution"`
}

// Standing asks Meta where the number's webhooks go and what stands in the way
// of messages. Errors are as for DebugToken.
// Meta: webhook overrides, messaging health status.
func (c *Client) Standing(ctx context.Context, credentials Credentials) (Standing, error) {
	var w struct {
		Callbacks Callbacks `json:"webhook_configuration"`
		Health    struct {
			Entities []Health `json:"entities"`
		} `json:"health_status"`
	}
	query := url.Values{"fields": {"webhook_configuration,health_status"}}
	if err := c.lookUp(ctx, credentials.Token, url.PathEscape(credentials.PhoneNumberID), query, &w); err != nil {
		return Standing{}, fmt.Errorf("look up standing: %w", err)
	}
	return Standing{Callbacks: w.Callbacks, Health: w.Health.Entities}, nil
}

// Subscriber is an app that is subscribed to a WhatsApp business account.
type Subscriber struct {
	AppID, Name string
	// Override is the callback that this app has for the account, or "".
	Override string
}

// Subscribers asks Meta which apps get the webhooks of an account, by the
// account's ID. Errors are as for DebugToken.
// Meta: subscribed apps.
func (c *Client) Subscribers(ctx context.Context, token Token, account string) ([]Subscriber, error) {
	var w struct {
		Data []struct {
			App struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"whatsapp_business_api_data"`
			Override string `json:"override_callback_uri"`
		} `json:"data"`
	}
	if err := c.lookUp(ctx, token, url.PathEscape(account)+"/subscribed_apps", url.Values{"limit": {"100"}}, &w); err != nil {
		return nil, fmt.Errorf("list subscribed apps: %w", err)
	}
	apps := make([]Subscriber, len(w.Data))
	for i, d := range w.Data {
		apps[i] = Subscriber{AppID: d.App.ID, Name: d.App.Name, Override: d.Override}
	}
	return apps, nil
}

// AppWebhook is what an app does with the webhooks of WhatsApp.
type AppWebhook struct {
	// Callback is where they go unless it is overridden; "" if nothing was
	// entered for WhatsApp.
	Callback string
	Active   bool
	// Fields are those it is subscribed to, for example "messages".
	Fields []string
}

// AppWebhook asks Meta about an app's webhooks, on the authority of the app's
// secret. Errors are as for DebugToken; code 190 means that the secret is not
// the app's.
// Meta: app subscriptions.
func (c *Client) AppWebhook(ctx context.Context, app string, secret Token) (AppWebhook, error) {
	var w struct {
		Data []struct {
			Object   string `json:"object"`
			Callback string `json:"callback_url"`
			Active   bool   `json:"active"`
			Fields   []struct {
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"data"`
	}
	if err := c.lookUp(ctx, NewToken(app+"|"+secret.Reveal()), url.PathEscape(app)+"/subscriptions", nil, &w); err != nil {
		return AppWebhook{}, fmt.Errorf("look up app webhook: %w", err)
	}
	for _, d := range w.Data {
		if d.Object != "whatsapp_business_account" {
			continue
		}
		hook := AppWebhook{Callback: d.Callback, Active: d.Active}
		for _, f := range d.Fields {
			hook.Fields = append(hook.Fields, f.Name)
		}
		return hook, nil
	}
	return AppWebhook{}, nil
}

var errNoJSON = errors.New("what answered is not Meta's API")

// lookUp reads something from Graph. Nothing is changed by it, so an error
// leaves nothing open.
func (c *Client) lookUp(ctx context.Context, token Token, path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	target := c.BaseURL + "/" + c.Version + "/" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return errors.New("the address of Meta's API is not one") // err would show the query
	}
	secret := token.Reveal()
	r.Header.Set("Authorization", "Bearer "+secret)
	response, err := c.HTTP.Do(r)
	if err != nil {
		return bare(err, secret) // the address shows the query
	}
	defer func() { _ = response.Body.Close() }()
	return readLookUp(response, secret, v)
}

// readLookUp reads an answer into v as far as it fits.
func readLookUp(response *http.Response, secret string, v any) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return scrub(err, secret)
	}
	if secret != "" { // Meta repeats tokens that it cannot read
		body = bytes.ReplaceAll(body, []byte(secret), []byte(mask))
	}
	if response.StatusCode != http.StatusOK {
		return settled(refusal(response, body))
	}
	if !json.Valid(body) || !isObject(body) {
		return errNoJSON
	}
	_ = decode(body, v) // what fits is enough
	return nil
}

// settled takes the doubt out of a refusal, which is of importance only where
// something may have been done.
func settled(err error) error {
	if unclear := (*Unclear)(nil); errors.As(err, &unclear) {
		return unclear.Err
	}
	return err
}
