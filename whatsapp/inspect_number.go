package whatsapp

import (
	"errors"
	"fmt"
	"strings"
)

// judgeNumber looks at the number itself.
func (s *sight) judgeNumber(meant Setup) []Finding {
	n, err := s.number.value, s.number.err
	var refused *Error
	if errors.As(err, &refused) && refused.Code == 100 && refused.Subcode == 33 {
		return []Finding{s.invisible(meant.PhoneNumberID)}
	}
	if err != nil {
		return []Finding{unseen(CheckNumber, Wrong, err)}
	}
	found := []Finding{{CheckNumber, Good, fmt.Sprintf("The token sees the number %s of %q.", shortened(n.Display), n.VerifiedName), ""}}
	if n.Mode == "SANDBOX" {
		found[0] = Finding{CheckNumber, Doubtful, "The number " + shortened(n.Display) + " is a test number, which only writes to its list of allowed recipients.", "Add those whom you test with in Meta's API Setup page; take a number of your own for everybody."}
	}
	return append(found, n.connection(), n.name(), n.reputation())
}

// invisible is what is found of a number that the token does not see.
func (s *sight) invisible(id string) Finding {
	message := "The token sees no phone number with the ID " + id
	if isPhoneNumber(id) {
		message += ", which looks like the phone number itself"
	}
	if accounts := s.grant.value.Targets[scopeManagement]; len(accounts) > 0 {
		message += "; it is good for these WhatsApp accounts: " + strings.Join(accounts, ", ")
	}
	return Finding{CheckNumber, Wrong, message + ".", cureNumberID}
}

// connection tells whether the number can be used through this API.
// Meta: business phone numbers, status and platform type.
func (n PhoneNumber) connection() Finding {
	f := Finding{Check: CheckConnection, Grade: Wrong}
	switch {
	case n.Platform != "" && n.Platform != "CLOUD_API":
		f.Message, f.Cure = "The number is not registered with the Cloud API: its platform is "+n.Platform+".", cureSignup
	case n.Status == "BANNED", n.Status == "RESTRICTED":
		f.Message, f.Cure = "Meta has restricted the number: its status is "+n.Status+".", cureAccount
	case n.Status == "FLAGGED", n.Status == "RATE_LIMITED":
		f.Grade, f.Message, f.Cure = Doubtful, "The number is connected but slowed: its status is "+n.Status+".", curePolicy
	case n.Status != "" && n.Status != "CONNECTED":
		f.Message, f.Cure = "The number is not connected: its status is "+n.Status+".", cureSignup
	case n.Verification == "NOT_VERIFIED" && n.Mode != "SANDBOX":
		f.Grade, f.Message, f.Cure = Doubtful, "The number is connected, but nobody has verified whose it is.", cureVerify
	default: // a verification that expired does no harm to a connected number
		f.Grade, f.Message = Good, "The number is connected with the Cloud API."
	}
	return f
}

// name tells whether people see the number's name.
// Meta: display names, status.
func (n PhoneNumber) name() Finding {
	switch n.NameStatus {
	case "DECLINED", "EXPIRED", "NONE", "PENDING_REVIEW":
		return Finding{CheckDisplayName, Doubtful, "The display name is not approved: its status is " + n.NameStatus + ".", cureName}
	}
	return Finding{CheckDisplayName, Good, "Nothing is wrong with the display name.", ""}
}

// reputation tells what people think of the number.
// Meta: messaging quality.
func (n PhoneNumber) reputation() Finding {
	switch n.Quality {
	case "YELLOW", "RED":
		return Finding{CheckQuality, Doubtful, "Meta rates the number's quality " + n.Quality + ".", curePolicy}
	case "GREEN":
		return Finding{CheckQuality, Good, "Meta rates the number's quality GREEN.", ""}
	}
	return Finding{CheckQuality, Good, "Meta does not rate the number's quality yet.", ""}
}
