package engine

import (
	"fmt"
	"strings"
)

// Plain is an act as text, for a channel that cannot show it: choices are
// numbered from 1 in the order of Choices. It is empty for acts that have
// nothing to say to the user.
func Plain(a Act) string {
	switch a := a.(type) {
	case Say:
		return a.Text
	case Progress:
		return a.Text
	case AskLocation:
		return a.Prompt
	case Buttons:
		return paragraphs(a.Body, numbered(Choices(a), 1), a.Footer)
	case List:
		return paragraphs(a.Header, a.Body, plainSections(a.Sections), a.Footer)
	case ShareLocation:
		return lines(a.Name, a.Address, fmt.Sprintf("%g, %g", a.Latitude, a.Longitude))
	default:
		return ""
	}
}

// Choices are what the user can choose from in an act, in order. The titles
// are as shown; descriptions are left out.
func Choices(a Act) []Button {
	switch a := a.(type) {
	case Buttons:
		return a.Buttons
	case List:
		var choices []Button
		for _, s := range a.Sections {
			for _, r := range s.Rows {
				choices = append(choices, Button{ID: r.ID, Title: r.Title})
			}
		}
		return choices
	default:
		return nil
	}
}

func plainSections(sections []Section) string {
	var parts []string
	next := 1
	for _, s := range sections {
		var rows []Button
		for _, r := range s.Rows {
			title := r.Title
			if r.Description != "" {
				title += " – " + r.Description
			}
			rows = append(rows, Button{Title: title})
		}
		parts = append(parts, lines(s.Title, numbered(rows, next)))
		next += len(rows)
	}
	return paragraphs(parts...)
}

func numbered(choices []Button, first int) string {
	var rows []string
	for i, c := range choices {
		rows = append(rows, fmt.Sprintf("%d. %s", first+i, c.Title))
	}
	return lines(rows...)
}

func lines(parts ...string) string { return joinFilled("\n", parts) }

func paragraphs(parts ...string) string { return joinFilled("\n\n", parts) }

func joinFilled(separator string, parts []string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, separator)
}
