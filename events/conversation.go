package events

import "cmp"

// Session is a stretch of a conversation, and what holds during it. The API
// calls it a conversation.
type Session struct {
	// ID is the API's conversation ID; "" means that there is no session.
	ID string `msgpack:"id"`
	// StartedAt and LastAt are when its first and last message came.
	StartedAt Instant `msgpack:"sa"`
	LastAt    Instant `msgpack:"la"`
	// BotID, BlueprintID and the settings below are as they were when the
	// session started.
	BotID       string `msgpack:"bo,omitempty"`
	BlueprintID string `msgpack:"bl,omitempty"`
	// BotRevision is the revision of the bot's stream that the session keeps;
	// it holds once Pinned, which the first answer does.
	BotRevision Revision `msgpack:"br,omitempty"`
	Pinned      bool     `msgpack:"pi,omitempty"`
	// Lifetime is how long the session lives after LastAt, in milliseconds.
	// 0 ends it with every message.
	Lifetime          int64 `msgpack:"lt,omitempty"`
	ContactCollection bool  `msgpack:"cc,omitempty"`
	Attachments       bool  `msgpack:"am,omitempty"`
	// InitiatedTo is the phone number that the business wrote to first, digits.
	InitiatedTo string `msgpack:"it,omitempty"`
	// Contact is the contact that the sender was stored as.
	Contact string `msgpack:"co,omitempty"`
	// Memory is what the engine asked to be given back with the next turn.
	Memory []byte `msgpack:"mm,omitempty"`
	// Direct says that the API made it: it is with nobody on WhatsApp, and
	// never expires.
	Direct bool `msgpack:"di,omitempty"`
	// Model and Backstory go before the bot's. Without a bot they answer alone.
	Model     string `msgpack:"mo,omitempty"`
	Backstory string `msgpack:"bs,omitempty"`
}

// Person is what is known about who writes. Any part may be missing.
type Person struct {
	// Phone is the phone number, digits; UserID the business-scoped user ID.
	Phone  string `msgpack:"ph,omitempty"`
	UserID string `msgpack:"ui,omitempty"`
	// Name is the profile's, Username what they chose to be found by.
	Name     string `msgpack:"nm,omitempty"`
	Username string `msgpack:"un,omitempty"`
}

// With gives the person with what another one knows more or anew.
func (p Person) With(more Person) Person {
	return Person{
		Phone: cmp.Or(more.Phone, p.Phone), UserID: cmp.Or(more.UserID, p.UserID),
		Name: cmp.Or(more.Name, p.Name), Username: cmp.Or(more.Username, p.Username),
	}
}

// Digest stands for a wamid where only equality counts: its 128-bit FNV-1a
// hash. It is compared within one conversation alone.
type Digest [16]byte

// Seen remembers that a message was received.
type Seen struct {
	Digest Digest  `msgpack:"d"`
	At     Instant `msgpack:"t"`
}

// Waiting is a received message that no turn has taken up yet. At is when it
// reached us, Written when it was written, by Meta's clock.
type Waiting struct {
	Message string  `msgpack:"m"`
	Session string  `msgpack:"s"`
	At      Instant `msgpack:"t"`
	Written Instant `msgpack:"w,omitempty"`
}

// OpenTurn is a turn whose answer is still owed.
type OpenTurn struct {
	ID      string `msgpack:"id"`
	Session string `msgpack:"s"`
	// Messages are the user messages it answers, oldest first.
	Messages  []Waiting `msgpack:"m"`
	StartedAt Instant   `msgpack:"t"`
	// Attempts counts failed tries; the next one is due at Due.
	Attempts int     `msgpack:"n,omitempty"`
	Due      Instant `msgpack:"u,omitempty"`
	// Progress is the number of the next report of progress.
	Progress int `msgpack:"p,omitempty"`
	// Ask is set for a turn that was asked for through the API. Its answer goes
	// to whoever asked, and to nobody else.
	Ask *Ask `msgpack:"k,omitempty"`
}

// Ask is a turn that was asked for through the API.
type Ask struct {
	Turn    string `msgpack:"tu"`
	Session string `msgpack:"s"`
	// Message is the ID of what was said with it; "" if nothing was.
	Message string `msgpack:"m,omitempty"`
	// Timezone is the IANA name of whoever asked.
	Timezone string  `msgpack:"z,omitempty"`
	At       Instant `msgpack:"t"`
}

