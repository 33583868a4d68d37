package domain

import "errors"

// Code says what kind of refusal an Error is.
type Code string

// The codes of refusals. http/errors.go gives each its HTTP status.
const (
	// Invalid: a field's value is not acceptable.
	Invalid Code = "invalid"
	// NotFound: there is no such thing, or it belongs to somebody else.
	NotFound Code = "not_found"
	// Conflict: it clashes with something that exists, or is not ready.
	Conflict Code = "conflict"
	// Busy: too much is under way already. Nothing was done.
	Busy Code = "busy"
	// Stale: the work that is reported or begun is no longer wanted, because
	// somebody else did it or it was called off.
	Stale Code = "stale"
)

// Error is a refusal: the command was understood, and the answer is no.
type Error struct {
	Code Code `msgpack:"c"`
	// Field is the input that is to blame, "" if none is.
	Field string `msgpack:"f,omitempty"`
	// Message tells a person what to do. It never repeats a secret.
	Message string `msgpack:"m"`
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Refused makes a refusal.
func Refused(code Code, field, message string) *Error {
	return &Error{Code: code, Field: field, Message: message}
}

// IsRefusal reports that an error is a refusal of this code.
func IsRefusal(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
