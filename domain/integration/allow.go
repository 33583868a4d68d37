package integration

import "strings"

// Admits says whether a sender may write, by the integration's allowFrom list.
//
// The list is separated by commas and newlines and compared by digits only.
// "*" admits everyone; entries outside 7–15 digits count for nothing; a list
// with nothing valid, or none, admits nobody. Senders without a phone number
// are admitted by "*" alone. Spec: "Queue and session semantics".
func Admits(allowFrom *string, sender string) bool {
	if allowFrom == nil {
		return false
	}
	wanted := digits(sender)
	if strings.ContainsFunc(sender, isLetter) {
		wanted = "" // a user ID, not a phone number
	}
	for entry := range strings.FieldsFuncSeq(*allowFrom, isSeparator) {
		entry = strings.TrimSpace(entry)
		if entry == "*" {
			return true
		}
		if d := digits(entry); len(d) >= 7 && len(d) <= 15 && d == wanted {
			return true
		}
	}
	return false
}

func isSeparator(r rune) bool { return r == ',' || r == '\n' || r == '\r' }

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