// OpenPart is a part of a reply whose delivery to Meta is still owed.
type OpenPart struct {
	Part
	Session string `msgpack:"s"`
	// Attempts counts the tries that were begun, FirstAttempt and LastAttempt
	// say when.
	Attempts     int     `msgpack:"n,omitempty"`
	FirstAttempt Instant `msgpack:"f,omitempty"`
	LastAttempt  Instant `msgpack:"a,omitempty"`
	// Trying means that the last try has no outcome recorded yet.
	Trying bool `msgpack:"y,omitempty"`
	// Unclear counts the tries whose outcome is recorded as unknown.
	Unclear int `msgpack:"q,omitempty"`
	// Due is the earliest time of the next try.
	Due Instant `msgpack:"u,omitempty"`
	// Other means that the other form of the phone number is tried.
	Other bool `msgpack:"o,omitempty"`
	// Behind is the part, a file, that it should not overtake; it is due when a
	// status says that the file is on its way, or at Due.
	Behind string `msgpack:"b,omitempty"`
	// Held means that it waits for an operator, who has to see to the
	// credentials or the account.
	Held bool `msgpack:"h,omitempty"`
	// Initiates means that it begins a conversation, Reports that it tells of
	// progress while its turn goes on.
	Initiates bool `msgpack:"i,omitempty"`
	Reports   bool `msgpack:"g,omitempty"`
}

// SentPart is a part that Meta accepted and whose statuses still come in.
type SentPart struct {
	Part    string  `msgpack:"p"`
	Message string  `msgpack:"m"`
	Session string  `msgpack:"s"`
	Wamid   Digest  `msgpack:"w"`
	At      Instant `msgpack:"t"`
	// Status is the furthest status seen: "", "sent", "delivered", "read" …
	Status string `msgpack:"r,omitempty"`
}

// Carried is what a conversation must remember from before a point in its
// stream. A fact that holds it is where loading a conversation may begin.
type Carried struct {
	// LastInbound is when the sender last wrote, by Meta's clock.
	LastInbound Instant `msgpack:"li,omitempty"`
	// Gather is until when further messages are waited for before a turn.
	Gather Instant `msgpack:"ga,omitempty"`
	// Who is the sender as last seen.
	Who Person `msgpack:"wh,omitempty"`
	// Collect are the sessions whose sender is still to be stored as a contact.
	Collect []string `msgpack:"cl,omitempty"`
	// Was is the sender before they changed, until their contact heard of it.
	Was *Person `msgpack:"ws,omitempty"`
	// Fetches are the files that are still to be fetched.
	Fetches []OpenFetch `msgpack:"fe,omitempty"`
	// PausedUntil is until when a person answers instead of the bot.
	PausedUntil Instant `msgpack:"pu,omitempty"`
	// Reach is the form of the phone number that Meta delivers to, digits; ""
	// means the one that Meta gives.
	Reach string `msgpack:"re,omitempty"`
	// Paced is when the last send would have been, had all sends kept the
	// distance that Meta asks for.
	Paced Instant `msgpack:"pc,omitempty"`
	// Erased are the sessions that were erased last, oldest first; Baring are
	// those whose facts are still to be made bare, and Clearing those whose files
	// are still to be removed.
	Erased   []string   `msgpack:"er,omitempty"`
	Baring   []string   `msgpack:"ba,omitempty"`
	Clearing []Clearing `msgpack:"cr,omitempty"`
	// Earlier are sessions before the newest whose messages still wait.
	Earlier []Session `msgpack:"ea,omitempty"`
	Seen    []Seen    `msgpack:"se,omitempty"`
	Inbox   []Waiting `msgpack:"in,omitempty"`
	Turn    *OpenTurn `msgpack:"tu,omitempty"`
	// Asked are the turns that were asked for and have not started.
	Asked  []Ask      `msgpack:"ak,omitempty"`
	Outbox []OpenPart `msgpack:"ou,omitempty"`
	Sent   []SentPart `msgpack:"st,omitempty"`
}

// SessionStarted says that a new session began with the message that follows.
type SessionStarted struct {
	Session Session `msgpack:"ss"`
	// Carried repeats what is remembered, if it is worth it; nil means that
	// loading must go on to earlier facts.
	Carried *Carried `msgpack:"ca,omitempty"`
	// Described is what else was said about a session that the API made.
	Described *SessionChanges `msgpack:"de,omitempty"`
}

// SessionContinued repeats what is remembered in the middle of a long session,
// so that loading need not read all of it.
type SessionContinued struct {
	Session Session `msgpack:"ss"`
	Carried Carried `msgpack:"ca"`
}

// SessionReset says that the sender asked for a new conversation.
type SessionReset struct {
	Session string `msgpack:"ss,omitempty"`
	// Command is the message that asked for it, for example "/reset".
	Command string  `msgpack:"co"`
	WAMID   string  `msgpack:"wa,omitempty"`
	At      Instant `msgpack:"t"`
}

