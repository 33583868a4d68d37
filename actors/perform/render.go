package perform

import (
	"strconv"
	"strings"

	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
	"parley/whatsapp"
)

// The bounds of one answer: it has to fit into one append, and nobody reads a
// hundred messages.
const (
	maxParts  = 40
	maxAnswer = 300 << 10 // bytes of payload
)

// render turns what the engine did into messages of the history and parts for
// Meta. IDs derive from the turn: an answer that is reported twice is the same.
func render(turn string, acts []engine.Act) conversation.Answer {
	r := renderer{turn: turn, answer: conversation.Answer{Turn: turn}}
	for _, act := range acts {
		r.act(act)
	}
	return r.answer
}

type renderer struct {
	turn   string
	answer conversation.Answer
	size   int
}

func (r *renderer) act(act engine.Act) {
	switch a := act.(type) {
	case engine.Say:
		r.say(a.Text, whatsapp.Text(a.Text))
	case engine.Progress:
		r.say(a.Text, whatsapp.Text(a.Text))
	case engine.Buttons:
		buttons := make([]whatsapp.Button, len(a.Buttons))
		for i, b := range a.Buttons {
			buttons[i] = whatsapp.Button{ID: b.ID, Title: b.Title}
		}
		r.say(a.Body, whatsapp.Buttons(a.Body, a.Footer, buttons))
	case engine.List:
		r.say(a.Body, whatsapp.List(menu(a)))
	case engine.AskLocation:
		r.say(a.Prompt, whatsapp.AskLocation(a.Prompt))
	case engine.ShareLocation:
		text := strings.TrimSpace(a.Name + " " + a.Address)
		r.say(text, whatsapp.Place(a.Latitude, a.Longitude, a.Name, a.Address))
	case engine.NewConversation:
		r.answer.EndSession = true
	case engine.Called:
		r.message(events.TurnMessage{Call: &events.Call{
			ID: a.Call.ID, Function: a.Call.Function, Arguments: a.Call.Arguments, Result: a.Call.Result,
		}})
	case engine.Remember:
		r.answer.Memory = a.Memory
	case engine.Used:
		r.answer.Tokens += a.Tokens
	}
}

func menu(l engine.List) whatsapp.Menu {
	m := whatsapp.Menu{Header: l.Header, Body: l.Body, Footer: l.Footer, Button: l.Button}
	for _, s := range l.Sections {
		section := whatsapp.Section{Title: s.Title}
		for _, row := range s.Rows {
			section.Rows = append(section.Rows, whatsapp.Row{ID: row.ID, Title: row.Title, Description: row.Description})
		}
		m.Sections = append(m.Sections, section)
	}
	return m
}

// say adds a message of the bot and the parts that deliver it. What lies above
// the bounds is left out, and the last part says so.
func (r *renderer) say(text string, parts []whatsapp.Outbound) {
	if len(parts) == 0 || len(r.answer.Parts) >= maxParts {
		return
	}
	id := r.message(events.TurnMessage{Text: text})
	for _, o := range parts {
		payload := o.Payload()
		if len(r.answer.Parts) == maxParts-1 || r.size+len(payload) > maxAnswer {
			r.part(id, whatsapp.Text("…")[0].Payload())
			return
		}
		r.part(id, payload)
	}
}

func (r *renderer) message(m events.TurnMessage) string {
	m.ID = events.DeriveKey(r.turn, "message", strconv.Itoa(len(r.answer.Messages)))
	r.answer.Messages = append(r.answer.Messages, m)
	return m.ID
}

func (r *renderer) part(message string, payload []byte) {
	r.size += len(payload)
	r.answer.Parts = append(r.answer.Parts, events.Part{
		ID: r.turn + "-" + strconv.Itoa(len(r.answer.Parts)), Message: message, Payload: payload,
	})
}
