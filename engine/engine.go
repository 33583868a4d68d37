package engine

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"
)

// Engine answers turns. Every implementation passes engine/enginetest.
type Engine interface {
	// Answer runs one turn and yields what the bot does, in order. The
	// sequence ends after the last act, or with an error (and a nil act) as
	// its last pair; Transient tells whether running the turn again may help.
	//
	// After an error none of the turn's acts holds: whoever runs it again
	// gets all of them anew. Progress and Delta are the exception, they may
	// have been shown already.
	//
	// The turn runs while the sequence is read, in the reader's goroutine.
	// Reading no further stops it, and so does the end of ctx. The engine
	// neither changes nor keeps the turn. Answer may be called concurrently.
	Answer(ctx context.Context, t Turn) iter.Seq2[Act, error]
}

// Turn is everything an engine knows when it answers.
type Turn struct {
	// Model is "name" or "name/key=value/…" (see ParseModel), never empty.
	Model string
	// Backstory is the bot's instruction, or the script of the built-in engine.
	Backstory string
	// History is the conversation, oldest first; it ends with the user
	// messages to answer. Engines bound it to what they can take.
	History []Message
	// Abilities are what the channel can show besides text.
	Abilities Abilities
	// Memory is what this engine asked to remember after the previous turn.
	Memory []byte
	// Now is the time of the turn. Timezone is the IANA name of the user's,
	// for example "Europe/London", or empty when it is not known.
	Now      time.Time
	Timezone string
	// Sender tells one person from another. It is opaque to engines and need
	// not be a phone number.
	Sender string
}

// Unanswered returns the user messages to answer, oldest first: those after
// the last thing the bot said or did.
func (t Turn) Unanswered() []Message {
	var messages []Message
	for _, m := range t.History {
		switch m.Role {
		case User:
			messages = append(messages, m)
		case Bot:
			messages = nil
		}
	}
	return messages
}

// Role says whose a message is.
type Role string

const (
	// User is the person.
	User Role = "user"
	// Bot is the bot: a text it said or a function it called.
	Bot Role = "bot"
	// Context is a note to the engine that nobody said.
	Context Role = "context"
)

// Message is one message of a conversation.
type Message struct {
	Role Role
	// Text is empty for a call, and for a user's attachment without a caption.
	Text string
	// Images came with a user's message.
	Images []Image
	// Call is set on a Bot message that is a function call.
	Call *Call
}

// Call is a function that the bot called, together with what came of it.
type Call struct {
	// ID is the engine's. It is unique within its turn only.
	ID       string
	Function string
	// Arguments and Result are JSON. Arguments that a model got wrong are a
	// JSON string of what it wrote.
	Arguments json.RawMessage
	Result    json.RawMessage
}

// Image is a picture for models that can see.
type Image struct {
	// Type is the media type, for example "image/jpeg".
	Type string
	Data []byte
}

// Abilities are what a channel can show. The zero value is plain text only.
type Abilities struct {
	Buttons  bool
	Lists    bool
	Location bool
	Progress bool
	// NewConversation lets the bot end the session when the user wishes it.
	NewConversation bool
}

// Emitted turns a run that emits acts into the sequence of an [Engine]. emit
// fails once the reader has gone, and then the run returns its error.
func Emitted(run func(emit func(Act) error) error) iter.Seq2[Act, error] {
	return func(yield func(Act, error) bool) {
		err := run(func(a Act) error {
			if !yield(a, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// errStopped unwinds a turn whose reader has gone.
var errStopped = errors.New("the reader stopped")

// Collect runs a turn to its end and returns its acts, or the error it ended
// with.
func Collect(acts iter.Seq2[Act, error]) ([]Act, error) {
	var all []Act
	for act, err := range acts {
		if err != nil {
			return nil, err
		}
		all = append(all, act)
	}
	return all, nil
}