// MessageReceived says that the sender wrote.
type MessageReceived struct {
	// Session is "" for a message that is outside of any, such as a reaction
	// that comes long after.
	Session string `msgpack:"ss,omitempty"`
	// Message is our ID of it, WAMID is Meta's.
	Message string `msgpack:"id"`
	WAMID   string `msgpack:"wa"`
	// From is the phone number ("wa_id", digits), UserID the business-scoped
	// user ID; one of them may be missing.
	From   string `msgpack:"fr,omitempty"`
	UserID string `msgpack:"ui,omitempty"`
	// Profile is the name the sender chose, Username what they can be found by.
	Profile  string `msgpack:"pf,omitempty"`
	Username string `msgpack:"un,omitempty"`
	// Kind is Meta's type of the message, for example "text".
	Kind string `msgpack:"ki"`
	// Text is what the engine is given: the text as written, or a described
	// form of another kind.
	Text string `msgpack:"tx,omitempty"`
	// ReplyTo is the wamid of the quoted message.
	ReplyTo string `msgpack:"rt,omitempty"`
	// Media is a file that came with it and is to be fetched.
	Media *Media `msgpack:"md,omitempty"`
	// At is when it was written, by Meta's clock; Received when it reached us.
	At       Instant `msgpack:"t"`
	Received Instant `msgpack:"r"`
	// Opens says that the message wants an answer, Gather until when others are
	// waited for that are answered with it.
	Opens  bool    `msgpack:"op,omitempty"`
	Gather Instant `msgpack:"ga,omitempty"`
	// Aside says that it came while a person answered instead of the bot: it is
	// part of the history, and the bot does not answer it.
	Aside bool `msgpack:"as,omitempty"`
	// Placeholder says that Meta could not show the message yet. The real one
	// may follow, under the same wamid. Meta: error 131060.
	Placeholder bool `msgpack:"ph,omitempty"`
	// Notification is what brought the message, if it brought nothing else.
	Notification *NotificationReceived `msgpack:"no,omitempty"`
}

// MessageBlocked says that a message came from someone who may not write. It
// is not part of any history.
type MessageBlocked struct {
	WAMID string  `msgpack:"wa"`
	From  string  `msgpack:"fr"`
	At    Instant `msgpack:"t"`
}

// EchoReceived says that the business itself wrote to the sender, on a phone
// that shares the number. The bot is silent until then. Meta: field
// smb_message_echoes.
type EchoReceived struct {
	Session string `msgpack:"ss"`
	// Message is our ID of it, WAMID is Meta's.
	Message string  `msgpack:"id"`
	WAMID   string  `msgpack:"wa"`
	Kind    string  `msgpack:"ki"`
	Text    string  `msgpack:"tx,omitempty"`
	At      Instant `msgpack:"t"`
	// Until is how long the bot leaves the conversation to the person.
	Until Instant `msgpack:"un,omitempty"`
	// Notification is what brought it, if it brought nothing else.
	Notification *NotificationReceived `msgpack:"no,omitempty"`
}

// PersonChanged says that the sender has another phone number or user ID from
// now on. Meta: system messages, and the field user_id_update.
type PersonChanged struct {
	Session string `msgpack:"ss,omitempty"`
	// Is holds what is new, and nothing else.
	Is Person  `msgpack:"is"`
	At Instant `msgpack:"t"`
}

// EventType is the stored name.
func (PersonChanged) EventType() string { return "PersonChanged" }

// ContactLinked says which contact the sender is.
type ContactLinked struct {
	Session string `msgpack:"ss"`
	Contact string `msgpack:"co"`
}

// ContactSkipped says that the sender will not be stored as a contact any more.
type ContactSkipped struct {
	// Reason is for a person.
	Reason string `msgpack:"re"`
}

// EventType is the stored name.
func (ContactSkipped) EventType() string { return "ContactSkipped" }

// EventType is the stored name.
func (ContactLinked) EventType() string { return "ContactLinked" }

// EventType is the stored name.
func (EchoReceived) EventType() string { return "EchoReceived" }

// EventType is the stored name.
func (SessionStarted) EventType() string { return "SessionStarted" }

// EventType is the stored name.
func (SessionContinued) EventType() string { return "SessionContinued" }

// EventType is the stored name.
func (SessionReset) EventType() string { return "SessionReset" }

// EventType is the stored name.
func (MessageReceived) EventType() string { return "MessageReceived" }

// EventType is the stored name.
func (MessageBlocked) EventType() string { return "MessageBlocked" }

// IsSnapshot says whether loading may begin with this fact.
func (e SessionStarted) IsSnapshot() bool { return e.Carried != nil }

// IsSnapshot says that loading may begin with this fact.
func (SessionContinued) IsSnapshot() bool { return true }
