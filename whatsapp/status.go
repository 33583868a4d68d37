package whatsapp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// Words for what became of a message that the business sent. Others exist and
// are kept as they come.
const (
	StatusSent      = "sent"
	StatusDelivered = "delivered"
	StatusRead      = "read"
	// StatusPlayed says that a voice message was listened to.
	StatusPlayed = "played"
	// StatusFailed comes with Errors.
	StatusFailed = "failed"
)

// Status says what became of a message that the business sent. Statuses come
// repeated and in any order, sometimes before the answer to the send.
// Meta: webhooks, reference, messages, status.
type Status struct {
	Line
	// ID is the wamid of the message.
	ID        string
	Status    string
	Timestamp time.Time
	// RecipientID is the phone number (digits), UserID the business-scoped
	// user ID; one of them may be missing. In a group they are of the person
	// whose phone this status is about.
	RecipientID  string
	UserID       string
	ParentUserID string
	// GroupID is set if the message went to a group.
	GroupID string
	// Opaque is the sender's own biz_opaque_callback_data.
	Opaque       string
	Errors       []Failure
	Pricing      *Pricing
	Conversation *Conversation
	// Contact is the entry of contacts[] about the recipient, if there is one.
	Contact json.RawMessage
	// Raw is the whole item. Problem says what of it could not be read.
	Raw     json.RawMessage
	Problem string
}

// Recipient is the stable key of whom the message went to: the digits of the
// phone number if present, else the user ID, else the group. It equals
// [Message.Sender] of the same person's messages.
func (s Status) Recipient() string {
	return cmp.Or(s.RecipientID, s.UserID, s.ParentUserID, s.GroupID)
}

// Pricing says what a message costs. Meta: pricing.
type Pricing struct {
	Billable bool   `json:"billable"`
	Model    string `json:"pricing_model"`
	Type     string `json:"type"`
	Category string `json:"category"`
}

// Conversation is Meta's billing window, which since v24.0 is only reported
// for free entry points.
type Conversation struct {
	ID      string `json:"id"`
	Expires Number `json:"expiration_timestamp"` // unix seconds
	Origin  struct {
		Type string `json:"type"`
	} `json:"origin"`
}

// Failure is an error that Meta reports in a webhook. As an error it can be
// given to [Advise].
type Failure struct {
	Code    int
	Title   string
	Message string
	// Detail is the sentence that explains most.
	Detail string
	Href   string
}

// Error gives the code and the most telling text.
func (f Failure) Error() string {
	return fmt.Sprintf("%d: %s", f.Code, cmp.Or(f.Detail, f.Message, f.Title))
}

// UnmarshalJSON reads Meta's form. It never fails: an error here could end the
// decoding of the message around it.
func (f *Failure) UnmarshalJSON(raw []byte) error {
	var w struct {
		Code    Number `json:"code"`
		Title   string `json:"title"`
		Message string `json:"message"`
		Href    string `json:"href"`
		Details string `json:"details"` // older place
		Data    struct {
			Details string `json:"details"`
		} `json:"error_data"`
	}
	_ = decode(raw, &w) // what fits is kept; Raw of the item has the rest
	*f = Failure{Code: w.Code.Int(), Title: w.Title, Message: w.Message, Detail: cmp.Or(w.Data.Details, w.Details), Href: w.Href}
	return nil
}

type wireStatus struct {
	ID                string        `json:"id"`
	Status            string        `json:"status"`
	Timestamp         Number        `json:"timestamp"`
	RecipientID       string        `json:"recipient_id"`
	RecipientType     string        `json:"recipient_type"`
	UserID            string        `json:"recipient_user_id"`
	ParentUserID      string        `json:"recipient_parent_user_id"`
	OldParentUserID   string        `json:"parent_recipient_user_id"` // Meta: from 9 April to 5 May 2026
	Participant       string        `json:"recipient_participant_id"`
	ParticipantUser   string        `json:"recipient_participant_user_id"`
	ParticipantParent string        `json:"recipient_participant_parent_user_id"`
	Opaque            string        `json:"biz_opaque_callback_data"`
	Errors            []Failure     `json:"errors"`
	Pricing           *Pricing      `json:"pricing"`
	Conversation      *Conversation `json:"conversation"`
}

func parseStatus(raw json.RawMessage, line Line) Status {
	var w wireStatus
	err := decode(raw, &w)
	s := Status{
		Line: line, ID: w.ID, Status: w.Status, Timestamp: w.Timestamp.Time(), Opaque: w.Opaque,
		Errors: w.Errors, Pricing: w.Pricing, Conversation: w.Conversation, Raw: raw, Problem: reason(err, ""),
	}
	recipient := w.RecipientID
	if w.RecipientType == "group" {
		s.GroupID, recipient = w.RecipientID, w.Participant
	}
	phone, userID := identify(recipient)
	s.RecipientID = phone
	s.UserID = cmp.Or(w.UserID, w.ParticipantUser, userID)
	s.ParentUserID = cmp.Or(w.ParentUserID, w.OldParentUserID, w.ParticipantParent)
	return s
}
