package whatsapp

import "strings"

// The codes by which Meta refuses a number that may be reachable in another
// form. Meta: error codes; the form was seen to matter.
const (
	CodeUndeliverable = 131026
	CodeNotAllowed    = 131030
)

// variants are the two forms in which some countries' mobile numbers are
// written: with and without digits after the country code, for numbers of so
// many digits in all.
var variants = []struct {
	country, extra string
	area           int // digits between the country code and the extra ones
	long           int
}{
	{"55", "9", 2, 13}, // Brazil
	{"54", "9", 0, 13}, // Argentina
	{"52", "1", 0, 13}, // Mexico
}

// Other is the other form of a phone number that has two. Reply to the form
// that Meta gave, and try the other one only when that is refused.
func (a Address) Other() (Address, bool) {
	for _, v := range variants {
		rest, ok := strings.CutPrefix(a.phone, v.country)
		if !ok {
			continue
		}
		switch {
		case len(a.phone) == v.long && strings.HasPrefix(rest[v.area:], v.extra):
			return Address{phone: v.country + rest[:v.area] + rest[v.area+len(v.extra):]}, true
		case len(a.phone) == v.long-len(v.extra):
			return Address{phone: v.country + rest[:v.area] + v.extra + rest[v.area:]}, true
		}
	}
	return Address{}, false
}
