package whatsapp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Meta: access tokens, permissions that the Cloud API needs.
const (
	scopeMessaging  = "whatsapp_business_messaging"
	scopeManagement = "whatsapp_business_management"
)

const (
	cureFirst     = "Put the access token right first."
	cureReach     = "See that this server reaches Meta's API, and try again."
	cureForever   = "Make the token of a system user that never expires, and store that."
	cureNumberID  = "Copy the phone number ID from Meta's API Setup page, it is not the phone number; and give the token's system user that WhatsApp account as an asset."
	cureVerify    = "Verify the number in the WhatsApp Manager."
	cureAppSecret = "Store the app secret of the token's app: Meta's app dashboard has it under App settings, Basic."
	cureFields    = "In Meta's app dashboard, under WhatsApp, Configuration, enter the callback and subscribe to the field messages."
	cureManager   = "See the WhatsApp Manager for what to do."
)

// judge turns what Meta shows into findings.
func (s *sight) judge(meant Setup) []Finding {
	return slices.Concat(
		s.judgeToken(), s.judgeNumber(meant), s.judgeHealth(),
		[]Finding{s.judgeSubscription(), s.judgeCallback(meant)},
		s.judgeWebhook(meant),
	)
}

func (s *sight) judgeToken() []Finding {
	g := s.grant.value
	var refused *Error
	if errors.As(s.grant.err, &refused) && refused.isAboutToken() {
		return []Finding{badToken(refused)}
	}
	switch {
	case s.grant.err != nil:
		return []Finding{unseen(CheckToken, Wrong, s.grant.err)}
	case !g.Expires.IsZero() && !time.Now().Before(g.Expires):
		return []Finding{{CheckToken, Wrong, "The access token expired on " + day(g.Expires) + ".", cureForever}}
	case !g.Valid && g.Refusal != nil:
		return []Finding{badToken(g.Refusal)}
	case !g.Valid:
		return []Finding{{CheckToken, Wrong, "Meta says that the access token is not valid.", cureToken}}
	}
	whose := map[string]string{"SYSTEM_USER": ", which is a system user's", "USER": ", which is a person's"}[g.Kind]
	found := []Finding{{CheckToken, Good, "Meta takes the access token" + whose + ".", ""}, judgeExpiry(g), judgePermissions(g)}
	if account := s.account(); account != "" {
		found = append(found, judgeAccess(g, account))
	}
	return found
}

// isAboutToken reports that the token itself is refused, and not what it asks
// for. Meta: error codes.
func (e *Error) isAboutToken() bool {
	return e.isMeta() && (e.Code == 0 || e.Code == 104 || e.Code == 190)
}

// Meta: error codes, subcodes of 190.
const subcodeExpired = 463

func badToken(e *Error) Finding {
	if e.Subcode == subcodeExpired {
		return Finding{CheckToken, Wrong, "The access token has expired: " + sentence(e.Message), cureForever}
	}
	return Finding{CheckToken, Wrong, "Meta does not take the access token: " + sentence(e.Message), cureToken}
}

func judgeExpiry(g Grant) Finding {
	left := time.Until(g.Expires)
	switch {
	case g.Expires.IsZero():
		return Finding{CheckExpiry, Good, "The access token never expires.", ""}
	case left < expiresSoon:
		return Finding{CheckExpiry, Doubtful, "The access token expires soon, on " + day(g.Expires) + ".", cureForever}
	}
	return Finding{CheckExpiry, Good, "The access token expires on " + day(g.Expires) + ".", ""}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

func judgePermissions(g Grant) Finding {
	var missing []string
	for _, scope := range []string{scopeMessaging, scopeManagement} {
		if !slices.Contains(g.Scopes, scope) {
			missing = append(missing, scope)
		}
	}
	if missing != nil {
		return Finding{CheckPermissions, Wrong, "The access token lacks " + strings.Join(missing, " and ") + ".", cureAccess}
	}
	return Finding{CheckPermissions, Good, "The access token has both permissions that are needed.", ""}
}

func judgeAccess(g Grant, account string) Finding {
	for _, scope := range []string{scopeMessaging, scopeManagement} {
		if targets := g.Targets[scope]; len(targets) > 0 && !slices.Contains(targets, account) {
			return Finding{CheckAccountAccess, Wrong, fmt.Sprintf("The permission %s is not for the number's WhatsApp account %s.", scope, account), cureAccess}
		}
	}
	return Finding{CheckAccountAccess, Good, "Its permissions are for the number's WhatsApp account " + account + ".", ""}
}

func (s *sight) judgeHealth() []Finding {
	if s.standing.err != nil {
		return []Finding{unseen(CheckHealth, Doubtful, s.standing.err)}
	}
	var found []Finding
	for _, h := range s.standing.value.Health {
		if grade, sick := healthGrades[h.CanSend]; sick {
			reasons, cure := h.explain()
			found = append(found, Finding{CheckHealth, grade, entityName(h.Entity) + " is " + strings.ToLower(h.CanSend) + " in sending: " + reasons, cure})
		}
	}
	if found == nil {
		return []Finding{{CheckHealth, Good, "Meta sees nothing in the way of messages.", ""}}
	}
	return found
}

var healthGrades = map[string]Grade{"LIMITED": Doubtful, "BLOCKED": Wrong}

func entityName(entity string) string {
	name, known := map[string]string{
		"PHONE_NUMBER": "The phone number", "WABA": "The WhatsApp account", "BUSINESS": "The business", "APP": "The app",
	}[entity]
	if !known {
		return entity
	}
	return name
}

// codePayment is the reason of an account whose payment method is missing or
// does not work. Meta: messaging health status.
const codePayment = 141006

// explain gives the reasons in a sentence and what to do. Meta lists reasons
// that concern calls alone among them.
func (h Health) explain() (reasons, cure string) {
	said := slices.Clone(h.Notes)
	cure = cureManager
	for _, r := range h.Reasons {
		code := r.Code.Int()
		if code >= 138000 && code <= 138999 {
			continue
		}
		said = append(said, r.Description)
		if r.Solution != "" {
			cure = sentence(r.Solution)
		}
		if code == codePayment {
			cure = curePayment
		}
	}
	if len(said) == 0 {
		return "Meta gives no reason.", cure
	}
	return sentence(strings.Join(said, " ")), cure
}

// unseen is the finding of a check that has no answer. A bad token is found by
// its own check, and only hinted at here.
func unseen(check string, grade Grade, err error) Finding {
	var refused *Error
	switch {
	case !errors.As(err, &refused):
		return Finding{check, grade, "Meta could not be asked: " + sentence(err.Error()), cureReach}
	case refused.isAboutToken():
		return Finding{check, Doubtful, "Not checked, since Meta does not take the access token.", cureFirst}
	}
	cure := Advise(refused).Cure
	if cure == "" {
		cure = "Try again in some minutes."
	}
	return Finding{check, grade, "Meta does not tell: " + sentence(refused.Error()), cure}
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return "no reason is given."
	}
	return strings.TrimRight(text, ".") + "."
}
