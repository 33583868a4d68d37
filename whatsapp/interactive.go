package whatsapp

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"parley/whatsapp/format"
)

// Meta: interactive reply buttons and interactive lists, in UTF-16 units.
const (
	maxButtons     = 3
	maxButtonTitle = 20
	maxButtonID    = 256
	maxRows        = 10
	maxRowTitle    = 24
	maxRowID       = 200
	maxDescription = 72
	maxSection     = 24
	maxHeader      = 60
	maxFooter      = 60
)

type interactive struct {
	Type   string    `json:"type"`
	Header *outPart  `json:"header,omitempty"`
	Body   outPart   `json:"body"`
	Footer *outPart  `json:"footer,omitempty"`
	Action outAction `json:"action"`
}

type outPart struct {
	Type string `json:"type,omitempty"` // of headers only
	Text string `json:"text"`
}

type outAction struct {
	Name     string       `json:"name,omitempty"`
	Button   string       `json:"button,omitempty"`
	Buttons  []outButton  `json:"buttons,omitempty"`
	Sections []outSection `json:"sections,omitempty"`
}

type outButton struct {
	Type  string `json:"type"`
	Reply outRow `json:"reply"`
}

type outSection struct {
	Title string   `json:"title,omitempty"`
	Rows  []outRow `json:"rows"`
}

type outRow struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// Button is a quick reply. The ID comes back in [Reply] when it is tapped.
type Button struct{ ID, Title string }

// Buttons asks a question with quick replies. Up to three become buttons, up to
// ten a list, more a numbered text. Whatever is too long to be shown is cut
// there and stands in full in the body; a body that is too long begins in texts
// before.
func Buttons(body, footer string, buttons []Button) []Outbound {
	if len(buttons) > maxButtons {
		rows := make([]Row, len(buttons))
		for i, b := range buttons {
			rows[i] = Row{ID: b.ID, Title: b.Title}
		}
		return List(Menu{Body: body, Footer: footer, Sections: []Section{{Rows: rows}}})
	}
	if len(buttons) == 0 {
		return Text(paragraphs(body, footer))
	}
	var m menu
	action := outAction{}
	for _, b := range buttons {
		title := m.unique(m.option(b.ID, b.Title, maxButtonTitle), maxButtonTitle)
		reply := outRow{ID: m.id(cmp.Or(b.ID, b.Title), maxButtonID), Title: title}
		action.Buttons = append(action.Buttons, outButton{Type: "reply", Reply: reply})
	}
	return m.ask(interactive{Type: "button", Action: action}, body, footer, format.MaxCaption)
}

// Menu is a list that opens with a button.
type Menu struct {
	// Header and Footer may be empty.
	Header, Body, Footer string
	// Button is what opens the list; empty for "Menu".
	Button   string
	Sections []Section
}

// Section is a group of rows. Its title matters if there are several.
type Section struct {
	Title string
	Rows  []Row
}

// Row is a choice. The ID comes back in [Reply] when it is tapped. Description
// may be empty.
type Row struct{ ID, Title, Description string }

// List asks a question with a list of up to ten rows; more become a numbered
// text. What is too long is treated as by [Buttons].
func List(l Menu) []Outbound {
	sections, rows := filled(l.Sections)
	if rows == 0 || rows > maxRows {
		return Text(paragraphs(l.Header, l.Body, numbered(sections), l.Footer))
	}
	var m menu
	action := outAction{Button: format.Shorten(cmp.Or(strings.TrimSpace(l.Button), "Menu"), maxButtonTitle)}
	for i, s := range sections {
		title := m.short(s.Title, maxSection)
		if title == "" && len(sections) > 1 {
			title = strconv.Itoa(i + 1) // Meta: required if there are several
		}
		section := outSection{Title: title}
		for _, r := range s.Rows {
			section.Rows = append(section.Rows, outRow{
				ID:          m.id(cmp.Or(r.ID, r.Title), maxRowID),
				Title:       m.option(r.ID, r.Title, maxRowTitle),
				Description: m.short(r.Description, maxDescription),
			})
		}
		action.Sections = append(action.Sections, section)
	}
	i := interactive{Type: "list", Action: action}
	body := l.Body
	if format.Length(l.Header) > maxHeader {
		body = paragraphs(l.Header, l.Body)
	} else if !isBlank(l.Header) {
		i.Header = &outPart{Type: "text", Text: strings.ToValidUTF8(l.Header, "\uFFFD")}
	}
	return m.ask(i, body, l.Footer, format.MaxText)
}

