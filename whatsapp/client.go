package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Defaults of Meta's API. Any version may be used; the shapes in this package
// are those of DefaultVersion.
const (
	DefaultURL     = "https://graph.facebook.com"
	DefaultVersion = "v25.0"
)

const (
	callTimeout  = 15 * time.Second
	maxResponse  = 1 << 20 // bytes
	maxIdleConns = 64
)

// Client calls the Cloud API. It may be used concurrently and keeps its
// connections. It never retries: ask [Advise] what an error means.
type Client struct {
	// BaseURL has no slash at the end, for example DefaultURL.
	BaseURL string
	// Version is for example "v25.0".
	Version string
	// HTTP must not follow redirects: they would carry the token elsewhere.
	HTTP *http.Client
}

// NewClient returns a client. A nil transport means one of its own that keeps
// connections open; a test gives the simulator's.
func NewClient(baseURL, version string, transport http.RoundTripper) *Client {
	if transport == nil {
		transport = http.DefaultTransport
		if usual, ok := transport.(*http.Transport); ok { // a program may have put something else there
			own := usual.Clone()
			own.MaxIdleConnsPerHost = maxIdleConns
			transport = own
		}
	}
	return &Client{
		BaseURL: strings.TrimRight(baseURL, "/"),
		Version: version,
		HTTP: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Credentials say which phone number sends, and may be printed: the token
// shows as a mask.
type Credentials struct {
	PhoneNumberID string
	Token         Token
}

// Token is an access token. It prints as a mask in every way of printing and
// encoding; only Reveal opens it.
type Token struct{ value *string } // a pointer prints as an address even where fmt cannot see the methods

// NewToken wraps an access token.
func NewToken(token string) Token { return Token{value: &token} }

// Reveal returns the token itself, or "" for the zero Token.
func (t Token) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

const mask = "********"

// String is a mask.
func (Token) String() string { return mask }

// GoString is a mask.
func (Token) GoString() string { return mask }

// Format prints a mask for every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue is a mask.
func (Token) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText is a mask.
func (Token) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Sent says what Meta accepted. Accepted is not delivered: see [Status].
type Sent struct {
	// WAMID is the message's ID.
	WAMID string
	// WaID is the number as WhatsApp knows it, which may differ from the one
	// sent to; UserID is set instead if it was sent to a user ID.
	WaID   string
	UserID string
}

// Send gives one message to Meta. payload is what [Outbound.Payload] gave, also
// if it was stored since. opaque may be empty; Meta repeats it in the statuses,
// which is how an unclear outcome is settled.
//
// The context's end is honoured, and 15 seconds are the limit in any case. The
// error is an *Error if Meta refused, an *Unsent if the message surely did not
// reach Meta, or an *Unclear if it may have been accepted. No error has the
// token in it.
func (c *Client) Send(ctx context.Context, credentials Credentials, to Address, payload []byte, opaque string) (Sent, error) {
	body, err := request(to, payload, opaque)
	if err != nil {
		return Sent{}, &Unsent{Err: err}
	}
	answer, err := c.post(ctx, credentials, body)
	if err != nil {
		return Sent{}, fmt.Errorf("send message: %w", err)
	}
	var sent struct {
		Contacts []struct {
			WaID   string `json:"wa_id"`
			UserID string `json:"user_id"`
		} `json:"contacts"`
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := decode(answer, &sent); err != nil || len(sent.Messages) == 0 || sent.Messages[0].ID == "" {
		return Sent{}, fmt.Errorf("send message: %w", &Unclear{Status: http.StatusOK, Err: errNoMessageID})
	}
	s := Sent{WAMID: sent.Messages[0].ID}
	if len(sent.Contacts) > 0 {
		s.WaID, s.UserID = sent.Contacts[0].WaID, sent.Contacts[0].UserID
	}
	return s, nil
}

// MarkRead shows the person that their message, and all before it, was read.
// With typing, it also shows that an answer is being written, until it comes
// or for 25 seconds. Meta: mark message as read, typing indicators.
//
// Errors are as for Send.
func (c *Client) MarkRead(ctx context.Context, credentials Credentials, wamid string, typing bool) error {
	type indicator struct {
		Type string `json:"type"`
	}
	mark := struct {
		Product string     `json:"messaging_product"`
		Status  string     `json:"status"`
		ID      string     `json:"message_id"`
		Typing  *indicator `json:"typing_indicator,omitempty"`
	}{Product: "whatsapp", Status: StatusRead, ID: wamid}
	if typing {
		mark.Typing = &indicator{Type: "text"}
	}
	answer, err := c.post(ctx, credentials, marshal(mark))
	if err != nil {
		return fmt.Errorf("mark message as read: %w", err)
	}
	var done struct {
		Success bool `json:"success"`
	}
	if json.Unmarshal(answer, &done) != nil || !done.Success {
		return fmt.Errorf("mark message as read: %w", &Unclear{Status: http.StatusOK, Err: errNoSuccess})
	}
	return nil
}

// post calls /messages and gives the body of a good answer.
func (c *Client) post(ctx context.Context, credentials Credentials, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, &Unsent{Err: err}
	}
	var trace trace
	target := c.BaseURL + "/" + c.Version + "/" + url.PathEscape(credentials.PhoneNumberID) + "/messages"
	r, err := http.NewRequestWithContext(trace.watch(ctx), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, &Unsent{Err: err}
	}
	token := credentials.Token.Reveal()
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, trace.judge(scrub(err, token))
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil && response.StatusCode < 400 {
		return nil, &Unclear{Status: response.StatusCode, Err: scrub(err, token)}
	}
	if response.StatusCode == http.StatusOK {
		return answer, nil
	}
	if token != "" { // a proxy may repeat what it was sent
		answer = bytes.ReplaceAll(answer, []byte(token), []byte(mask))
	}
	return nil, refusal(response, answer)
}

// trace tells whether a request may have reached the other side.
type trace struct{ watched, written atomic.Bool }

func (t *trace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(string) { t.watched.Store(true) },
		WroteHeaders: func() { t.written.Store(true) },
	})
}

// judge sorts an error without an answer. A transport that reports its steps
// and had not written the head of the request cannot have sent any of it.
// From then on, and with a transport that reports nothing, nobody knows.
func (t *trace) judge(err error) error {
	if t.watched.Load() && !t.written.Load() {
		return &Unsent{Err: err}
	}
	return &Unclear{Err: err}
}
