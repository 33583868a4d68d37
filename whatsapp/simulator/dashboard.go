package simulator

import "time"

// Dashboard is what an operator has arranged at Meta for a number. It only
// answers those who check it: messages and webhooks flow whatever it says.
type Dashboard struct {
	// AppID is the app that the access token was made for, TokenKind whose it
	// is. Expires is zero for never.
	AppID, TokenKind string
	Expires          time.Time
	// Scopes are the token's permissions, and Targets the accounts that they are
	// limited to; a permission without any is not limited.
	Scopes  []string
	Targets map[string][]string
	// Subscribed are the IDs of the apps that get the account's webhooks.
	Subscribed []string
	// Callback is the app's, and AccountCallback and NumberCallback override it.
	// Fields are those that the app is subscribed to.
	Callback, AccountCallback, NumberCallback string
	Fields                                    []string
	// Name is the verified one; the rest are Meta's words for the number's state.
	Name, Status, Platform, Mode, Verification, NameStatus, Quality string
	// Ailing are those that do not let all messages through, by "PHONE_NUMBER",
	// "WABA", "BUSINESS" or "APP".
	Ailing map[string]Ailing
}

// Ailing is why something does not let all messages through.
type Ailing struct {
	// CanSend is "LIMITED" or "BLOCKED". Note explains the one, Code and
	// Description the other.
	CanSend           string
	Note, Description string
	Code              int
}

// DefaultApp is the ID of the app that numbers belong to.
const DefaultApp = "634974688087057"

// arranged is a dashboard with nothing wrong in it.
func arranged(n Number) Dashboard {
	limit := []string{n.WABAID}
	return Dashboard{
		AppID: DefaultApp, TokenKind: "SYSTEM_USER",
		Scopes:     []string{"whatsapp_business_management", "whatsapp_business_messaging", "public_profile"},
		Targets:    map[string][]string{"whatsapp_business_management": limit, "whatsapp_business_messaging": limit},
		Subscribed: []string{DefaultApp}, Callback: n.Callback, Fields: []string{"messages"},
		Name: "Simulated Shop", Status: "CONNECTED", Platform: "CLOUD_API", Mode: "LIVE",
		Verification: "VERIFIED", NameStatus: "APPROVED", Quality: "GREEN",
	}
}

// Arrange changes a connected number's dashboard, which begins with nothing
// wrong in it. What was changed before stays changed.
func (s *Simulator) Arrange(numberID string, change func(*Dashboard)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[numberID]
	if n == nil {
		return
	}
	if n.dashboard == nil {
		d := arranged(n.Number)
		n.dashboard = &d
	}
	change(n.dashboard)
}

// view is the number's dashboard as it stands.
func (n *number) view() Dashboard {
	if n.dashboard == nil {
		return arranged(n.Number)
	}
	return *n.dashboard
}

func (d Dashboard) expired() bool { return !d.Expires.IsZero() && !time.Now().Before(d.Expires) }
