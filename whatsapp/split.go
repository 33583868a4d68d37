package whatsapp

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Delivery is what a notification holds about one person on one phone number.
type Delivery struct {
	PhoneNumberID string
	// Sender is Message.Sender or Status.Recipient; never empty.
	Sender   string
	Messages []Message
	Statuses []Status
	Echoes   []Echo
	// Payload is a webhook body with these items and nothing else.
	Payload []byte
}

// Rest is what a notification holds about nobody in particular.
type Rest struct {
	// Messages and Statuses are those that do not say who it is about.
	Messages []Message
	Statuses []Status
	Changes  []Change
	Errors   []AccountError
	Echoes   []Echo
	Problems []Problem
	// Payload is a webhook body with the above and nothing else, but if there
	// are Problems it is the body as it arrived: what could not be read is
	// best looked at in its surroundings. It is nil if the Rest is empty.
	Payload []byte
}

// IsEmpty reports that everything is about somebody.
func (r *Rest) IsEmpty() bool {
	return len(r.Messages)+len(r.Statuses)+len(r.Changes)+len(r.Errors)+len(r.Echoes)+len(r.Problems) == 0
}

// With is the rest and what is in some deliveries, with a payload of both and
// nothing else.
func (r Rest) With(deliveries ...Delivery) Rest {
	if len(deliveries) == 0 {
		return r
	}
	for _, d := range deliveries {
		r.Messages = append(slices.Clip(r.Messages), d.Messages...)
		r.Statuses = append(slices.Clip(r.Statuses), d.Statuses...)
		r.Echoes = append(slices.Clip(r.Echoes), d.Echoes...)
	}
	if len(r.Problems) == 0 {
		r.Payload = rebuild(r.Messages, r.Statuses, &r)
	}
	return r
}

// Split sorts a parsed body by phone number and person, in order of first
// appearance. Every item of n is in exactly one delivery or in the rest.
//
// If the whole body is about one person, or about nobody, that payload is body
// itself, not a copy. Otherwise payloads are new bodies that parse to the same
// items.
func Split(n Notification, body []byte) ([]Delivery, Rest) {
	rest := Rest{Errors: n.Errors, Problems: n.Problems}
	for _, c := range n.Changes {
		if c.Field != fieldEchoes { // what these hold is in Echoes
			rest.Changes = append(rest.Changes, c)
		}
	}
	var s splitter
	for _, e := range n.Echoes {
		if d := s.delivery(e.PhoneNumberID, e.To); d != nil {
			d.Echoes = append(d.Echoes, e)
		} else {
			rest.Echoes = append(rest.Echoes, e)
		}
	}
	for _, m := range n.Messages {
		if d := s.delivery(m.PhoneNumberID, m.Sender()); d != nil {
			d.Messages = append(d.Messages, m)
		} else {
			rest.Messages = append(rest.Messages, m)
		}
	}
	for _, st := range n.Statuses {
		if d := s.delivery(st.PhoneNumberID, st.Recipient()); d != nil {
			d.Statuses = append(d.Statuses, st)
		} else {
			rest.Statuses = append(rest.Statuses, st)
		}
	}
	if len(s.deliveries) == 1 && rest.IsEmpty() {
		s.deliveries[0].Payload = body
		return s.deliveries, rest
	}
	for i := range s.deliveries {
		d := &s.deliveries[i]
		d.Payload = rebuild(d.Messages, d.Statuses, &Rest{Echoes: d.Echoes})
	}
	switch {
	case rest.IsEmpty():
	case len(s.deliveries) == 0 || len(rest.Problems) > 0:
		rest.Payload = body
	default:
		rest.Payload = rebuild(rest.Messages, rest.Statuses, &rest)
	}
	return s.deliveries, rest
}

type splitter struct {
	deliveries []Delivery
	byKey      map[[2]string]int
}

