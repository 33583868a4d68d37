package events

// TurnMessage is one message of a turn, as it stands in the history.
type TurnMessage struct {
	ID string `msgpack:"id"`
	// Text is what the bot said; empty for a call.
	Text string `msgpack:"tx,omitempty"`
	// Call is set when the bot called a function.
	Call *Call `msgpack:"ca,omitempty"`
}

// Call is a function that the bot called, with its result.
type Call struct {
	ID       string `msgpack:"id"`
	Function string `msgpack:"fn"`
	// Arguments and Result are JSON.
	Arguments []byte `msgpack:"ar,omitempty"`
	Result    []byte `msgpack:"re,omitempty"`
}

// Part is one WhatsApp message of a reply.
type Part struct {
	// ID is ours. Meta echoes it in statuses ("biz_opaque_callback_data").
	ID string `msgpack:"id"`
	// Message is the turn message that it delivers.
	Message string `msgpack:"me"`
	// Payload is the JSON that Meta gets, without the address.
	Payload []byte `msgpack:"pl"`
	// File says that Meta has to fetch a file for it, which texts may overtake.
	File bool `msgpack:"fi,omitempty"`
}

// TurnStarted says that the bot set about answering some messages.
type TurnStarted struct {
	Session string `msgpack:"ss"`
	Turn    string `msgpack:"tu"`
	// Messages are the IDs of the user messages it answers, oldest first.
	Messages []string `msgpack:"me"`
	At       Instant  `msgpack:"t"`
	// Asked says that it was asked for, and answers no messages of a person's.
	Asked bool `msgpack:"as,omitempty"`
}

// TurnAsked says that somebody asked for an answer through the API. What they
// said becomes part of the history when it is answered, and else never.
type TurnAsked struct {
	Ask       Ask    `msgpack:"ak"`
	Text      string `msgpack:"tx,omitempty"`
	Backstory string `msgpack:"bs,omitempty"`
	// As is the session, if it began so long ago that its settings are no
	// longer carried.
	As *Session `msgpack:"se,omitempty"`
}

// TurnDelayed says that a try failed and when the next one is due.
type TurnDelayed struct {
	Session string  `msgpack:"ss"`
	Turn    string  `msgpack:"tu"`
	Attempt int     `msgpack:"n"`
	Reason  string  `msgpack:"re"`
	Due     Instant `msgpack:"u"`
}

// TurnAnswered says what the bot answered. Its parts are owed to Meta.
type TurnAnswered struct {
	Session  string        `msgpack:"ss"`
	Turn     string        `msgpack:"tu"`
	Messages []TurnMessage `msgpack:"me,omitempty"`
	Parts    []Part        `msgpack:"pa,omitempty"`
	// BotID, BotRevision and Model say who answered.
	BotID       string   `msgpack:"bo,omitempty"`
	BotRevision Revision `msgpack:"br,omitempty"`
	Model       string   `msgpack:"mo,omitempty"`
	// Tokens is what the model counted.
	Tokens int `msgpack:"tk,omitempty"`
	// Waited and Thought are how long the first message waited for the turn,
	// and how long the engine took, in microseconds.
	Waited  int64 `msgpack:"wt,omitempty"`
	Thought int64 `msgpack:"th,omitempty"`
	// Memory is the engine's, for the next turn.
	Memory []byte `msgpack:"mm,omitempty"`
	// EndSession says that the bot was asked to begin anew.
	EndSession bool `msgpack:"es,omitempty"`
	// End is why the answer ended if the engine was cut off: "length",
	// "iteration".
	End string `msgpack:"en,omitempty"`
	// Asked says that it was asked for through the API.
	Asked bool `msgpack:"as,omitempty"`
}

// TurnClosed says that a turn ended without an answer, and why.
type TurnClosed struct {
	Session string `msgpack:"ss"`
	Turn    string `msgpack:"tu"`
	// Skipped means that there was nobody to answer (no bot, no credentials);
	// otherwise the turn failed.
	Skipped bool `msgpack:"sk,omitempty"`
	// Reason is a word for programs, for example "no_bot"; Detail is for a person.
	Reason string `msgpack:"re"`
	Detail string `msgpack:"de,omitempty"`
	// Messages are the user messages that stay without an answer.
	Messages []string `msgpack:"me,omitempty"`
	// Said and Parts are an apology, if one is configured.
	Said  []TurnMessage `msgpack:"sa,omitempty"`
	Parts []Part        `msgpack:"pa,omitempty"`
	// Asked says that it was asked for through the API.
	Asked bool `msgpack:"as,omitempty"`
}

// ProgressReported says that the bot told how far it is, before its answer.
type ProgressReported struct {
	Session string `msgpack:"ss"`
	Turn    string `msgpack:"tu"`
	// Number counts the reports of the turn, from 0; some may be missing.
	Number int         `msgpack:"n,omitempty"`
	Said   TurnMessage `msgpack:"sa"`
	Parts  []Part      `msgpack:"pa"`
}

// Initiated says that the business wrote first.
type Initiated struct {
	Session string `msgpack:"ss"`
	// Key is the caller's idempotency key; may be empty.
	Key string `msgpack:"ke,omitempty"`
	// To is the phone number, digits.
	To    string        `msgpack:"to"`
	Said  []TurnMessage `msgpack:"sa"`
	Parts []Part        `msgpack:"pa"`
	At    Instant       `msgpack:"t"`
}

