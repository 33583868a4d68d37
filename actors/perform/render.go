package perform

import (
	"strconv"
	"strings"

	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
	"parley/whatsapp"
	"parley/whatsapp/format"
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
	r.flush()
	return r.answer
}

// renderProgress turns a report of progress into a message and its part. Only
// the first part is told: it is a report, not an answer.
func renderProgress(turn string, number int, report engine.Progress) (events.TurnMessage, []events.Part) {
	said := events.TurnMessage{ID: events.DeriveKey(turn, "progress", strconv.Itoa(number)), Text: report.Text}
	for _, o := range outbound(report.Text) {
		id := turn + "-p" + strconv.Itoa(number)
		return said, []events.Part{{ID: id, Message: said.ID, Payload: o.Payload()}}
	}
	return said, nil
}

type renderer struct {
	turn   string
	answer conversation.Answer
	size   int
	// spoken are texts that are not among the parts yet, speaker the message of
	// the last one.
	spoken  []string
	speaker string
}

func (r *renderer) act(act engine.Act) {
	switch a := act.(type) {
	case engine.Say:
		r.speak(a.Text)
	case engine.Buttons:
		buttons := make([]whatsapp.Button, len(a.Buttons))
		for i, b := range a.Buttons {
			buttons[i] = whatsapp.Button{ID: b.ID, Title: b.Title}
		}
		r.say(a.Body, whatsapp.Buttons(format.Text(a.Body), a.Footer, buttons))
	case engine.List:
		r.say(a.Body, whatsapp.List(menu(a)))
	case engine.AskLocation:
		r.say(a.Prompt, whatsapp.AskLocation(format.Text(a.Prompt)))
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
	case engine.Ended:
		r.answer.End = string(a.Reason)
	}
}

func menu(l engine.List) whatsapp.Menu {
	m := whatsapp.Menu{Header: l.Header, Body: format.Text(l.Body), Footer: l.Footer, Button: l.Button}
	for _, s := range l.Sections {
		section := whatsapp.Section{Title: s.Title}
		for _, row := range s.Rows {
			section.Rows = append(section.Rows, whatsapp.Row{ID: row.ID, Title: row.Title, Description: row.Description})
		}
		m.Sections = append(m.Sections, section)
	}
	return m
}

// outbound makes messages of a text in Markdown: texts, and the files that it
// shows.
func outbound(markdown string) []whatsapp.Outbound {
	var parts []whatsapp.Outbound
	for _, b := range format.Blocks(markdown) {
		if b.Text != "" {
			parts = append(parts, whatsapp.Text(b.Text)...)
			continue
		}
		parts = append(parts, whatsapp.Attach(whatsapp.Attachment{
			Kind: b.Media.Kind, Link: b.Media.URL, Caption: b.Media.Caption, Filename: b.Media.Filename,
		})...)
	}
	return parts
}

// speak adds a text to the history. Texts that follow one another go out
// together, as the last of them.
func (r *renderer) speak(text string) {
	if len(r.answer.Parts) >= maxParts || len(outbound(text)) == 0 {
		return
	}
	r.spoken = append(r.spoken, text)
	r.speaker = r.message(events.TurnMessage{Text: text})
}

// flush adds the parts of what was spoken.
func (r *renderer) flush() {
	if len(r.spoken) > 0 {
		r.parts(r.speaker, outbound(strings.Join(r.spoken, "\n\n")))
		r.spoken = nil
	}
}

// say adds a message of the bot and the parts that deliver it.
func (r *renderer) say(text string, parts []whatsapp.Outbound) {
	r.flush()
	if len(parts) == 0 || len(r.answer.Parts) >= maxParts {
		return
	}
	r.parts(r.message(events.TurnMessage{Text: text}), parts)
}

// parts adds the parts of a message. What lies above the bounds is left out,
// and the last part says so.
func (r *renderer) parts(id string, parts []whatsapp.Outbound) {
	for _, o := range parts {
		payload := o.Payload()
		if len(r.answer.Parts) == maxParts-1 || r.size+len(payload) > maxAnswer {
			r.part(id, whatsapp.Text("…")[0].Payload())
			return
		}
		r.part(id, payload)
		r.answer.Parts[len(r.answer.Parts)-1].File = o.IsFile()
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
