package whatsapp

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// judgeSubscription tells whether the account's webhooks go to our app. Without
// that the dashboard's test works, and no real message ever comes.
func (s *sight) judgeSubscription() Finding {
	account, app := s.account(), s.app()
	if !s.subscribers.asked {
		if err := cmp.Or(s.standing.err, s.grant.err); err != nil {
			return unseen(CheckSubscription, Doubtful, err)
		}
		return Finding{CheckSubscription, Doubtful, "Not checked, since Meta does not tell the number's WhatsApp account.", cureNumberID}
	}
	if s.subscribers.err != nil {
		return unseen(CheckSubscription, Wrong, s.subscribers.err)
	}
	apps := s.subscribers.value
	cure := fmt.Sprintf("Subscribe the app to the account: POST /%s/subscribed_apps with this access token.", account)
	switch {
	case len(apps) == 0:
		return Finding{CheckSubscription, Wrong, fmt.Sprintf("No app is subscribed to the WhatsApp account %s, so no message ever comes.", account), cure}
	case app == "":
		return Finding{CheckSubscription, Doubtful, "Subscribed are " + names(apps) + "; whether the token's app is among them is not known.", cureFirst}
	case !slices.ContainsFunc(apps, func(a Subscriber) bool { return a.AppID == app }):
		return Finding{CheckSubscription, Wrong, fmt.Sprintf("Subscribed to the WhatsApp account %s is only %s, and not the token's app %s: its messages go elsewhere.", account, names(apps), app), cure}
	}
	return Finding{CheckSubscription, Good, fmt.Sprintf("The app %s gets the webhooks of the WhatsApp account %s.", app, account), ""}
}

func names(apps []Subscriber) string {
	var list []string
	for _, a := range apps {
		list = append(list, fmt.Sprintf("%s (%q)", a.AppID, a.Name))
	}
	return strings.Join(list, ", ")
}

// judgeCallback tells whether webhooks come to us.
func (s *sight) judgeCallback(meant Setup) Finding {
	at, level := s.callback()
	ours := "the callback of this integration"
	if len(meant.Callbacks) > 0 {
		ours = meant.Callbacks[0]
	}
	switch {
	case at == "" && s.standing.err != nil:
		return unseen(CheckCallback, Doubtful, s.standing.err)
	case at == "":
		return Finding{CheckCallback, Wrong, "Meta knows no address for webhooks about the number.", "Enter " + ours + " in Meta's app dashboard, under WhatsApp, Configuration."}
	case len(meant.Callbacks) == 0:
		return Finding{CheckCallback, Doubtful, "Webhooks go to " + shownURL(at) + ", by " + level.name + "; whether that leads here is not known.", "Set the public address of this server."}
	case !slices.ContainsFunc(meant.Callbacks, func(c string) bool { return sameAddress(c, at) }):
		return Finding{CheckCallback, Wrong, "Webhooks go to " + shownURL(at) + ", by " + level.name + ", and not to this integration.", fmt.Sprintf(level.cure, ours)}
	}
	return Finding{CheckCallback, Good, "Webhooks come to this integration, by " + level.name + ".", ""}
}

// level is where a callback is set.
type level struct{ name, cure string }

var (
	numberLevel  = level{"an override for the number", "Set the number's override to %s, or take it away: POST /{phone number ID} with webhook_configuration."}
	accountLevel = level{"an override for the WhatsApp account", "Set the account's override to %s, or take it away: POST /{account ID}/subscribed_apps."}
	appLevel     = level{"the app's callback", "Enter %s in Meta's app dashboard, under WhatsApp, Configuration; or as an override for the number."}
)

// callback is the address that counts, and where it is set.
// Meta: webhook overrides, the number's before the account's before the app's.
func (s *sight) callback() (string, level) {
	shown := s.standing.value.Callbacks
	for _, a := range s.subscribers.value {
		if a.AppID == s.app() {
			shown.Account = cmp.Or(shown.Account, a.Override)
		}
	}
	switch {
	case shown.Number != "":
		return shown.Number, numberLevel
	case shown.Account != "":
		return shown.Account, accountLevel
	}
	return cmp.Or(shown.App, s.webhook.value.Callback), appLevel
}

// sameAddress compares what matters of two addresses.
func sameAddress(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	return errA == nil && errB == nil && u.User == nil && v.User == nil &&
		strings.EqualFold(u.Scheme, v.Scheme) && strings.EqualFold(u.Hostname(), v.Hostname()) &&
		portOf(u) == portOf(v) && strings.TrimRight(u.Path, "/") == strings.TrimRight(v.Path, "/")
}

func portOf(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)])
}

// judgeWebhook looks at the app with its own secret.
func (s *sight) judgeWebhook(meant Setup) []Finding {
	if meant.AppSecret.Reveal() == "" {
		return []Finding{{CheckAppSecret, Doubtful, "No app secret is stored, so nobody can tell whether a webhook is Meta's.", cureAppSecret}}
	}
	if !s.webhook.asked {
		return []Finding{{CheckAppSecret, Doubtful, "Not checked, since the token's app is not known.", cureFirst}}
	}
	var refused *Error
	if errors.As(s.webhook.err, &refused) && refused.isAboutToken() {
		return []Finding{{CheckAppSecret, Wrong, fmt.Sprintf("The app secret is not that of the token's app %s: its webhooks are turned away.", s.app()), cureAppSecret}}
	}
	if s.webhook.err != nil {
		return []Finding{unseen(CheckAppSecret, Doubtful, s.webhook.err)}
	}
	return []Finding{{CheckAppSecret, Good, "The app secret is that of the token's app.", ""}, s.webhook.value.fields()}
}

func (w AppWebhook) fields() Finding {
	switch {
	case w.Callback == "":
		return Finding{CheckFields, Wrong, "The app has no callback for WhatsApp.", cureFields}
	case !slices.Contains(w.Fields, "messages"):
		return Finding{CheckFields, Wrong, "The app is not subscribed to the field messages.", cureFields}
	case !w.Active:
		return Finding{CheckFields, Doubtful, "The app's webhooks are not active.", cureFields}
	}
	return Finding{CheckFields, Good, "The app is subscribed to the field messages.", ""}
}
