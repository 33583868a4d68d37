package simulator

import (
	"cmp"
	"encoding/json"
	"time"
)

// Entry is one thing that happened in a chat, as the page shows it.
type Entry struct {
	// N numbers the entries of a chat from 1 on.
	N  int       `json:"n"`
	At time.Time `json:"at"`
	// Kind is "me" (the person wrote), "bot", "status" of a message of the
	// bot's, "read" (the bot saw the person's message and all before it) or
	// "typing" (likewise, and it writes).
	Kind string `json:"kind"`
	// ID is the wamid that it is about.
	ID string `json:"id"`
	// Text is the words, or of a status its name.
	Text   string `json:"text,omitempty"`
	Header string `json:"header,omitempty"`
	Footer string `json:"footer,omitempty"`
	// Choices are buttons, or rows if there is a Menu, which is what the
	// button says that opens them.
	Choices []Choice `json:"choices,omitempty"`
	Menu    string   `json:"menu,omitempty"`
	// AskLocation shows a button that shares one.
	AskLocation bool `json:"askLocation,omitempty"`
	// Place is a location that was shared, Link a file.
	Place *Place `json:"place,omitempty"`
	Link  string `json:"link,omitempty"`
}

// Choice can be tapped.
type Choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Section     string `json:"section,omitempty"`
}

// Place is a location.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// add appends an entry. The lock is held.
func (t *thread) add(e Entry) {
	e.N, e.At = len(t.entries)+1, time.Now().UTC()
	t.entries = append(t.entries, e)
}

// present shows a message of the bot's.
func present(body []byte) Entry {
	var r request
	var place struct{ Location *Place }
	if json.Unmarshal(body, &r) != nil || json.Unmarshal(body, &place) != nil {
		return Entry{}
	}
	e := Entry{Place: place.Location}
	switch {
	case r.Text != nil:
		e.Text = r.Text.Body
	case r.Interactive != nil:
		r.Interactive.present(&e)
	case r.Template != nil:
		e.Text = "[template " + r.Template.Name + "]"
	}
	for _, m := range []*media{r.Image, r.Video, r.Audio, r.Document, r.Sticker} {
		if m != nil {
			e.Link, e.Text = cmp.Or(m.Link, "media "+m.ID), m.Caption
			if m.Filename != "" {
				e.Header = m.Filename
			}
		}
	}
	return e
}

func (i *interactive) present(e *Entry) {
	for text, p := range map[*string]*part{&e.Header: i.Header, &e.Text: i.Body, &e.Footer: i.Footer} {
		if p != nil {
			*text = p.Text
		}
	}
	e.Menu = i.Action.Button
	e.AskLocation = i.Type == "location_request_message"
	for _, b := range i.Action.Buttons {
		e.Choices = append(e.Choices, Choice{ID: b.Reply.ID, Title: b.Reply.Title})
	}
	for _, s := range i.Action.Sections {
		for _, row := range s.Rows {
			e.Choices = append(e.Choices, Choice{ID: row.ID, Title: row.Title, Description: row.Description, Section: s.Title})
		}
	}
}

// presentInbound shows a message of the person's.
func presentInbound(item object) Entry {
	var m struct {
		Text        struct{ Body string }
		Location    *Place
		Reaction    struct{ Emoji string }
		Interactive struct {
			Button option `json:"button_reply"`
			List   option `json:"list_reply"`
		}
		Type                                   string
		Image, Video, Audio, Document, Sticker *media
	}
	_ = json.Unmarshal(encode(item), &m) // what cannot be shown is sent all the same
	e := Entry{
		Text:  m.Text.Body + m.Reaction.Emoji + m.Interactive.Button.Title + m.Interactive.List.Title,
		Place: m.Location,
	}
	for _, f := range []*media{m.Image, m.Video, m.Audio, m.Document, m.Sticker} {
		if f != nil {
			e.Text = presentFile(m.Type, f.Filename, f.Caption)
		}
	}
	return e
}
