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
	Message string         `msgpack:"id"`
	Session string         `msgpack:"ss"`
	WAMID   string         `msgpack:"wa"`
	From    string         `msgpack:"fr"`
	UserID  string         `msgpack:"ui"`
	Profile string         `msgpack:"pf"`
	Kind    string         `msgpack:"ki"`
	Text    string         `msgpack:"tx"`
	ReplyTo string         `msgpack:"rt"`
	At      events.Instant `msgpack:"t"`
	Opens   bool           `msgpack:"op"`
	// Placeholder says that the message itself may follow under the same wamid.
	Placeholder bool `msgpack:"ph"`
}

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
	// Sending says that whoever reports goes on to send the first part.
	Sending bool `msgpack:"sn"`
}

// Delay reports that a try to answer failed and asks for another one.
type Delay struct {
	Turn   string        `msgpack:"tu"`
	Reason string        `msgpack:"re"`
	Wait   time.Duration `msgpack:"wa"`
}

// Close ends a turn without an answer.
type Close struct {
	Turn    string `msgpack:"tu"`
	Skipped bool   `msgpack:"sk"`
	Reason  string `msgpack:"re"`
	Detail  string `msgpack:"de"`
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
	// Sending says that whoever reports goes on to send the next part.
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
	// Retry asks for another try after Wait.
	Retry bool          `msgpack:"ry"`
	Wait  time.Duration `msgpack:"wa"`
}

// ReportUnclear says that nobody knows whether a part was taken. It counts only
// for the attempt that was made last.
type ReportUnclear struct {
	Part    string `msgpack:"pa"`
	Attempt int    `msgpack:"n"`
	Detail  string `msgpack:"de"`
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

// RunTurn is the task of asking the engine for the answer to a turn.
type RunTurn struct {
	Turn events.OpenTurn
	// Session is the turn's session as it stands.
	Session events.Session
}

// Deliver is the task of giving the outbox's first part to Meta.
type Deliver struct {
	Part events.OpenPart
}

// TurnLane is the lane of RunTurn and Deliver: a conversation never has both
// under way.
const TurnLane = "turn"