// AskLocation asks for the person's location; prompt says why.
// Meta: location request messages.
func AskLocation(prompt string) []Outbound {
	var m menu
	return m.ask(interactive{Type: "location_request_message", Action: outAction{Name: "send_location"}}, prompt, "", format.MaxCaption)
}

// menu makes options presentable and remembers what it had to cut.
type menu struct {
	cut    []string
	titles map[string]bool
	ids    map[string]bool
}

// option gives the title of a choice; Meta wants one.
func (m *menu) option(id, title string, limit int) string {
	if isBlank(title) {
		title = id
	}
	if isBlank(title) {
		title = "…"
	}
	return m.short(title, limit)
}

// short cuts a text, and remembers it in full if that changed it.
func (m *menu) short(text string, limit int) string {
	text = strings.TrimSpace(text)
	cut := format.Shorten(text, limit)
	if cut != text {
		m.cut = append(m.cut, "- "+text)
	}
	return cut
}

// unique numbers a title that was used before. Meta: buttons with equal titles
// are refused.
func (m *menu) unique(title string, limit int) string {
	return distinct(&m.titles, title, limit)
}

// id keeps an ID unless it is empty, too long or was used before.
func (m *menu) id(id string, limit int) string {
	if isBlank(id) {
		id = "-"
	}
	return distinct(&m.ids, id, limit)
}

func distinct(used *map[string]bool, text string, limit int) string {
	if *used == nil {
		*used = make(map[string]bool)
	}
	candidate := format.Shorten(text, limit)
	for n := 2; (*used)[candidate]; n++ {
		suffix := fmt.Sprintf(" (%d)", n)
		candidate = format.Shorten(text, limit-len(suffix)) + suffix
	}
	(*used)[candidate] = true
	return candidate
}

// ask completes a question. What does not fit into the body is sent before it.
func (m *menu) ask(i interactive, body, footer string, limit int) []Outbound {
	if format.Length(footer) > maxFooter {
		body = paragraphs(body, footer)
	} else if !isBlank(footer) {
		i.Footer = &outPart{Text: strings.ToValidUTF8(footer, "\uFFFD")}
	}
	body = paragraphs(body, strings.Join(m.cut, "\n"))
	before, last := tail(body, limit)
	i.Body = outPart{Text: cmp.Or(last, "…")} // Meta: required
	return append(Text(before), Outbound{outbound{Type: "interactive", Interactive: &i}})
}

// tail divides a text so that the last piece fits the limit.
func tail(s string, limit int) (before, last string) {
	pieces := format.Split(s, limit)
	if len(pieces) < 2 {
		return "", strings.Join(pieces, "")
	}
	last = pieces[len(pieces)-1]
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSuffix(s, last), last
}

// filled leaves out sections without rows, and counts the rows.
func filled(sections []Section) (kept []Section, rows int) {
	for _, s := range sections {
		if len(s.Rows) > 0 {
			kept = append(kept, s)
			rows += len(s.Rows)
		}
	}
	return kept, rows
}

// numbered writes the rows as lines that can be answered with a number.
func numbered(sections []Section) string {
	var lines []string
	n := 0
	for _, s := range sections {
		if !isBlank(s.Title) {
			lines = append(lines, "", s.Title)
		}
		for _, r := range s.Rows {
			n++
			line := fmt.Sprintf("%d. %s", n, cmp.Or(strings.TrimSpace(r.Title), r.ID))
			if !isBlank(r.Description) {
				line += " – " + r.Description
			}
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
