package rivescript

import (
	"regexp"
	"strconv"
	"strings"

	"parley/engine"
)

// maxInput is how much of a message is compared, in bytes.
const maxInput = 1024

// input is a user's message as the script sees it.
type input struct {
	text string
	// vars are variables that the message sets.
	vars map[string]string
}

var (
	selectionForm = regexp.MustCompile(`(?s)^\[selection (?:button|list) id=(.*?)\] (.*)$`)
	locationForm  = regexp.MustCompile(`(?s)^\[location lat=(\S+) lon=(\S+)(.*)\]$`)
	locationPart  = regexp.MustCompile(`(name|address)="((?:[^"\\]|\\.)*)"`)
)

// readInput reads the forms in which taps and locations come. choices are the
// numbered ones that the user saw last: a number stands for its title.
func readInput(m engine.Message, choices []engine.Button) input {
	text := strings.TrimSpace(m.Text)
	if text == "" {
		return input{text: "file shared"}
	}
	if f := selectionForm.FindStringSubmatch(text); f != nil {
		return input{text: f[2], vars: map[string]string{"selection": f[1]}}
	}
	if f := locationForm.FindStringSubmatch(text); f != nil {
		return readLocation(f[1], f[2], f[3])
	}
	n, err := strconv.Atoi(strings.TrimRight(text, ".)"))
	if err == nil && n >= 1 && n <= len(choices) {
		chosen := choices[n-1]
		return input{text: chosen.Title, vars: map[string]string{"selection": chosen.ID}}
	}
	return input{text: text}
}

func readLocation(lat, lon, rest string) input {
	in := input{text: "location shared", vars: map[string]string{"lat": lat, "lon": lon, "place": "", "address": ""}}
	for _, part := range locationPart.FindAllStringSubmatch(rest, -1) {
		name := part[1]
		if name == "name" {
			name = "place"
		}
		in.vars[name] = strings.ReplaceAll(part[2], `\"`, `"`)
	}
	return in
}
