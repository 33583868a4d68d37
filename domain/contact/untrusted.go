package contact

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"parley/domain"
)

// untrusted is the namespace of the fingerprints that derive from what somebody
// says about themselves. It never changes, and is another than that of proved
// identifiers: the same words never lead to a contact that was proved.
const untrusted = "83eac369-0401-4a2c-992f-dd9b914420af"

// Untrusted is the fingerprint of a contact about whom nothing is proved: a
// UUID of version 5 that derives from name, email, phone and nick. Who says the
// same again is the same contact. Refused are a phone number that is none, and
// changes that tell nothing of the four.
// Spec: "Conversations, messages, contacts", ensure.
func (c Changes) Untrusted() (string, error) {
	number, err := phone(c.Phone.Value)
	if err != nil {
		return "", err
	}
	said := slices.DeleteFunc([]string{c.Name.Value, c.Email.Value, number, c.Nick.Value}, func(s string) bool { return s == "" })
	if len(said) == 0 {
		return "", domain.Refused(domain.Invalid, "fingerprint",
			`"fingerprint" is needed, or at least one of "name", "email", "phone" and "nick"`)
	}
	slices.Sort(said)
	four := append(said, make([]string, 4-len(said))...)
	return uuid.NewSHA1(uuid.MustParse(untrusted), []byte(strings.Join(four, ";"))).String(), nil
}
