package engine

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// What WhatsApp takes. Texts are counted in UTF-16 units, the strictest of the
// readings that Meta leaves open.
const (
	// MaxButtons is how many buttons one message shows. Meta: interactive reply buttons, 3.
	MaxButtons = 3
	// MaxRows is how many rows one list shows in all its sections. Meta: interactive list, 10.
	MaxRows = 10

	maxButtonTitle  = 20   // Meta: interactive reply buttons, title 20; interactive list, button 20
	maxButtonID     = 256  // Meta: interactive reply buttons, id 256
	maxSectionTitle = 24   // Meta: interactive list, section title 24
	maxRowTitle     = 24   // Meta: interactive list, row title 24
	maxRowID        = 200  // Meta: interactive list, row id 200
	maxDescription  = 72   // Meta: interactive list, row description 72
	maxHeader       = 60   // Meta: interactive list, header text 60
	maxFooter       = 60   // Meta: interactive, footer 60
	maxBody         = 1024 // Meta: interactive reply buttons, location request, body 1024
	maxListBody     = 4096 // Meta: interactive list, body 4096
	maxText         = 4096 // Meta: text messages, body 4096
)

// Check reports the first reason why WhatsApp would refuse the buttons. It is
// worded for whoever wrote them.
func (b Buttons) Check() error { return b.check(MaxButtons) }

// check is Check for a channel that shows so many choices, if not as buttons.
func (b Buttons) check(most int) error {
	c := checker{}
	c.text("body", b.Body, maxBody)
	c.optional("footer", b.Footer, maxFooter)
	c.that(len(b.Buttons) > 0, "buttons must hold at least one button")
	c.that(len(b.Buttons) <= most, "buttons holds %d buttons, at most %d are shown", len(b.Buttons), most)
	for i, button := range b.Buttons {
		at := fmt.Sprintf("buttons[%d]", i)
		c.text(at+".title", button.Title, maxButtonTitle)
		c.text(at+".id", button.ID, maxButtonID)
		c.unique(at+".title", button.Title)
		c.unique(at+".id", button.ID)
	}
	return c.err
}

// Check reports the first reason why WhatsApp would refuse the list. It is
// worded for whoever wrote it.
func (l List) Check() error {
	c := checker{}
	c.text("body", l.Body, maxListBody)
	c.text("buttonText", l.Button, maxButtonTitle)
	c.optional("header", l.Header, maxHeader)
	c.optional("footer", l.Footer, maxFooter)
	rows := 0
	for i, section := range l.Sections {
		at := fmt.Sprintf("sections[%d]", i)
		c.optional(at+".title", section.Title, maxSectionTitle)
		c.that(len(l.Sections) == 1 || section.Title != "", "%s.title must not be empty when there are several sections", at)
		c.that(len(section.Rows) > 0, "%s.rows must hold at least one row", at)
		rows += len(section.Rows)
		for j, row := range section.Rows {
			c.row(fmt.Sprintf("%s.rows[%d]", at, j), row)
		}
	}
	c.that(rows > 0, "sections must hold at least one row")
	c.that(rows <= MaxRows, "sections hold %d rows, at most %d fit in one list", rows, MaxRows)
	return c.err
}

func (c *checker) row(at string, r Row) {
	c.text(at+".title", r.Title, maxRowTitle)
	c.text(at+".id", r.ID, maxRowID)
	c.optional(at+".description", r.Description, maxDescription)
	c.unique(at+".id", r.ID)
}

// Check reports why WhatsApp would refuse the request.
func (a AskLocation) Check() error {
	c := checker{}
	c.text("prompt", a.Prompt, maxBody)
	return c.err
}

// Check reports that there is nothing to tell.
func (p Progress) Check() error {
	c := checker{}
	c.text("progress", p.Text, maxText)
	return c.err
}

// Check reports why the place cannot be on a map.
func (s ShareLocation) Check() error {
	c := checker{}
	c.that(s.Latitude >= -90 && s.Latitude <= 90, "latitude must be from -90 to 90")
	c.that(s.Longitude >= -180 && s.Longitude <= 180, "longitude must be from -180 to 180")
	return c.err
}

// checker keeps the first complaint.
type checker struct {
	err  error
	seen map[string]bool
}

func (c *checker) that(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checker) text(field, value string, limit int) {
	c.that(strings.TrimSpace(value) != "", "%s must not be empty", field)
	c.optional(field, value, limit)
}

func (c *checker) optional(field, value string, limit int) {
	n := len(utf16.Encode([]rune(value)))
	c.that(n <= limit, "%s has %d characters, at most %d are allowed", field, n, limit)
}

// unique wants values of fields of the same name to differ.
func (c *checker) unique(field, value string) {
	key := field[strings.LastIndex(field, ".")+1:] + "\x00" + value
	c.that(!c.seen[key], "%s repeats %q; each must differ", field, value)
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[key] = true
}
