package perform

import (
	"strings"

	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// maxPlain bounds the texts of an answer that is not for WhatsApp, in bytes.
// Clients read an answer as one line of at most 1 MiB, in which a byte may take
// six.
const maxPlain = 150 << 10

// plainly turns what the engine did into messages of the history, for those who
// asked through the API: words as they were written, and no parts.
func plainly(turn string, acts []engine.Act) conversation.Answer {
	r := renderer{turn: turn, answer: conversation.Answer{Turn: turn}}
	for _, act := range acts {
		if text, ok := words(act); ok {
			r.plain(text)
			continue
		}
		r.act(act)
	}
	return r.answer
}

// words are what an act says where only text can be shown. ok is false when it
// is about something else.
func words(act engine.Act) (text string, ok bool) {
	switch act.(type) {
	case engine.Say, engine.Buttons, engine.List, engine.AskLocation, engine.ShareLocation:
		return engine.Plain(act), true
	}
	return "", false
}

// plain adds a text to the history, as far as there is room.
func (r *renderer) plain(text string) {
	room := maxPlain - r.size
	if strings.TrimSpace(text) == "" || room <= 0 {
		return
	}
	if len(text) > room {
		text = strings.ToValidUTF8(text[:room], "") + "…"
	}
	r.size += len(text)
	r.message(events.TurnMessage{Text: text})
}

// separator stands between the texts of one answer.
const separator = "\n\n"

// pieces tells what is being said, piece by piece: together they are the texts
// of the answer with the separator between them.
type pieces struct {
	tell func(piece string)
	// began says that a text was begun, open that it is not whole yet.
	began, open bool
}

// watch takes in what the engine does. A text that did not come in pieces is
// one.
func (p *pieces) watch(act engine.Act) {
	if delta, ok := act.(engine.Delta); ok {
		p.piece(delta.Text)
		return
	}
	text, ok := words(act)
	if !ok || strings.TrimSpace(text) == "" {
		return
	}
	if !p.open {
		p.piece(text)
	}
	p.open = false
}

func (p *pieces) piece(text string) {
	if text == "" {
		return
	}
	if p.began && !p.open {
		text = separator + text
	}
	p.began, p.open = true, true
	p.tell(text)
}
