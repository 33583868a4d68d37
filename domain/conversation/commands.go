package conversation

import (
	"time"

	"parley/events"
)

// Receive takes in what one notification holds for this sender.
type Receive struct {
	// Policy is what the integration prescribes for a session that begins now.
	Policy Policy `msgpack:"po"`
	// Notification is what arrived; nil when an earlier command carried it.
	Notification *events.NotificationReceived `msgpack:"no"`
	Messages     []Inbound                    `msgpack:"me"`
	Statuses     []Status                     `msgpack:"st"`
	Echoes       []Echo                       `msgpack:"ec"`
	// Became are the new identifiers of the sender, if they changed.
	Became []events.Person `msgpack:"be"`
}

// Policy is the part of the integration's settings that a session keeps, and
// whether the sender may write at all.
type Policy struct {
	Allowed           bool   `msgpack:"al"`
	BotID             string `msgpack:"bo"`
	BlueprintID       string `msgpack:"bl"`
	Lifetime          int64  `msgpack:"lt"` // milliseconds
	ContactCollection bool   `msgpack:"cc"`
	Attachments       bool   `msgpack:"am"`
}

// Inbound is one message, with fresh IDs for what it may bring into being.
type Inbound struct {
	// Message and Session are new IDs: of the message, and of the session that
	// it starts if it starts one.
	Message  string         `msgpack:"id"`
	Session  string         `msgpack:"ss"`
	WAMID    string         `msgpack:"wa"`
	From     string         `msgpack:"fr"`
	UserID   string         `msgpack:"ui"`
	Profile  string         `msgpack:"pf"`
	Username string         `msgpack:"un"`
	Kind     string         `msgpack:"ki"`
	Text     string         `msgpack:"tx"`
	ReplyTo  string         `msgpack:"rt"`
	At       events.Instant `msgpack:"t"`
	Opens    bool           `msgpack:"op"`
	// Tap says that nothing more is to be waited for: the sender tapped.
	Tap bool `msgpack:"tp"`
	// Media is the file that came with it.
	Media *events.Media `msgpack:"md"`
	// Placeholder says that the message itself may follow under the same wamid.
	Placeholder bool `msgpack:"ph"`
}

// Echo is a message that the business itself wrote to the sender.
type Echo struct {
	// Message and Session are new IDs, as of an Inbound.
	Message string         `msgpack:"id"`
	Session string         `msgpack:"ss"`
	WAMID   string         `msgpack:"wa"`
	Kind    string         `msgpack:"ki"`
	Text    string         `msgpack:"tx"`
	At      events.Instant `msgpack:"t"`
}

// Begin is the task, and the command, of starting the turn that was gathered
// for.
type Begin struct{}

// Status is what became of a message the business sent.
type Status struct {
	WAMID     string         `msgpack:"wa"`
	Status    string         `msgpack:"st"`
	Recipient string         `msgpack:"rc"`
	At        events.Instant `msgpack:"t"`
	// Echo is our part ID, as Meta gives it back; "" if it does not.
	Echo   string `msgpack:"ec"`
	Code   int    `msgpack:"co"`
	Title  string `msgpack:"ti"`
	Detail string `msgpack:"de"`
	Cure   string `msgpack:"cu"`
}

// Answer reports what the engine answered. It is refused as stale when the
// turn is not open (any more).
type Answer struct {
	Turn        string               `msgpack:"tu"`
	Messages    []events.TurnMessage `msgpack:"me"`
	Parts       []events.Part        `msgpack:"pa"`
	BotID       string               `msgpack:"bo"`
	BotRevision events.Revision      `msgpack:"br"`
	Model       string               `msgpack:"mo"`
	Tokens      int                  `msgpack:"tk"`
	Thought     time.Duration        `msgpack:"th"`
	Memory      []byte               `msgpack:"mm"`
	EndSession  bool                 `msgpack:"es"`
	// Asked is what was said with a turn that was asked for.
	Asked string `msgpack:"as"`
	// End is why the answer ended, if it is not simply complete.
	End string `msgpack:"en"`
	// Sending says that whoever reports could go on to send the first part.
	// Granted then tells whether to.
	Sending bool `msgpack:"sn"`
}

// Delay reports that a try to answer failed and asks for another one. If the
// rules grant none, the turn is closed with the apology.
type Delay struct {
	Turn    string        `msgpack:"tu"`
	Reason  string        `msgpack:"re"`
	Wait    time.Duration `msgpack:"wa"`
	Apology Apology       `msgpack:"ap"`
	// Close is the word for why the turn is closed then, "" for EngineFailed.
	Close string `msgpack:"cl"`
}

// Close ends a turn without an answer.
type Close struct {
	Turn    string  `msgpack:"tu"`
	Skipped bool    `msgpack:"sk"`
	Reason  string  `msgpack:"re"`
	Detail  string  `msgpack:"de"`
	Apology Apology `msgpack:"ap"`
}

// Apology is what the sender is told instead of an answer. The zero value is
// silence.
type Apology struct {
	Said  []events.TurnMessage `msgpack:"sa"`
	Parts []events.Part        `msgpack:"pa"`
}

