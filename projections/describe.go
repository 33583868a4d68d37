package projections

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"parley/events"
)

// logType is what the event log calls a fact; "" keeps it out.
func logType(e events.Event) string {
	const whatsapp = "integration.whatsapp."
	switch e := e.(type) {
	case events.BotCreated:
		return "bot.create"
	case events.BotUpdated:
		return "bot.update"
	case events.BotDeleted:
		return "bot.delete"
	case events.CompletionMade:
		if e.Failed {
			return "conversation.complete.failed"
		}
		return "conversation.complete"
	case events.ContactCreated:
		return "contact.create"
	case events.ContactUpdated:
		return "contact.update"
	case events.ContactDeleted:
		return "contact.delete"
	case events.ContactBared:
		return "contact.erase"
	case events.CallbackVerified:
		return whatsapp + "callback.subscribe"
	case events.CallbackRefused:
		return whatsapp + "configuration.error"
	case events.CallbackMuted:
		return whatsapp + "callback.muted"
	case events.NotificationReceived:
		return whatsapp + "callback.notification"
	case events.SystemNotified:
		return whatsapp + "system"
	case events.NotificationMisdirected:
		return whatsapp + "message.skipped"
	case events.SessionStarted:
		if e.Session.Direct {
			return "conversation.create"
		}
		return whatsapp + "session.created"
	case events.SessionDescribed:
		return "conversation.update"
	case events.MessageWritten:
		return "message.create"
	case events.SessionErased:
		return "conversation.delete"
	case events.SessionBared:
		return "conversation.erase"
	case events.SessionCleared:
		return "conversation.clear"
	case events.MessageRewritten:
		return "message.update"
	case events.MessageStruck:
		return "message.delete"
	case events.SessionReset:
		return whatsapp + "session.reset"
	case events.MessageReceived:
		return whatsapp + "message.received"
	case events.MessageBlocked:
		return whatsapp + "blocked"
	case events.EchoReceived:
		return whatsapp + "message.echoed"
	case events.AttachmentStored:
		return whatsapp + "attachment.stored"
	case events.AttachmentUploaded:
		return "conversation.attachment.uploaded"
	case events.FetchDelayed:
		return whatsapp + "attachment.delayed"
	case events.AttachmentFailed:
		return whatsapp + "attachment.failed"
	case events.PersonChanged:
		return whatsapp + "contact.changed"
	case events.ContactLinked:
		return whatsapp + "contact.linked"
	case events.ProgressReported:
		return whatsapp + "message.progress"
	case events.Initiated:
		return whatsapp + "message.initiated"
	case events.TurnDelayed:
		return whatsapp + "message.delayed"
	case events.TurnAnswered:
		if e.Asked {
			return "conversation.complete"
		}
		return whatsapp + "message.processed"
	case events.TurnClosed:
		if e.Asked {
			return "conversation.complete.failed"
		}
		if e.Skipped {
			return whatsapp + "message.skipped"
		}
		return whatsapp + "message.failed"
	case events.SendRefused, events.SendUnclear:
		return whatsapp + "api.error"
	case events.PartSent:
		return whatsapp + "message.sent"
	case events.PartAbandoned:
		return whatsapp + "message.failed"
	case events.StatusReceived:
		return whatsapp + "status." + word(e.Status)
	}
	return ""
}

// word makes Meta's status fit for an event's name.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	if s == "" {
		return "unknown"
	}
	return s[:min(len(s), 32)]
}

