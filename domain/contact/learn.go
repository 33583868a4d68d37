package contact

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"parley/domain"
	"parley/events"
)

// Learn takes in what a message tells about who wrote it. It makes the contact
// if there is none, or none any more; it adds a name, a phone number and user
// IDs that were not known, and keeps the newest username. It is never refused
// to the contact's owner for what the message tells.
type Learn struct {
	// Fingerprint is the one that the contact's ID derives from.
	Fingerprint string        `msgpack:"fp"`
	Who         events.Person `msgpack:"wh"`
}

// Identifier is what a person is known by who writes from a phone number, in
// digits: the number with a plus sign, for example "+15551234567". There is
// none without a number. A user ID is an identifier as it is.
func Identifier(phone string) string {
	if phone == "" {
		return ""
	}
	return "+" + phone
}

// namespace is that of the fingerprints that derive from identifiers. It never
// changes. Spec: "Conversations, messages, contacts".
const namespace = "024f30fa-decd-495f-820a-308825f979d8"

// Fingerprint is the fingerprint of a contact that is first known by an
// identifier: a UUID of version 5.
func Fingerprint(identifier string) string {
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(identifier)).String()
}

func learn(s State, c domain.Command, body Learn) []events.Event {
	known := s.Settings
	if !s.Exists {
		known = events.ContactSettings{
			Fingerprint: body.Fingerprint, VerifiedAt: c.At, Meta: []byte(`{"app":"whatsapp"}`),
		}
	}
	settings, news := add(known, body.Who)
	switch {
	case !s.Exists:
		return []events.Event{events.ContactCreated{Account: c.Account, Settings: settings}}
	case news:
		return []events.Event{events.ContactUpdated{Settings: settings}}
	}
	return nil
}

// add completes the settings by what is known about a person, and reports
// whether any of it is news.
func add(s events.ContactSettings, who events.Person) (_ events.ContactSettings, news bool) {
	if name := tidy(who.Name); s.Name == "" && name != "" {
		s.Name, news = name, true
	}
	if number := Identifier(who.Phone); s.Phone == "" && isE164(number) {
		s.Phone, news = number, true
	}
	if who.UserID != "" && !slices.Contains(s.UserIDs, who.UserID) {
		s.UserIDs, news = append(slices.Clip(s.UserIDs), who.UserID), true
	}
	if name := tidy(who.Username); name != "" && name != s.Username {
		s.Username, news = name, true
	}
	return s, news
}

// tidy makes a text that a stranger chose one that may be stored.
func tidy(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
	if runes := []rune(text); len(runes) > domain.MaxName {
		return string(runes[:domain.MaxName])
	}
	return text
}
