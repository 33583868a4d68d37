package contact

import (
	"cmp"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"parley/domain"
	"parley/events"
)

// The bounds of what identifies a contact.
const (
	MinFingerprint = 16  // characters
	MaxFingerprint = 255 // characters
	MaxEmail       = 254 // bytes. RFC 5321: size limits, path
)

// Changes is a partial update of the settings. What is not set stays.
type Changes struct {
	// Fingerprint belongs to a contact that is made. It cannot be changed
	// later, and may be repeated.
	Fingerprint domain.Opt[string] `msgpack:"fp"`
	Name        domain.Opt[string] `msgpack:"nm"`
	Description domain.Opt[string] `msgpack:"ds"`
	Email       domain.Opt[string] `msgpack:"em"`
	// Phone is a number with a plus sign and its country code. It is stored
	// without the signs that people put between the digits.
	Phone       domain.Opt[string]         `msgpack:"ph"`
	Nick        domain.Opt[string]         `msgpack:"nk"`
	Preferences domain.Opt[string]         `msgpack:"pr"`
	VerifiedAt  domain.Opt[events.Instant] `msgpack:"va"`
	// Meta is a JSON object whose keys are merged into what is stored.
	Meta []byte `msgpack:"mt"`
}

// apply gives the settings after the changes, or the first refusal.
func (c Changes) apply(s events.ContactSettings) (events.ContactSettings, error) {
	if c.Fingerprint.Or(s.Fingerprint) != s.Fingerprint {
		return s, domain.Refused(domain.Invalid, "fingerprint", `"fingerprint" cannot be changed: create another contact`)
	}
	s.Name = c.Name.Or(s.Name)
	s.Description = c.Description.Or(s.Description)
	s.Email = c.Email.Or(s.Email)
	s.Nick = c.Nick.Or(s.Nick)
	s.Preferences = c.Preferences.Or(s.Preferences)
	s.VerifiedAt = c.VerifiedAt.Or(s.VerifiedAt)
	var err error
	if c.Phone.Set {
		if s.Phone, err = phone(c.Phone.Value); err != nil {
			return s, err
		}
	}
	if s.Meta, err = domain.MergeMeta(s.Meta, c.Meta); err != nil {
		return s, err
	}
	return s, check(s)
}

func check(s events.ContactSettings) error {
	return cmp.Or(
		domain.CheckText("fingerprint", s.Fingerprint, MaxFingerprint),
		domain.CheckText("name", s.Name, domain.MaxName),
		domain.CheckText("description", s.Description, domain.MaxDescription),
		domain.CheckText("nick", s.Nick, domain.MaxName),
		domain.CheckText("preferences", s.Preferences, domain.MaxDescription),
		checkFingerprint(s.Fingerprint),
		checkVerifiedAt(s.VerifiedAt),
		checkEmail(s.Email),
	)
}

func checkFingerprint(fingerprint string) error {
	if utf8.RuneCountInString(fingerprint) >= MinFingerprint {
		return nil
	}
	return domain.Refused(domain.Invalid, "fingerprint",
		fmt.Sprintf(`"fingerprint" must have at least %d characters`, MinFingerprint))
}

func checkVerifiedAt(at events.Instant) error {
	if at >= 0 {
		return nil
	}
	return domain.Refused(domain.Invalid, "verifiedAt", `"verifiedAt" must not be before 1970`)
}

// checkEmail refuses what is no bare e-mail address. None is fine.
func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > MaxEmail {
		return domain.Refused(domain.Invalid, "email", `"email" must be an e-mail address like ada@example.com`)
	}
	return nil
}

// phone gives a phone number in the form that is stored. None is fine.
func phone(number string) (string, error) {
	bare := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -().", r) {
			return -1
		}
		return r
	}, number)
	if number != "" && !isE164(bare) {
		return "", domain.Refused(domain.Invalid, "phone",
			`"phone" must be a plus sign, the country code and the number, like +15551234567`)
	}
	return bare, nil
}

// isE164 reports that a text is a plus sign and 7 to 15 digits, of which the
// first is not 0. E.164: international number structure.
func isE164(text string) bool {
	digits, ok := strings.CutPrefix(text, "+")
	if !ok || len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}