// logMeta tells what a fact says, as the event log shows it. Durations are
// milliseconds.
func logMeta(e events.Event) map[string]any {
	switch e := e.(type) {
	case events.CallbackVerified:
		return map[string]any{"status": e.Status, "reason": e.Reason}
	case events.CallbackRefused:
		return map[string]any{"status": e.Status, "reason": e.Reason}
	case events.CallbackMuted:
		return map[string]any{"until": e.Until.Milliseconds(), "reason": "Too many refused calls; further ones are only counted."}
	case events.NotificationReceived:
		return map[string]any{
			"payload": payload(e.Payload), "size": e.Size, "fields": e.Fields,
			"messages": e.Messages, "statuses": e.Statuses, "problem": e.Problem,
		}
	case events.SystemNotified:
		return map[string]any{
			"field": e.Field, "wabaId": e.Entry, "whatsappMessageId": e.WAMID, "value": payload(e.Value), "code": e.Code, "detail": e.Detail,
		}
	case events.NotificationMisdirected:
		return map[string]any{
			"reason": "The notification is for another phone number than this integration's.", "code": "phone_number_mismatch",
			"phoneNumberId": e.PhoneNumberID, "expectedPhoneNumberId": e.Expected, "whatsappMessageIds": e.WAMIDs,
		}
	case events.SessionStarted:
		if e.Session.Direct {
			return map[string]any{"model": e.Session.Model}
		}
		return map[string]any{"sessionDuration": e.Session.Lifetime}
	case events.SessionDescribed:
		return map[string]any{"fields": changed(e.Changes)}
	case events.MessageWritten:
		return map[string]any{"messageId": e.Message, "messageType": e.Type}
	case events.SessionErased:
		return map[string]any{"clearedAt": e.Due.Milliseconds()}
	case events.ContactBared:
		return map[string]any{"kept": e.Kept}
	case events.SessionBared:
		return map[string]any{"conversationId": e.Session, "kept": e.Kept}
	case events.SessionCleared:
		return map[string]any{"conversationId": e.Session}
	case events.MessageRewritten:
		return map[string]any{"messageId": e.Message}
	case events.MessageStruck:
		return map[string]any{"messageId": e.Message}
	case events.SessionReset:
		return map[string]any{"command": e.Command, "whatsappMessageId": e.WAMID}
	case events.MessageReceived:
		return map[string]any{
			"messageId": e.Message, "whatsappMessageId": e.WAMID, "from": e.From, "userId": e.UserID,
			"kind": e.Kind, "placeholder": orNothing(e.Placeholder), "timestamp": e.At.Milliseconds(),
		}
	case events.MessageBlocked:
		return map[string]any{
			"reason": "The sender is not among those whom allowFrom lets write.", "from": e.From, "whatsappMessageId": e.WAMID,
		}
	case events.EchoReceived:
		return map[string]any{
			"messageId": e.Message, "whatsappMessageId": e.WAMID, "kind": e.Kind, "timestamp": e.At.Milliseconds(),
			"pausedUntil": e.Until.Milliseconds(),
		}
	case events.AttachmentStored:
		return map[string]any{
			"messageId": e.Message, "attachmentId": e.Attachment.ID, "name": e.Attachment.Name, "type": e.Attachment.Type,
			"size": e.Attachment.Size, "transcribed": orNothing(e.Transcript != ""),
		}
	case events.AttachmentUploaded:
		return map[string]any{
			"messageId": e.Attachment.ID, "attachmentId": e.Attachment.ID, "name": e.Attachment.Name, "type": e.Attachment.Type,
			"size": e.Attachment.Size,
		}
	case events.FetchDelayed:
		return map[string]any{"messageId": e.Message, "attempt": e.Attempt, "reason": e.Reason, "nextAttemptAt": e.Due.Milliseconds()}
	case events.AttachmentFailed:
		return map[string]any{"messageId": e.Message, "kind": e.Kind, "reason": e.Reason}
	case events.PersonChanged:
		return map[string]any{"phone": e.Is.Phone, "userId": e.Is.UserID, "timestamp": e.At.Milliseconds()}
	case events.ContactLinked:
		return map[string]any{"contactId": e.Contact}
	}
	return turnMeta(e)
}

