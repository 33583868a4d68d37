package conversation

import (
	"cmp"
	"strconv"
	"strings"

	"parley/events"
)

// Entry is one line of a session's history as an engine is given it: what the
// user said, what the bot said, a function that the bot called, or a note.
type Entry struct {
	// Message is our ID of the message.
	Message string
	// User says that the user said it, Note that nobody did; otherwise the bot
	// did.
	User, Note bool
	Text       string
	Call       *events.Call
	// File came with what the user said.
	File *events.Attachment
}

// Tells reports that facts of a type may count for History. The others need not
// be read for it.
func Tells(eventType string) bool {
	switch eventType {
	case "SessionStarted", "MessageReceived", "EchoReceived", "AttachmentStored", "AttachmentUploaded", "AttachmentFailed",
		"TurnAsked", "TurnStarted", "TurnAnswered", "TurnClosed", "Initiated", "MessageWritten", "MessageRewritten", "MessageStruck":
		return true
	}
	return false
}

// History tells a session's history from its facts, oldest first. Messages
// stand where a turn took them up, not where they came in: a message that came
// while the bot was still answering the one before follows that answer. Facts
// of other sessions are passed over, and messages that are not among the facts
// are left out. All are told as people changed them.
func History(session string, facts []events.Event) []Entry {
	var entries []Entry
	requests, edits := requests{}, editsOf(session, facts)
	received, files := map[string]events.MessageReceived{}, map[string]events.Event{}
	for _, fact := range facts {
		switch f := fact.(type) {
		case events.MessageReceived:
			if f.Session != session {
				continue
			}
			received[f.Message] = f
			if f.Aside {
				entries = append(entries, edits.said(heard(f, nil))...)
			}
		case events.EchoReceived:
			if f.Session == session {
				entries = append(entries, edits.said([]Entry{{Message: f.Message, Text: f.Text}})...)
			}
		case events.AttachmentStored:
			files[f.Message] = fact
		case events.AttachmentFailed:
			files[f.Message] = fact
		case events.AttachmentUploaded:
			if f.Session == session {
				entries = append(entries, edits.said([]Entry{{Message: f.Attachment.ID, Call: f.Attachment.Call()}})...)
			}
		case events.TurnStarted:
			var words []Entry // after all files: what was stored is no answer to words before it
			for _, id := range f.Messages {
				if m, ok := received[id]; ok {
					said := heard(m, files[id])
					entries = append(entries, edits.said(said[:len(said)-1])...)
					words = append(words, edits.said(said[len(said)-1:])...)
				}
			}
			entries = append(entries, words...)
		case events.TurnAnswered:
			entries = append(entries, edits.said(said(session, f.Session, f.Messages))...)
		case events.TurnClosed:
			entries = append(entries, edits.said(said(session, f.Session, f.Said))...)
		case events.Initiated:
			entries = append(entries, edits.said(said(session, f.Session, f.Said))...)
		case events.MessageWritten:
			if f, ok := edits.written(f); ok && f.Session == session {
				entries = append(entries, requests.written(f)...)
			}
		}
	}
	return entries
}

// Told tells messages that are in no session, as History does those of one.
func Told(messages []Written) []Entry {
	var facts []events.Event
	for _, m := range messages {
		facts = append(facts, events.MessageWritten{Message: m.ID, Type: m.Type, Text: m.Text, Meta: m.Meta})
	}
	return History("", facts)
}

// said gives what the bot said, if it was in this session.
func said(session, in string, messages []events.TurnMessage) []Entry {
	if session != in {
		return nil
	}
	entries := make([]Entry, len(messages))
	for i, m := range messages {
		entries[i] = Entry{Message: m.ID, Text: m.Text, Call: m.Call}
	}
	return entries
}

// heard gives what a user's message said: its file first, as a function that
// stored it, then its words.
func heard(m events.MessageReceived, file events.Event) []Entry {
	words := Entry{Message: m.Message, User: true, Text: m.Text}
	switch f := file.(type) {
	case events.AttachmentStored:
		words.File = &f.Attachment
		words.Text = cmp.Or(words.Text, f.Transcript, "["+m.Kind+" "+strconv.Quote(f.Attachment.Name)+"]")
		return []Entry{{Message: f.Attachment.ID, Call: f.Attachment.Call()}, words}
	case events.AttachmentFailed:
		words.Text = strings.TrimSpace(words.Text + "\n[" + m.Kind + " could not be loaded]")
	}
	return []Entry{words}
}

// requests are the calls that were written down and have no result yet, by
// function.
type requests map[string]Activity

// written gives what an engine is told of a message that somebody put in: words
// as whoever they are said to be of, what is no speech as notes, and a call
// once its result is known. Reasoning and checkpoints are not told.
func (r requests) written(f events.MessageWritten) []Entry {
	entry := Entry{Message: f.Message, Text: f.Text}
	switch f.Type {
	case "user":
		entry.User = true
	case "bot":
	case "context", "instruction", "backstory":
		entry.Note = true
	case "activity":
		activity, err := ActivityOf(f.Meta)
		if err != nil {
			return nil
		}
		return r.activity(f.Message, activity)
	default:
		return nil
	}
	return []Entry{entry}
}

// activity pairs a request with the response that follows it.
func (r requests) activity(message string, a Activity) []Entry {
	name := a.Function.Name
	switch a.Type {
	case "request":
		r[name] = a
	case "response":
		if request, ok := r[name]; ok && len(a.Function.Arguments) == 0 {
			a.Function.Arguments = request.Function.Arguments
		}
		delete(r, name)
		return []Entry{{Message: message, Call: a.call(message)}}
	}
	return nil
}

// call is the activity as the history of a bot's own calls has it.
func (a Activity) call(id string) *events.Call {
	f := a.Function
	return &events.Call{ID: id, Function: f.Name, Arguments: orJSON(f.Arguments, "{}"), Result: orJSON(f.Result, "null")}
}

func orJSON(value []byte, otherwise string) []byte {
	if len(value) == 0 {
		return []byte(otherwise)
	}
	return value
}
