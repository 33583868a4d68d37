package blueprint

import (
	"fmt"

	"parley/domain"
)

// Speaker gives the bot that answers for an integration which has the blueprint
// but no bot of its own: the blueprint's only one. bots is how many bots it has,
// first is one of them. The refusal tells a person why nobody answers.
//
// Spec: "Decisions to confirm", D1.
func Speaker(bots int, first string) (string, error) {
	switch bots {
	case 0:
		return "", domain.Refused(domain.Invalid, "botId", "the blueprint has no bot")
	case 1:
		return first, nil
	}
	return "", domain.Refused(domain.Invalid, "botId", fmt.Sprintf("the blueprint has %d bots", bots))
}
