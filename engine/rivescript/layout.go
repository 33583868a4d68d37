package rivescript

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"parley/engine"
)

// A reply is a text with marks in it, one where each act belongs. Marks are
// private-use characters, which no script and no user can write (see clean).
const (
	markOpen  = "\uE000"
	markClose = "\uE001"
)

var markForm = regexp.MustCompile(markOpen + `(\d+)` + markClose)

func mark(i int) string { return markOpen + strconv.Itoa(i) + markClose }

func unmarked(reply string) string { return markForm.ReplaceAllString(reply, "") }

// layout turns a reply into acts. Acts that need a text take the one in front
// of them.
func (s *session) layout(reply string) ([]engine.Act, error) {
	var acts []engine.Act
	say := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			acts = append(acts, engine.Say{Text: text})
		}
	}
	rest := reply
	for {
		at := markForm.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		before, number := rest[:at[0]], rest[at[2]:at[3]]
		rest = rest[at[1]:]
		i, err := strconv.Atoi(number)
		if err != nil || i >= len(s.acts) {
			return nil, fmt.Errorf("a mark %q that nobody made", number)
		}
		act, took, err := withBody(s.acts[i], strings.TrimSpace(before))
		if err != nil {
			return nil, err
		}
		if !took {
			say(before)
		}
		if act = s.fit(act); act != nil {
			acts = append(acts, act)
		}
	}
	say(rest)
	if len(acts) > maxActs {
		return nil, &engine.Error{Reason: fmt.Sprintf("the bot's script answers with %d messages, at most %d are allowed", len(acts), maxActs)}
	}
	return acts, nil
}

// withBody gives an act the text in front of it, if it takes one.
func withBody(act engine.Act, text string) (with engine.Act, took bool, err error) {
	switch a := act.(type) {
	case engine.Buttons:
		a.Body = text
		return a, true, nil
	case engine.List:
		a.Body = text
		return a, true, nil
	case engine.AskLocation:
		a.Prompt = text
		if text == "" {
			err = &engine.Error{Reason: "the bot's script", Err: errors.New("<call>ask-location needs a text in front of it")}
		}
		return a, true, err
	default:
		return act, false, nil
	}
}

// fit returns the act as the channel can show it: choices that it cannot show,
// or that WhatsApp would refuse, become numbered text. What cannot be said
// either is nil.
func (s *session) fit(act engine.Act) engine.Act {
	shown := false
	switch a := act.(type) {
	case engine.Buttons:
		shown = s.abilities.Buttons && a.Check() == nil
	case engine.List:
		shown = s.abilities.Lists && a.Check() == nil
	case engine.AskLocation:
		shown = s.abilities.Location && a.Check() == nil
	case engine.ShareLocation:
		shown = s.abilities.Location
	case engine.Progress:
		if !s.abilities.Progress {
			return nil
		}
		shown = true
	case engine.NewConversation:
		if !s.abilities.NewConversation {
			return nil
		}
		shown = true
	}
	if shown {
		return act
	}
	if choices := engine.Choices(act); len(choices) > 0 {
		s.memory.Choices = choices
	}
	return engine.Say{Text: engine.Plain(act)}
}
