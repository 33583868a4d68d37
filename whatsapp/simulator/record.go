package simulator

import (
	"encoding/json"
	"slices"
	"time"
)

// Accepted is a message that the simulator accepted.
type Accepted struct {
	// Number is the phone number ID it was sent from, To the person: digits or
	// a user ID.
	Number, To string
	WAMID      string
	// Opaque is the sender's biz_opaque_callback_data.
	Opaque string
	Type   string
	// Payload is the whole request.
	Payload json.RawMessage
	At      time.Time
	// Dropped means that nobody will ever see it, and no status tells.
	// Meta: a user ID in "to".
	Dropped bool
}

// Text is the body of a text or of an interactive message, or "".
func (a Accepted) Text() string { return present(a.Payload).Text }

// Call is a request to the Graph API.
type Call struct {
	At     time.Time
	Number string
	// Kind is "send", "read", "typing", "media" (where is a file?), "download",
	// "private" (an address that must not be asked), "setup" (how are things
	// arranged?) or "unknown".
	Kind string
	// To is the person of a send; WAMID the message that was sent or read.
	To, WAMID string
	Opaque    string
	// Media is the ID of the file that was asked for, WithToken whether the
	// call came with a token, right or wrong.
	Media     string
	WithToken bool
	// Status is the HTTP status that was answered, or 0 if no answer came.
	Status int
	// Code is Meta's, of a refusal.
	Code int
}

// Webhook is a body that was posted to a callback, perhaps several times.
type Webhook struct {
	Number string
	Body   []byte
	// Answers are the HTTP statuses that came back; 0 for none.
	Answers []int
	// Delivered means that one of them was 200.
	Delivered bool
}

// record keeps what happened, for assertions.
type record struct {
	accepted []Accepted
	calls    []Call
	webhooks []Webhook
}

func (r *record) addWebhook(number string, body []byte) (index int) {
	r.webhooks = append(r.webhooks, Webhook{Number: number, Body: body})
	return len(r.webhooks) - 1
}

// Accepted gives what was accepted for a person, in order; for everybody if
// person is "".
func (s *Simulator) Accepted(person string) []Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Accepted
	for _, a := range s.record.accepted {
		if person == "" || a.To == person {
			found = append(found, a)
		}
	}
	return found
}

// Calls gives all requests to the Graph API, in order.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.record.calls)
}

// Webhooks gives all webhooks, in the order of their first delivery.
func (s *Simulator) Webhooks() []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	hooks := slices.Clone(s.record.webhooks)
	for i := range hooks {
		hooks[i].Answers = slices.Clone(hooks[i].Answers)
	}
	return hooks
}