// Progress reports how far a turn is. Number counts such reports of the turn
// from 0; one that was made before is refused as stale. Whoever is not refused
// sends the parts at once.
type Progress struct {
	Turn   string             `msgpack:"tu"`
	Number int                `msgpack:"n"`
	Said   events.TurnMessage `msgpack:"sa"`
	Parts  []events.Part      `msgpack:"pa"`
}

// Initiate writes to somebody who did not write first. The same Key counts
// once.
type Initiate struct {
	Policy Policy `msgpack:"po"`
	// Session is a new ID.
	Session string               `msgpack:"ss"`
	Key     string               `msgpack:"ke"`
	To      string               `msgpack:"to"`
	Said    []events.TurnMessage `msgpack:"sa"`
	Parts   []events.Part        `msgpack:"pa"`
}

// Resume lets parts be tried at once that wait for an operator.
type Resume struct{}

// ReportFetched says that a message's file is stored.
type ReportFetched struct {
	Message    string            `msgpack:"id"`
	Attachment events.Attachment `msgpack:"at"`
	Transcript string            `msgpack:"tr"`
}

// ReportUnfetched says that a message's file could not be fetched.
type ReportUnfetched struct {
	Message string `msgpack:"id"`
	Reason  string `msgpack:"re"`
	// Retry asks for another try after Wait.
	Retry bool          `msgpack:"ry"`
	Wait  time.Duration `msgpack:"wa"`
}

// ReportContact says which contact the sender is.
type ReportContact struct {
	Session string `msgpack:"ss"`
	Contact string `msgpack:"co"`
}

// Attempt asks to give a part to Meta now. Whoever is not refused may do it,
// once. It is refused as stale when it is not this part's turn.
type Attempt struct {
	Part string `msgpack:"pa"`
}

// ReportSent says that Meta accepted a part.
type ReportSent struct {
	Part  string        `msgpack:"pa"`
	WAMID string        `msgpack:"wa"`
	Took  time.Duration `msgpack:"tk"`
	// To is the number it was sent to, if that is another form of the sender's.
	To string `msgpack:"to"`
	// Sending says that whoever reports could go on to send the next part.
	// Granted then tells whether to.
	Sending bool `msgpack:"sn"`
}

// ReportRefused says that a part was not taken. It counts only for the attempt
// that was made last.
type ReportRefused struct {
	Part    string `msgpack:"pa"`
	Attempt int    `msgpack:"n"`
	Status  int    `msgpack:"st"`
	Code    int    `msgpack:"co"`
	Subcode int    `msgpack:"sc"`
	Detail  string `msgpack:"de"`
	Cure    string `msgpack:"cu"`
	// Retry asks for another try after Wait, Held for one when an operator has
	// done something.
	Retry bool          `msgpack:"ry"`
	Held  bool          `msgpack:"he"`
	Wait  time.Duration `msgpack:"wa"`
	// Other asks to try the other form of the phone number.
	Other bool `msgpack:"ot"`
}

// ReportUnclear says that nobody knows whether a part was taken. It counts only
// for the attempt that was made last.
type ReportUnclear struct {
	Part    string `msgpack:"pa"`
	Attempt int    `msgpack:"n"`
	// Status is the HTTP status; 0 when there was no answer.
	Status int    `msgpack:"st"`
	Detail string `msgpack:"de"`
}

// GiveUp is the task, and the command, of ending a part whose outcome stayed
// unknown.
type GiveUp struct {
	Part string `msgpack:"pa"`
}

// Abandon ends the turns and parts that are under way, because there is nobody
// to answer for any more.
type Abandon struct {
	Reason string `msgpack:"re"`
	Detail string `msgpack:"de"`
}

// SkipContact ends the storing of the sender, because there is nobody to store
// them for any more.
type SkipContact struct {
	Reason string `msgpack:"re"`
}

// RunTurn is the task of asking the engine for the answer to a turn.
type RunTurn struct {
	Turn events.OpenTurn
	// Session is the turn's session as it stands.
	Session events.Session
	Terms
}

// Terms are what is to be known for writing to the sender.
type Terms struct {
	// LastInbound is when the sender last wrote, 0 if that is not known.
	LastInbound events.Instant
	// Reach is the form of the phone number that Meta delivers to; "" means
	// the one that it gives.
	Reach string
}

// Deliver is the task of giving the outbox's first part to Meta.
type Deliver struct {
	Part events.OpenPart
	Terms
}

// Granted asks whether a part is to be given to Meta now, by whoever reported
// what came before it. The answer is a bool.
type Granted struct{ Part string }

// Fetch is the task of fetching a message's file from Meta.
type Fetch struct{ File events.OpenFetch }

// Collect is the task of storing the sender as a contact.
type Collect struct {
	Session string
	Who     events.Person
	// Was is the sender before they changed; nil if they did not.
	Was *events.Person
}

// The lanes. A conversation never has a turn and a delivery under way at once;
// files are fetched beside them.
const (
	TurnLane    = "turn"
	ContactLane = "contact"
	fetchLane   = "fetch "
)
