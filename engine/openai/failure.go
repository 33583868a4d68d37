package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/openai/openai-go/v3/packages/ssestream"

	"parley/engine"
)

const (
	maxReason     = 300
	maxRetryAfter = time.Hour
)

// failure turns what went wrong with a request into the error of the turn.
// response may be nil.
func (e *Engine) failure(err error, response *http.Response) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ask the model server: %w", err)
	}
	if response != nil && response.StatusCode >= 400 {
		body, _ := io.ReadAll(response.Body) // what could not be read is not told
		return e.refused(response.StatusCode, response.Header, body)
	}
	if in, ok := errors.AsType[*ssestream.StreamError](err); ok {
		problem := readProblem(in.Event.Data)
		return &engine.Error{
			Reason:    "the model server broke off the answer: " + e.clean(problem.message),
			Transient: problem.kind != "invalid_request_error",
		}
	}
	return &engine.Error{Reason: "the model server cannot be reached or understood: " + e.clean(err.Error()), Transient: true}
}

// refusal is an answer with an error status.
type refusal struct {
	err     *engine.Error
	status  int
	problem problem
}

// Error is the text of the error that callers know.
func (f *refusal) Error() string { return f.err.Error() }

// Unwrap is the error that callers know.
func (f *refusal) Unwrap() error { return f.err }

func (e *Engine) refused(status int, header http.Header, body []byte) *refusal {
	p := readProblem(body)
	reason := fmt.Sprintf("the model server answered %d %s", status, http.StatusText(status))
	if status == http.StatusUnauthorized {
		reason += "; check the API key"
	}
	if p.message != "" {
		reason += ": " + e.clean(p.message)
	}
	err := &engine.Error{Reason: reason, Transient: passes(status, p), RetryAfter: retryAfter(header)}
	if p.unknownModel(status) {
		err = &engine.Error{Reason: "the model server does not know the model", Invalid: true, Err: errors.New(reason)}
	}
	return &refusal{err: err, status: status, problem: p}
}

// unknownModel reports that the server has no model of that name. A bare 404
// may as well mean a wrong address.
func (p problem) unknownModel(status int) bool {
	return status == http.StatusNotFound && (p.code == "model_not_found" || strings.Contains(p.message, "model"))
}

// passes reports that a refusal may be gone after a while. A used-up quota has
// the status of a rate limit, but stays.
func passes(status int, p problem) bool {
	switch status {
	case http.StatusTooManyRequests:
		return p.code != "insufficient_quota"
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		return true
	default:
		return status >= 500
	}
}

// tooLong reports that the conversation exceeds the model's context. Servers
// agree on neither status nor code.
func (f *refusal) tooLong() bool {
	if f.problem.code == "context_length_exceeded" || f.problem.kind == "exceed_context_size_error" {
		return true
	}
	return f.mentions("context length", "context window", "context size", "maximum context", "too many tokens", "prompt is too long", "input is too long")
}

// mayBeBlind reports that the request may have been refused for its images.
func (f *refusal) mayBeBlind() bool {
	switch f.status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	default:
		return f.mentions("image", "vision", "multimodal")
	}
}

func (f *refusal) mentions(words ...string) bool {
	message := strings.ToLower(f.problem.message)
	for _, w := range words {
		if strings.Contains(message, w) {
			return true
		}
	}
	return false
}

// problem is a server's own description of an error.
type problem struct{ message, kind, code string }

// readProblem understands {"error":{"message","type","code"}}, and the shorter
// forms {"error":"…"}, {"message":"…"} and {"detail":"…"}.
func readProblem(body []byte) problem {
	var outer struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  any             `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil && outer.Error == nil {
		return problem{}
	}
	var inner struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    any    `json:"code"`
	}
	if json.Unmarshal(outer.Error, &inner) == nil {
		code, _ := inner.Code.(string)
		return problem{message: inner.Message, kind: inner.Type, code: code}
	}
	var text string
	if json.Unmarshal(outer.Error, &text) == nil {
		return problem{message: text}
	}
	if detail, ok := outer.Detail.(string); ok {
		return problem{message: detail}
	}
	return problem{message: outer.Message}
}

// retryAfter reads when the server wants to be asked again: in seconds or at a
// date (RFC 9110), or, more precisely, in OpenAI's header of milliseconds.
func retryAfter(h http.Header) time.Duration {
	wait := 0 * time.Second
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		wait = time.Duration(min(ms, float64(maxRetryAfter.Milliseconds())) * float64(time.Millisecond))
	} else if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil {
		wait = time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		wait = time.Until(at)
	}
	return max(0, min(wait, maxRetryAfter))
}

// clean makes a server's text fit to be shown: short, on one line, without
// the key that some servers repeat.
func (e *Engine) clean(s string) string {
	if e.key != "" {
		s = strings.ReplaceAll(s, e.key, "********")
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}
