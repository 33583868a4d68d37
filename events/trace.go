package events

import "strings"

// Route is what operators group and filter facts by, beside their streams.
// Nothing in it is secret, and nothing is what people said.
type Route struct {
	// Integration is whose callback or settings the fact is about.
	Integration string `json:"integration,omitempty"`
	// Sender is who a conversation is with: a phone number or a user ID, as in
	// the stream's name.
	Sender string `json:"sender,omitempty"`
	// Conversation is the API's ID of the conversation, and Bot who answers in
	// it, as they were after the append: those of the newest session.
	Conversation string `json:"conversation,omitempty"`
	Bot          string `json:"bot,omitempty"`
}

// TurnOf is the turn, or the words written first, that a part belongs to. The
// IDs of parts are "<turn>-<number>".
func TurnOf(part string) string {
	turn, _, _ := strings.Cut(part, "-")
	return turn
}

// journeyOf is what a fact of a conversation goes by on its way from a message
// to the statuses of the answer: the ID of the message that began its turn. It
// is "" for facts that are on no such way.
func journeyOf(fact Event) string {
	switch f := fact.(type) {
	case MessageReceived:
		return f.Message
	case AttachmentStored:
		return f.Message
	case AttachmentFailed:
		return f.Message
	case FetchDelayed:
		return f.Message
	case TurnAsked:
		return f.Ask.Turn
	case TurnStarted:
		return f.Turn
	case TurnDelayed:
		return f.Turn
	case ProgressReported:
		return f.Turn
	case TurnAnswered:
		return f.Turn
	case TurnClosed:
		return f.Turn
	case Initiated:
		if len(f.Parts) > 0 {
			return TurnOf(f.Parts[0].ID)
		}
	}
	return TurnOf(partOf(fact))
}

// partOf is the part that a fact is about, or "".
func partOf(fact Event) string {
	switch f := fact.(type) {
	case PartResumed:
		return f.Part
	case SendAttempted:
		return f.Part
	case SendRefused:
		return f.Part
	case SendUnclear:
		return f.Part
	case PartAbandoned:
		return f.Part
	case PartSent:
		return f.Part
	case StatusReceived:
		return f.Part
	}
	return ""
}
