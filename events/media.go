package events

import "encoding/json"

// Media is a file that came with a message, as Meta tells of it.
type Media struct {
	// ID is Meta's; it lives for 7 days.
	ID string `msgpack:"id"`
	// Type is the media type that the sender's phone gave, for example
	// "image/jpeg"; SHA256 is base64 as Meta gives it; Name is of documents.
	Type   string `msgpack:"ty,omitempty"`
	SHA256 string `msgpack:"sh,omitempty"`
	Name   string `msgpack:"nm,omitempty"`
	// Voice says that it was spoken into the phone.
	Voice bool `msgpack:"vo,omitempty"`
}

// OpenFetch is a file that is still to be fetched from Meta.
type OpenFetch struct {
	Message string  `msgpack:"m"`
	Session string  `msgpack:"s"`
	Kind    string  `msgpack:"k"`
	Media   Media   `msgpack:"f"`
	Since   Instant `msgpack:"t"`
	// Attempts counts failed tries; the next one is due at Due.
	Attempts int     `msgpack:"n,omitempty"`
	Due      Instant `msgpack:"u,omitempty"`
}

// Attachment is a stored file.
type Attachment struct {
	ID string `msgpack:"id"`
	// Hash is the SHA-256 of its content, in hexadecimal digits: where the
	// media store has it.
	Hash string `msgpack:"ha"`
	Name string `msgpack:"nm,omitempty"`
	Type string `msgpack:"ty"`
	Size int64  `msgpack:"sz"`
}

// AttachmentStored says that a message's file is in the media store.
type AttachmentStored struct {
	Session    string     `msgpack:"ss"`
	Message    string     `msgpack:"id"`
	Attachment Attachment `msgpack:"at"`
	// Transcript is what was spoken, if somebody wrote it down.
	Transcript string `msgpack:"tr,omitempty"`
}

// AttachmentUploaded says that somebody attached a file to a session through
// the API.
type AttachmentUploaded struct {
	Session    string     `msgpack:"ss"`
	Attachment Attachment `msgpack:"at"`
	// Ticket is what the upload was allowed by, which is thereby used up; ""
	// if it needed none.
	Ticket string  `msgpack:"tk,omitempty"`
	At     Instant `msgpack:"t"`
}

// AttachmentFailed says that a message's file will not be fetched any more.
type AttachmentFailed struct {
	Session string `msgpack:"ss"`
	Message string `msgpack:"id"`
	Kind    string `msgpack:"ki"`
	// Reason is for a person.
	Reason string `msgpack:"re"`
}

// FetchDelayed says that fetching a file failed and when the next try is due.
type FetchDelayed struct {
	Session string  `msgpack:"ss"`
	Message string  `msgpack:"id"`
	Attempt int     `msgpack:"n"`
	Reason  string  `msgpack:"re"`
	Due     Instant `msgpack:"u"`
}

// Call is a stored file as a history tells of it: as a function that was
// called. Spec: "Queue and session semantics", inbound forms.
func (a Attachment) Call() *Call {
	result, err := json.Marshal(map[string]string{
		"id": a.ID, "name": a.Name, "type": a.Type, "url": "attachment://" + a.Name,
	})
	if err != nil {
		panic(err) // strings always encode
	}
	return &Call{ID: a.ID, Function: "uploadAttachment", Arguments: []byte("{}"), Result: result}
}

// EventType is the stored name.
func (AttachmentStored) EventType() string { return "AttachmentStored" }

// EventType is the stored name.
func (AttachmentUploaded) EventType() string { return "AttachmentUploaded" }

// EventType is the stored name.
func (AttachmentFailed) EventType() string { return "AttachmentFailed" }

// EventType is the stored name.
func (FetchDelayed) EventType() string { return "FetchDelayed" }
