package integration

import (
	"cmp"

	"parley/domain"
	"parley/events"
)

// MaxSessionMillis bounds the session duration: one month. Spec: "Limits".
const MaxSessionMillis = 2_628_000_000

// DefaultSessionMillis is the session duration of an integration that sets
// none: one day.
const DefaultSessionMillis = int64(domain.Day / 1e6)

// Changes is a partial update of the settings. What is not set stays.
type Changes struct {
	Alias             domain.Opt[string]  `msgpack:"al"`
	Name              domain.Opt[string]  `msgpack:"nm"`
	Description       domain.Opt[string]  `msgpack:"ds"`
	BotID             domain.Opt[string]  `msgpack:"bo"`
	BlueprintID       domain.Opt[string]  `msgpack:"bl"`
	PhoneNumberID     domain.Opt[string]  `msgpack:"pn"`
	AccessToken       domain.Opt[string]  `msgpack:"at"` // a reference
	AppSecret         domain.Opt[string]  `msgpack:"as"` // a reference
	ContactCollection domain.Opt[bool]    `msgpack:"cc"`
	Attachments       domain.Opt[bool]    `msgpack:"am"`
	SessionMillis     domain.Opt[*int64]  `msgpack:"sd"`
	AllowFrom         domain.Opt[*string] `msgpack:"af"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// apply gives the settings after the changes, or the first refusal.
func (c Changes) apply(s events.IntegrationSettings) (events.IntegrationSettings, error) {
	s.Alias = c.Alias.Or(s.Alias)
	s.Name = c.Name.Or(s.Name)
	s.Description = c.Description.Or(s.Description)
	s.BotID = c.BotID.Or(s.BotID)
	s.BlueprintID = c.BlueprintID.Or(s.BlueprintID)
	s.PhoneNumberID = c.PhoneNumberID.Or(s.PhoneNumberID)
	s.AccessToken = c.AccessToken.Or(s.AccessToken)
	s.AppSecret = c.AppSecret.Or(s.AppSecret)
	s.ContactCollection = c.ContactCollection.Or(s.ContactCollection)
	s.Attachments = c.Attachments.Or(s.Attachments)
	s.SessionMillis = c.SessionMillis.Or(s.SessionMillis)
	s.AllowFrom = c.AllowFrom.Or(s.AllowFrom)
	meta, err := domain.MergeMeta(s.Meta, c.Meta)
	if err != nil {
		return s, err
	}
	s.Meta = meta
	return s, check(s)
}

func check(s events.IntegrationSettings) error {
	if s.SessionMillis != nil && (*s.SessionMillis < 0 || *s.SessionMillis > MaxSessionMillis) {
		return domain.Refused(domain.Invalid, "sessionDuration",
			`"sessionDuration" must be between 0 and 2628000000 milliseconds`)
	}
	allow := ""
	if s.AllowFrom != nil {
		allow = *s.AllowFrom
	}
	return cmp.Or(
		domain.CheckText("name", s.Name, domain.MaxName),
		domain.CheckText("description", s.Description, domain.MaxDescription),
		domain.CheckText("phoneNumberId", s.PhoneNumberID, domain.MaxAlias),
		domain.CheckText("allowFrom", allow, domain.MaxDescription),
		domain.CheckAlias(s.Alias),
	)
}

// Ready refuses settings that cannot send messages yet, and says what is
// missing. Spec: "WhatsApp integration", setup.
func Ready(s events.IntegrationSettings) error {
	switch {
	case s.PhoneNumberID == "":
		return domain.Refused(domain.Conflict, "phoneNumberId", "No phone number ID found")
	case !isDigits(s.PhoneNumberID):
		return domain.Refused(domain.Conflict, "phoneNumberId",
			"The phone number ID must be digits: copy it from Meta's API Setup page, it is not the phone number")
	case s.AccessToken == "":
		return domain.Refused(domain.Conflict, "accessToken", "No access token found")
	}
	return nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Lifetime is how long a session lives after its last message, in
// milliseconds; 0 ends it with every message.
func Lifetime(s events.IntegrationSettings) int64 {
	if s.SessionMillis == nil {
		return DefaultSessionMillis
	}
	return *s.SessionMillis
}
