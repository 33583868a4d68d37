package whatsapp

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// veil makes texts fit to be pasted in public.
type veil struct {
	// secrets are masked, numbers shortened.
	secrets, numbers []string
}

// over masks the secrets, whatever looks like an access token, and the
// passwords and parameters of addresses; shortens phone numbers; and puts
// everything on one line.
func (v veil) over(text string) string {
	for _, secret := range v.secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, mask)
			}
		}
	}
	text = tokenLike.ReplaceAllString(text, mask)
	text = addressLike.ReplaceAllStringFunc(text, shownURL)
	text = numberLike.ReplaceAllStringFunc(text, shortened)
	for _, number := range v.numbers {
		for _, form := range []string{number, digitsOf(number)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, shortened(number))
			}
		}
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

var (
	// Meta: access tokens of the Graph API begin with these letters.
	tokenLike   = regexp.MustCompile(`\bEAA[0-9A-Za-z_-]{8,}`)
	addressLike = regexp.MustCompile(`\bhttps?://[^\s"'<>]*[^\s"'<>.,;:!?()]`)
	numberLike  = regexp.MustCompile(`\+[0-9][0-9 ().\x{a0}-]{4,}[0-9]`)
)

// isPhoneNumber reports that what should be a phone number ID is too short for
// one: people mistake the one for the other.
func isPhoneNumber(id string) bool { return len(digitsOf(id)) < 14 }

// shortened is a phone number that only its owner recognizes.
func shortened(number string) string {
	digits := digitsOf(number)
	return "…" + digits[max(0, len(digits)-4):]
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// shownURL is an address without what may be secret in it.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return mask
	}
	shown := u.Scheme + "://"
	if u.User != nil {
		shown += mask + "@"
	}
	shown += u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		shown += "?" + mask
	}
	return shown
}
