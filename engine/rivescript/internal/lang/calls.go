package lang

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"parley/engine"
)

// ParseCall reads the text between <call> and </call>, also as Compile wrote
// it. The acts that need a text besides (buttons, a list, a request for the
// location) come without it.
func ParseCall(text string) (engine.Act, error) {
	text = unhide.Replace(text)
	words, err := splitWords(text)
	if err != nil {
		return nil, fmt.Errorf("<call>%s: %w", text, err)
	}
	if len(words) == 0 {
		return nil, errors.New("<call> without a name")
	}
	read, ok := calls[words[0]]
	if !ok {
		return nil, fmt.Errorf("<call>%s: there is no call of that name", words[0])
	}
	act, err := read(words[1:])
	if err != nil {
		return nil, fmt.Errorf("<call>%s: %w", words[0], err)
	}
	return act, nil
}

// calls are all the calls there are.
var calls = map[string]func(args []string) (engine.Act, error){
	"buttons":          readButtons,
	"list":             readList,
	"ask-location":     readAskLocation,
	"location":         readLocationCall,
	"progress":         readProgress,
	"new-conversation": readNewConversation,
}

func readButtons(args []string) (engine.Act, error) {
	var b engine.Buttons
	for _, arg := range args {
		if footer, ok := strings.CutPrefix(arg, "footer:"); ok {
			b.Footer = footer
			continue
		}
		title, id, _ := strings.Cut(arg, "|")
		b.Buttons = append(b.Buttons, choice(title, id))
	}
	if len(b.Buttons) == 0 {
		return nil, errors.New("there must be at least one button")
	}
	return b, nil
}

// choice fills in the ID, which is the title when none is given.
func choice(title, id string) engine.Button {
	title, id = strings.TrimSpace(title), strings.TrimSpace(id)
	if id == "" {
		id = title
	}
	return engine.Button{ID: id, Title: title}
}

func readList(args []string) (engine.Act, error) {
	l := engine.List{Button: "Menu"}
	for _, arg := range args {
		option, value, _ := strings.Cut(arg, ":")
		switch option {
		case "header":
			l.Header = value
		case "footer":
			l.Footer = value
		case "button":
			l.Button = value
		case "section":
			l.Sections = append(l.Sections, engine.Section{Title: value})
		default:
			addRow(&l, arg)
		}
	}
	if len(engine.Choices(l)) == 0 {
		return nil, errors.New("there must be at least one row")
	}
	return l, nil
}

func addRow(l *engine.List, arg string) {
	if len(l.Sections) == 0 {
		l.Sections = append(l.Sections, engine.Section{})
	}
	title, rest, _ := strings.Cut(arg, "|")
	description, id, _ := strings.Cut(rest, "|")
	c := choice(title, id)
	section := &l.Sections[len(l.Sections)-1]
	section.Rows = append(section.Rows, engine.Row{ID: c.ID, Title: c.Title, Description: strings.TrimSpace(description)})
}

func readAskLocation(args []string) (engine.Act, error) {
	if len(args) > 1 {
		return nil, errors.New("it takes the text of the button and nothing else")
	}
	return engine.AskLocation{Button: strings.Join(args, "")}, nil
}

func readLocationCall(args []string) (engine.Act, error) {
	if len(args) < 2 || len(args) > 4 {
		return nil, errors.New("it takes latitude, longitude and, if you like, a name and an address")
	}
	lat, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no latitude", args[0])
	}
	lon, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no longitude", args[1])
	}
	args = append(slices.Clone(args), "", "")
	place := engine.ShareLocation{Latitude: lat, Longitude: lon, Name: args[2], Address: args[3]}
	return place, place.Check()
}

func readProgress(args []string) (engine.Act, error) {
	p := engine.Progress{Text: strings.Join(args, " ")}
	return p, p.Check()
}

func readNewConversation(args []string) (engine.Act, error) {
	if len(args) > 0 {
		return nil, errors.New("it takes nothing")
	}
	return engine.NewConversation{}, nil
}

// splitWords cuts at blanks that are not between double quotes.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quoted := false, false
	for _, r := range s {
		switch {
		case r == '"':
			quoted, inWord = !quoted, true
		case r == ' ' && !quoted:
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quoted {
		return nil, errors.New("a quotation mark is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