// PartResumed says that a part which waited for an operator is tried again.
type PartResumed struct {
	Part string  `msgpack:"pa"`
	At   Instant `msgpack:"t"`
}

// SendAttempted says that a part is about to be given to Meta.
type SendAttempted struct {
	Part    string  `msgpack:"pa"`
	Attempt int     `msgpack:"n"`
	At      Instant `msgpack:"t"`
}

// SendRefused says that Meta, or the way to it, did not take a part.
type SendRefused struct {
	Session string `msgpack:"ss"`
	Part    string `msgpack:"pa"`
	Message string `msgpack:"me"`
	Attempt int    `msgpack:"n"`
	// Status is the HTTP status, Code and Subcode are Meta's; 0 when absent.
	Status  int    `msgpack:"st,omitempty"`
	Code    int    `msgpack:"co,omitempty"`
	Subcode int    `msgpack:"sc,omitempty"`
	Detail  string `msgpack:"de,omitempty"`
	// Cure is what an operator can do about it.
	Cure string `msgpack:"cu,omitempty"`
	// Due is when the part is tried again; 0 means never. Held means that only
	// an operator can help, and that it goes on once they have.
	Due  Instant `msgpack:"u,omitempty"`
	Held bool    `msgpack:"h,omitempty"`
	// Other asks to try the other form of the phone number.
	Other bool `msgpack:"ot,omitempty"`
	// Initiates says that the part begins a conversation; To is then whose.
	Initiates bool   `msgpack:"in,omitempty"`
	To        string `msgpack:"to,omitempty"`
}

// SendUnclear says that nobody knows whether Meta took a part: the connection
// broke, or the process did. A status that echoes the part's ID settles it.
type SendUnclear struct {
	Session string `msgpack:"ss"`
	Part    string `msgpack:"pa"`
	Message string `msgpack:"me"`
	Attempt int    `msgpack:"n"`
	// Status is the HTTP status; 0 when there was no answer.
	Status int    `msgpack:"st,omitempty"`
	Detail string `msgpack:"de,omitempty"`
	// Due is when the part is tried again if nothing settles it.
	Due Instant `msgpack:"u,omitempty"`
}

// PartAbandoned says that a part is no longer owed although nobody knows that
// it was sent.
type PartAbandoned struct {
	Session string `msgpack:"ss"`
	Part    string `msgpack:"pa"`
	Message string `msgpack:"me"`
	// Attempts is how often it was tried.
	Attempts int `msgpack:"n"`
	// Reason is a word for programs ("refused", "unclear", "integration_deleted");
	// Detail is for a person.
	Reason string `msgpack:"re"`
	Detail string `msgpack:"de,omitempty"`
}

// PartSent says that Meta accepted a part.
type PartSent struct {
	Session string `msgpack:"ss"`
	Part    string `msgpack:"pa"`
	Message string `msgpack:"me"`
	WAMID   string `msgpack:"wa"`
	// To is the phone number that it was sent to, digits, if that is another
	// form of the sender's.
	To string `msgpack:"to,omitempty"`
	// Took is how long the call took, in microseconds; 0 when a status told us.
	Took int64   `msgpack:"tk,omitempty"`
	At   Instant `msgpack:"t"`
}

// StatusReceived says what became of a message the business sent.
type StatusReceived struct {
	// Session, Part and Message are ours; "" when the message is not known.
	Session string `msgpack:"ss,omitempty"`
	Part    string `msgpack:"pa,omitempty"`
	Message string `msgpack:"me,omitempty"`
	WAMID   string `msgpack:"wa"`
	// Status is Meta's word: sent, delivered, read, played, failed …
	Status    string  `msgpack:"st"`
	Recipient string  `msgpack:"rc,omitempty"`
	At        Instant `msgpack:"t"`
	// Late says that a further status was known before.
	Late bool `msgpack:"lt,omitempty"`
	// Code, Title and Detail are of the error of a failed message.
	Code   int    `msgpack:"co,omitempty"`
	Title  string `msgpack:"ti,omitempty"`
	Detail string `msgpack:"de,omitempty"`
	// Cure is what an operator can do about it.
	Cure string `msgpack:"cu,omitempty"`
	// Notification is what brought the status, if it brought nothing else.
	Notification *NotificationReceived `msgpack:"no,omitempty"`
}

// EventType is the stored name.
func (TurnAsked) EventType() string { return "TurnAsked" }

// EventType is the stored name.
func (TurnStarted) EventType() string { return "TurnStarted" }

// EventType is the stored name.
func (TurnDelayed) EventType() string { return "TurnDelayed" }

// EventType is the stored name.
func (TurnAnswered) EventType() string { return "TurnAnswered" }

// EventType is the stored name.
func (ProgressReported) EventType() string { return "ProgressReported" }

// EventType is the stored name.
func (Initiated) EventType() string { return "Initiated" }

// EventType is the stored name.
func (PartResumed) EventType() string { return "PartResumed" }

// EventType is the stored name.
func (TurnClosed) EventType() string { return "TurnClosed" }

// EventType is the stored name.
func (SendAttempted) EventType() string { return "SendAttempted" }

// EventType is the stored name.
func (SendRefused) EventType() string { return "SendRefused" }

// EventType is the stored name.
func (SendUnclear) EventType() string { return "SendUnclear" }

// EventType is the stored name.
func (PartAbandoned) EventType() string { return "PartAbandoned" }

// EventType is the stored name.
func (PartSent) EventType() string { return "PartSent" }

// EventType is the stored name.
func (StatusReceived) EventType() string { return "StatusReceived" }