// delivery finds or starts the delivery to a sender; nil if there is none.
func (s *splitter) delivery(phoneNumberID, sender string) *Delivery {
	if sender == "" {
		return nil
	}
	key := [2]string{phoneNumberID, sender}
	i, ok := s.byKey[key]
	if !ok {
		if s.byKey == nil {
			s.byKey = make(map[[2]string]int)
		}
		i = len(s.deliveries)
		s.byKey[key] = i
		s.deliveries = append(s.deliveries, Delivery{PhoneNumberID: phoneNumberID, Sender: sender})
	}
	return &s.deliveries[i]
}

type wireEnvelope struct {
	Object string      `json:"object"`
	Entry  []wireEntry `json:"entry"`
}

type wireEntry struct {
	ID      string       `json:"id,omitempty"`
	Time    Number       `json:"time,omitempty"`
	Changes []wireChange `json:"changes"`
}

type wireChange struct {
	Value any    `json:"value"`
	Field string `json:"field"`
}

type wireValue struct {
	Product  string            `json:"messaging_product"`
	Metadata wireMetadata      `json:"metadata"`
	Contacts []json.RawMessage `json:"contacts,omitempty"`
	Messages []json.RawMessage `json:"messages,omitempty"`
	Statuses []json.RawMessage `json:"statuses,omitempty"`
	Errors   []json.RawMessage `json:"errors,omitempty"`
	Echoes   []json.RawMessage `json:"message_echoes,omitempty"`
}

type wireMetadata struct {
	DisplayPhoneNumber string `json:"display_phone_number,omitempty"`
	PhoneNumberID      string `json:"phone_number_id,omitempty"`
}

// rebuild makes a webhook body of items.
func rebuild(messages []Message, statuses []Status, rest *Rest) []byte {
	var b bodyBuilder
	for _, c := range rest.Changes {
		b.add(c.WABAID, c.Time, wireChange{Field: c.Field, Value: c.Value})
	}
	for _, m := range messages {
		v := b.value(m.Line, m.Contact, fieldMessages)
		v.Messages = append(v.Messages, m.Raw)
	}
	for _, s := range statuses {
		v := b.value(s.Line, s.Contact, fieldMessages)
		v.Statuses = append(v.Statuses, s.Raw)
	}
	for _, e := range rest.Errors {
		v := b.value(e.Line, nil, fieldMessages)
		v.Errors = append(v.Errors, e.Raw)
	}
	for _, e := range rest.Echoes {
		v := b.value(e.Line, nil, e.Field)
		v.Echoes = append(v.Echoes, e.Raw)
	}
	return marshal(wireEnvelope{Object: "whatsapp_business_account", Entry: b.entries})
}

// bodyBuilder appends to the last entry and change as long as they fit, so
// that the order of items is kept.
type bodyBuilder struct {
	entries []wireEntry
	last    *wireValue
	line    Line
	field   string
	contact json.RawMessage
}

func (b *bodyBuilder) add(wabaID string, time Number, c wireChange) {
	n := len(b.entries)
	if n == 0 || b.entries[n-1].ID != wabaID || b.entries[n-1].Time != time {
		b.entries = append(b.entries, wireEntry{ID: wabaID, Time: time})
		n++
	}
	b.entries[n-1].Changes = append(b.entries[n-1].Changes, c)
}

// value is a change for a line with at most one contact, so that every item
// finds the same contact again.
func (b *bodyBuilder) value(line Line, contact json.RawMessage, field string) *wireValue {
	if b.last != nil && b.line == line && b.field == field && bytes.Equal(b.contact, contact) {
		return b.last
	}
	b.line, b.field, b.contact = line, field, contact
	b.last = &wireValue{Product: "whatsapp", Metadata: wireMetadata{line.DisplayPhoneNumber, line.PhoneNumberID}}
	if contact != nil {
		b.last.Contacts = []json.RawMessage{contact}
	}
	b.add(line.WABAID, "", wireChange{Field: field, Value: b.last})
	return b.last
}

// marshal encodes without escaping <, > and &, so that raw items stay as they
// are. What it is given always encodes.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("whatsapp: encode: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
