package conversation

import "parley/events"

// Entry is one line of a session's history as an engine is given it: what the
// user said, what the bot said, or a function that the bot called.
type Entry struct {
	// Message is our ID of the message.
	Message string
	// User says that the user said it; otherwise the bot did.
	User bool
	Text string
	Call *events.Call
}

// History tells a session's history from its facts, oldest first. Messages
// stand where a turn took them up, not where they came in: a message that came
// while the bot was still answering the one before follows that answer. Facts
// of other sessions are passed over, and messages that are not among the facts
// are left out.
func History(session string, facts []events.Event) []Entry {
	var entries []Entry
	received := map[string]string{}
	for _, fact := range facts {
		switch f := fact.(type) {
		case events.MessageReceived:
			if f.Session == session {
				received[f.Message] = f.Text
			}
		case events.TurnStarted:
			for _, id := range f.Messages {
				if text, ok := received[id]; ok && f.Session == session {
					entries = append(entries, Entry{Message: id, User: true, Text: text})
				}
			}
		case events.TurnAnswered:
			if f.Session != session {
				continue
			}
			for _, m := range f.Messages {
				entries = append(entries, Entry{Message: m.ID, Text: m.Text, Call: m.Call})
			}
		}
	}
	return entries
}
