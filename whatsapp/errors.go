package whatsapp

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal: Meta, or something on the way to it, answered no. The
// message was not accepted. Meta: error codes.
type Error struct {
	// Status is the HTTP status. It says less than Code: throttling, for
	// example, usually comes as 400.
	Status int
	// Code is Meta's; 0 with an empty Type if the answer was not Meta's.
	Code    int
	Subcode int
	Type    string
	// Title is short and often missing; Detail explains most.
	Title   string
	Message string
	Detail  string
	// TraceID is what Meta's support asks for.
	TraceID string
	// Transient is Meta's word that a retry may help.
	Transient bool
	// RetryAfter is the wait that was asked for, or 0.
	RetryAfter time.Duration
}

// Error gives the code and the most telling text.
func (e *Error) Error() string {
	if !e.isMeta() {
		return fmt.Sprintf("refused with HTTP status %d and no word of Meta's: %s", e.Status, e.Message)
	}
	text := fmt.Sprintf("refused with code %d: %s", e.Code, e.Message)
	if e.Detail != "" && !strings.Contains(e.Message, e.Detail) {
		text += " (" + e.Detail + ")"
	}
	return text
}

func (e *Error) isMeta() bool { return e.Type != "" || e.Code != 0 }

// Unclear says that nobody knows whether Meta accepted the message: the
// request may have arrived, and no sensible answer came. It must not simply be
// sent again. A status that repeats the opaque data settles it.
type Unclear struct {
	// Status is the HTTP status, or 0 if there was no answer.
	Status int
	Err    error
}

// Error says that the outcome is unknown, and why.
func (e *Unclear) Error() string { return "outcome unknown: " + e.Err.Error() }

// Unwrap gives the cause, for example context.DeadlineExceeded.
func (e *Unclear) Unwrap() error { return e.Err }

// Unsent says that the message surely did not reach Meta: it was never begun,
// or the connection could not be made.
type Unsent struct{ Err error }

// Error says that nothing was sent, and why.
func (e *Unsent) Error() string { return "not sent: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Unsent) Unwrap() error { return e.Err }

// ErrPayload says that a payload is not one of a message. It comes wrapped in an
// Unsent, as ErrAddress does.
var ErrPayload = errors.New("payload is not an object without an address")

var (
	errNoMessageID = errors.New("the answer has no message ID")
	errNoSuccess   = errors.New("the answer does not say success")
)

// maxExcerpt bounds how much of an answer that is not Meta's is shown, in bytes.
const maxExcerpt = 200

// refusal reads an answer that is not a 200. Without Meta's own word, a server
// error leaves open what happened before it.
func refusal(response *http.Response, body []byte) error {
	e := &Error{Status: response.StatusCode, RetryAfter: retryAfter(response.Header)}
	var w struct {
		Error *struct {
			Message   string `json:"message"`
			Type      string `json:"type"`
			Code      Number `json:"code"`
			Subcode   Number `json:"error_subcode"`
			Title     string `json:"error_user_title"`
			UserText  string `json:"error_user_msg"`
			Transient bool   `json:"is_transient"`
			TraceID   string `json:"fbtrace_id"`
			Data      struct {
				Details string `json:"details"`
			} `json:"error_data"`
		} `json:"error"`
	}
	_ = decode(body, &w) // what fits is enough
	if w.Error == nil {
		e.Message = excerpt(body)
		if e.Status < 300 || e.Status >= 500 {
			return &Unclear{Status: e.Status, Err: e}
		}
		return e
	}
	e.Code, e.Subcode, e.Type = w.Error.Code.Int(), w.Error.Subcode.Int(), w.Error.Type
	e.Title, e.Message = w.Error.Title, w.Error.Message
	e.Detail = cmp.Or(w.Error.Data.Details, w.Error.UserText)
	e.TraceID, e.Transient = w.Error.TraceID, w.Error.Transient
	return e
}

// excerpt is the beginning of a body on one line.
func excerpt(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), maxExcerpt)]), "")), " ")
	if text == "" {
		return "empty answer"
	}
	return text
}

// retryAfter reads the header in both its forms. Spec: RFC 9110, Retry-After.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(min(seconds, maxRetryAfter))*time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(time.Until(at), maxRetryAfter*time.Second))
	}
	return 0
}

const maxRetryAfter = 24 * 60 * 60 // seconds

// scrub takes the token out of an error, which is left as it is if it is clean.
func scrub(err error, token string) error {
	if text := err.Error(); token != "" && strings.Contains(text, token) {
		return errors.New(strings.ReplaceAll(text, token, mask))
	}
	return err
}
