package events

// CallbackVerified says that somebody asked to verify the callback address,
// and how it ended.
type CallbackVerified struct {
	// Status is the HTTP status of the answer: 200 or 403.
	Status int `msgpack:"st"`
	// Reason is for a person, for example "Verification token does not match."
	Reason string  `msgpack:"re"`
	At     Instant `msgpack:"t"`
}

// CallbackRefused says that a notification was turned away before it was read,
// because its signature was missing or wrong.
type CallbackRefused struct {
	Status int     `msgpack:"st"`
	Reason string  `msgpack:"re"`
	At     Instant `msgpack:"t"`
}

// CallbackMuted says that refusals came faster than they are worth recording.
// Those until the given instant are only counted by a metric.
type CallbackMuted struct {
	Until Instant `msgpack:"un"`
}

// NotificationReceived holds a notification of Meta's, or the part of one that
// concerns one sender, as it arrived. The usual notification brings one message
// or one status; then it stands within that fact instead of beside it.
type NotificationReceived struct {
	// Payload is the JSON that arrived. It may be cut; then it is not JSON.
	Payload []byte `msgpack:"pl,omitempty"`
	// Size is the payload's whole length in bytes.
	Size int `msgpack:"sz,omitempty"`
	// Fields are the webhook fields in it, for example "messages".
	Fields []string `msgpack:"fi,omitempty"`
	// Messages and Statuses count what was found in it.
	Messages int `msgpack:"me,omitempty"`
	Statuses int `msgpack:"ss,omitempty"`
	// Problem says why the payload, or part of it, could not be understood.
	Problem string `msgpack:"pr,omitempty"`
}

// SystemNotified is news about the account, a phone number, a template or the
// like, which concerns no single conversation.
type SystemNotified struct {
	// Field is Meta's name of the webhook field, for example "account_update".
	Field string `msgpack:"fi"`
	// Entry is the ID of the WhatsApp business account.
	Entry string `msgpack:"en,omitempty"`
	// WAMID is set for a message that names no sender.
	WAMID string `msgpack:"wa,omitempty"`
	// Value is the change's JSON value; it may be cut.
	Value []byte `msgpack:"va,omitempty"`
	// Code and Detail are set for errors that Meta reports.
	Code   int    `msgpack:"co,omitempty"`
	Detail string `msgpack:"de,omitempty"`
}

// NotificationMisdirected says that a notification was for another phone
// number than the integration's, so that its messages were not processed.
type NotificationMisdirected struct {
	// PhoneNumberID is the notification's, Expected the integration's.
	PhoneNumberID string `msgpack:"pn"`
	Expected      string `msgpack:"ex"`
	// WAMIDs are the messages that were not processed.
	WAMIDs []string `msgpack:"wa,omitempty"`
}

// EventType is the stored name.
func (CallbackVerified) EventType() string { return "CallbackVerified" }

// EventType is the stored name.
func (CallbackRefused) EventType() string { return "CallbackRefused" }

// EventType is the stored name.
func (CallbackMuted) EventType() string { return "CallbackMuted" }

// EventType is the stored name.
func (NotificationReceived) EventType() string { return "NotificationReceived" }

// EventType is the stored name.
func (SystemNotified) EventType() string { return "SystemNotified" }

// EventType is the stored name.
func (NotificationMisdirected) EventType() string { return "NotificationMisdirected" }