func turnMeta(e events.Event) map[string]any {
	switch e := e.(type) {
	case events.CompletionMade:
		return map[string]any{"model": e.Model, "tokens": e.Tokens, "modelTime": e.Thought / 1000}
	case events.TurnDelayed:
		return map[string]any{"turnId": e.Turn, "attempt": e.Attempt, "reason": e.Reason, "nextAttemptAt": e.Due.Milliseconds()}
	case events.TurnAnswered:
		ids := make([]string, len(e.Messages))
		for i, m := range e.Messages {
			ids[i] = m.ID
		}
		return map[string]any{
			"turnId": e.Turn, "messageIds": ids, "parts": len(e.Parts), "model": e.Model, "tokens": e.Tokens,
			"waitingTime": e.Waited / 1000, "modelTime": e.Thought / 1000,
		}
	case events.ProgressReported:
		return map[string]any{"turnId": e.Turn, "messageId": e.Said.ID}
	case events.Initiated:
		return map[string]any{"to": e.To, "idempotencyKey": e.Key}
	case events.TurnClosed:
		return map[string]any{"turnId": e.Turn, "code": e.Reason, "reason": e.Detail, "messageIds": e.Messages}
	case events.SendRefused:
		return map[string]any{
			"operation": operation(e.Initiates), "messageId": e.Message, "partId": e.Part, "attempt": e.Attempt,
			"to": e.To, "reason": orText(e.Initiates, e.Detail),
			"waitsForOperator": orNothing(e.Held), "status": e.Status, "error": map[string]any{"message": e.Detail, "code": e.Code, "subcode": e.Subcode},
			"cure": e.Cure, "nextAttemptAt": e.Due.Milliseconds(),
		}
	case events.SendUnclear:
		return map[string]any{
			"operation": "messages.send", "messageId": e.Message, "partId": e.Part, "attempt": e.Attempt,
			"reason": "It is not known whether WhatsApp took the message.", "status": statusOrNothing(e.Status), "error": map[string]any{"message": e.Detail},
			"nextAttemptAt": e.Due.Milliseconds(),
		}
	case events.PartSent:
		return map[string]any{
			"messageId": e.Message, "partId": e.Part, "whatsappMessageId": e.WAMID, "sendingTime": e.Took / 1000,
		}
	case events.PartAbandoned:
		return map[string]any{
			"messageId": e.Message, "partId": e.Part, "attempts": e.Attempts, "code": e.Reason, "reason": e.Detail,
		}
	case events.StatusReceived:
		return map[string]any{
			"messageId": e.Message, "partId": e.Part, "whatsappMessageId": e.WAMID, "status": e.Status,
			"recipient": e.Recipient, "timestamp": e.At.Milliseconds(), "late": orNothing(e.Late),
			"error": statusError(e),
		}
	}
	return map[string]any{}
}

// changed names the fields that people changed.
func changed(c events.SessionChanges) []string {
	var fields []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"name", c.Name != nil},
		{"description", c.Description != nil},
		{"botId", c.BotID != nil},
		{"contactId", c.ContactID != nil},
		{"model", c.Model != nil},
		{"backstory", c.Backstory != nil},
		{"privacy", c.Privacy != nil},
		{"moderation", c.Moderation != nil},
		{"meta", len(c.Meta) > 0},
	} {
		if f.is {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// operation is what was asked of Meta.
func operation(initiates bool) string {
	if initiates {
		return "messages.initiate"
	}
	return "messages.send"
}

func orText(is bool, text string) string {
	if !is {
		return ""
	}
	return text
}

// orNothing leaves out what is not so.
func orNothing(is bool) any {
	if !is {
		return nil
	}
	return true
}

// statusOrNothing leaves out the status of an answer that never came.
func statusOrNothing(status int) any {
	if status == 0 {
		return nil
	}
	return status
}

func statusError(e events.StatusReceived) any {
	if e.Code == 0 {
		return nil
	}
	return map[string]any{"code": e.Code, "title": e.Title, "message": e.Detail, "cure": e.Cure}
}

// payload is JSON as it is; what was cut, never was JSON, or has a number that
// no client can hold becomes a string. Unpaired surrogates are replaced.
func payload(b []byte) any {
	var value any
	if json.Unmarshal(b, &value) != nil {
		return strings.ToValidUTF8(string(b), string(utf8.RuneError))
	}
	if utf8.Valid(b) && !bytes.Contains(bytes.ToLower(b), []byte(`\ud`)) {
		return json.RawMessage(b)
	}
	return value
}
