package whatsapp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Notification is what one webhook POST holds. Meta puts up to 1000 updates of
// several accounts, numbers and people into one.
// Meta: webhooks, overview.
type Notification struct {
	// Messages and Statuses stand in the order of the body.
	Messages []Message
	Statuses []Status
	// Changes are the news of all fields but "messages".
	Changes []Change
	// Errors are problems of an app or account that Meta reports beside the
	// messages.
	Errors []AccountError
	// Echoes are messages that the business itself wrote, on a phone that
	// shares the number. They are outbound: never answer one.
	Echoes []Echo
	// Fields are the names of the webhook fields seen, each once.
	Fields []string
	// Problems are the pieces that could not be read.
	Problems []Problem
}

// Line is one phone number of a business, as a webhook names it. Any part of
// it may be missing.
type Line struct {
	// WABAID is the ID of the WhatsApp business account.
	WABAID string
	// PhoneNumberID is Meta's ID of the number, DisplayPhoneNumber the number.
	PhoneNumberID      string
	DisplayPhoneNumber string
}

// Change is news of a field other than "messages". Value is kept as it came.
type Change struct {
	WABAID string
	Field  string
	Value  json.RawMessage
	// Time is Meta's, in unix seconds; often missing.
	Time Number
}

// AccountError is a problem that Meta reports about an app or account.
type AccountError struct {
	Line
	Failure
	Raw json.RawMessage
}

// Echo is a message that the business wrote itself. From is the business, To
// the person it was written to.
type Echo struct {
	Message
	To string
	// Field is the webhook field it came in, usually "smb_message_echoes".
	Field string
}

// Problem is a piece of a webhook that could not be read. What stood beside it
// was.
type Problem struct {
	// Where is a path, for example "entry[0].changes[1].value.messages".
	Where string
	// Reason is for a person.
	Reason string
	// Raw is the piece. It is nil if that would be a huge one.
	Raw json.RawMessage
}

var (
	// ErrNotJSON says that a body is not a JSON object.
	ErrNotJSON = errors.New("not a JSON object")
	// ErrTooDeep says that a body nests deeper than any webhook does.
	ErrTooDeep = errors.New("nested deeper than 64 levels")
)

const (
	maxDepth = 64
	// maxItems bounds what is read of one body, for the sake of memory.
	// Meta: 1000 updates in a webhook.
	maxItems = 10_000

	fieldMessages = "messages"
	fieldEchoes   = "smb_message_echoes"
)

type entry struct {
	ID      label           `json:"id"`
	Time    Number          `json:"time"`
	Changes json.RawMessage `json:"changes"`
}

type change struct {
	Field label           `json:"field"`
	Value json.RawMessage `json:"value"`
}

// regular is a body that holds nothing but changes of the field "messages",
// as nearly all do. Reading it in one go saves half of the time.
type regular struct {
	Entry []struct {
		ID      label `json:"id"`
		Changes []struct {
			Field label  `json:"field"`
			Value *value `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// isRegular reports that nothing is missing.
func (r *regular) isRegular() bool {
	for _, e := range r.Entry {
		for _, c := range e.Changes {
			if c.Field != fieldMessages || c.Value == nil || c.Value.isEmpty() {
				return false
			}
		}
		if e.Changes == nil {
			return false
		}
	}
	return r.Entry != nil
}

// value is what a change of the field "messages" holds.
type value struct {
	Metadata struct {
		DisplayPhoneNumber string `json:"display_phone_number"`
		PhoneNumberID      string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []json.RawMessage `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Statuses []json.RawMessage `json:"statuses"`
	Errors   []json.RawMessage `json:"errors"`
	Echoes   []json.RawMessage `json:"message_echoes"`
}

func (v *value) isEmpty() bool {
	return v.Messages == nil && v.Statuses == nil && v.Errors == nil && v.Echoes == nil
}

// Parse reads a webhook body. The error is ErrNotJSON or ErrTooDeep; anything
// that is merely odd becomes a Problem and harms nothing beside it. The result
// shares no memory with body.
//
// Texts are kept exactly, with one exception that JSON in Go imposes: half a
// surrogate pair reads as U+FFFD. Raw has the original.
func Parse(body []byte) (Notification, error) {
	var p parser
	if deeper(body, maxDepth) {
		return p.Notification, ErrTooDeep
	}
	if !isObject(body) {
		return p.Notification, ErrNotJSON
	}
	var whole regular
	err := json.Unmarshal(body, &whole)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return p.Notification, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	if err != nil || !whole.isRegular() {
		p.entries(body)
		return p.Notification, nil
	}
	for i, e := range whole.Entry {
		for j, c := range e.Changes {
			p.path = [2]int{i, j}
			p.change(string(e.ID), fieldMessages, *c.Value)
		}
	}
	return p.Notification, nil
}

// parser gathers what it finds.
type parser struct {
	Notification
	// path holds the indices of the entry and the change that are being read.
	path [2]int
	// items counts what was read.
	items int
}

// entries goes down level by level, so that only a piece that is odd is lost.
func (p *parser) entries(body []byte) {
	var top struct {
		Entry json.RawMessage `json:"entry"`
	}
	_ = json.Unmarshal(body, &top) // an object, as is known by now
	for i, raw := range p.list("entry", top.Entry, body) {
		where := fmt.Sprintf("entry[%d]", i)
		var e entry
		if json.Unmarshal(raw, &e) != nil {
			p.problem(where, "is not an object", raw)
			continue
		}
		for j, raw := range p.list(where+".changes", e.Changes, raw) {
			p.path = [2]int{i, j}
			var c change
			if json.Unmarshal(raw, &c) != nil || c.Value == nil {
				p.problem(p.where(""), "is missing", raw)
				continue
			}
			p.anyChange(e, c)
		}
	}
}

// list gives the elements of an array. If it is none, the problem shows the
// thing that holds it.
func (p *parser) list(where string, raw json.RawMessage, holder []byte) (elements []json.RawMessage) {
	if err := json.Unmarshal(raw, &elements); err != nil || elements == nil {
		p.problem(where, "is not an array", holder)
	}
	if p.isTooMuch(len(elements)) {
		return nil
	}
	return elements
}

// isTooMuch counts items, and reports that they are more than a body may hold.
func (p *parser) isTooMuch(n int) bool {
	before := p.items
	p.items += n
	if p.items > maxItems && before <= maxItems {
		p.problem(p.where(""), fmt.Sprintf("this and what follows is not read: more than %d items", maxItems), nil)
	}
	return p.items > maxItems
}

// anyChange reads a change of any field.
func (p *parser) anyChange(e entry, c change) {
	field, wabaID := string(c.Field), string(e.ID)
	isMessages := field == fieldMessages || field == "" // some relays drop the name
	if !isMessages {
		p.Changes = append(p.Changes, Change{WABAID: wabaID, Field: field, Value: c.Value, Time: e.Time})
	}
	var v value
	switch {
	case isMessages:
		if v = p.value(c.Value); v.isEmpty() {
			p.problem(p.where(""), "holds nothing that is known", c.Value)
		}
	case field == fieldEchoes:
		of := p.value(c.Value)
		v = value{Metadata: of.Metadata, Echoes: of.Echoes}
	}
	p.change(wabaID, field, v)
}

// change reads the items of a change.
func (p *parser) change(wabaID, field string, v value) {
	if p.isTooMuch(1 + len(v.Contacts) + len(v.Messages) + len(v.Statuses) + len(v.Errors) + len(v.Echoes)) {
		return
	}
	if field != "" && !slices.Contains(p.Fields, field) {
		p.Fields = append(p.Fields, field)
	}
	line := Line{WABAID: wabaID, DisplayPhoneNumber: v.Metadata.DisplayPhoneNumber, PhoneNumberID: v.Metadata.PhoneNumberID}
	people := p.people(v.Contacts)
	for raw := range p.objects("messages", v.Messages) {
		m := parseMessage(raw, line)
		m.know(people)
		p.Messages = append(p.Messages, m)
	}
	for raw := range p.objects("statuses", v.Statuses) {
		s := parseStatus(raw, line)
		s.know(people)
		p.Statuses = append(p.Statuses, s)
	}
	for raw := range p.objects("errors", v.Errors) {
		e := AccountError{Line: line, Raw: raw}
		_ = e.UnmarshalJSON(raw) // never fails
		p.Errors = append(p.Errors, e)
	}
	for raw := range p.objects("message_echoes", v.Echoes) {
		p.Echoes = append(p.Echoes, parseEcho(raw, line, field))
	}
}

// objects gives the items that are objects. Others are problems.
func (p *parser) objects(key string, items []json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for i, raw := range items {
			if !isObject(raw) {
				p.problem(p.where(".%s[%d]", key, i), "is not an object", raw)
			} else if !yield(raw) {
				return
			}
		}
	}
}

// value reads the arrays of a change.
func (p *parser) value(raw json.RawMessage) (v value) {
	if json.Unmarshal(raw, &v) == nil {
		return v
	}
	// Something has a wrong type: each array by itself, then.
	v = value{Messages: []json.RawMessage{}} // not empty: a problem is reported
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		p.problem(p.where(""), "is not an object", raw)
		return v
	}
	if metadata, ok := parts["metadata"]; ok {
		if err := decode(metadata, &v.Metadata); err != nil {
			p.problem(p.where(".metadata"), err.Error(), metadata)
		}
	}
	read := func(key string, into *[]json.RawMessage) {
		if part, ok := parts[key]; ok && json.Unmarshal(part, into) != nil {
			p.problem(p.where(".%s", key), "is not an array", part)
		}
	}
	read("contacts", &v.Contacts)
	read("messages", &v.Messages)
	read("statuses", &v.Statuses)
	read("errors", &v.Errors)
	read("message_echoes", &v.Echoes)
	return v
}

func parseEcho(raw json.RawMessage, line Line, field string) Echo {
	var w struct {
		To     string `json:"to"`
		ToUser string `json:"to_user_id"`
	}
	err := decode(raw, &w)
	e := Echo{Message: parseMessage(raw, line), Field: field}
	phone, userID := identify(w.To)
	e.To = cmp.Or(phone, w.ToUser, userID)
	e.Problem = cmp.Or(e.Problem, reason(err, ""))
	return e
}

func (p *parser) problem(where, reason string, raw []byte) {
	p.Problems = append(p.Problems, Problem{Where: where, Reason: reason, Raw: bytes.Clone(raw)})
}

// where names a place in the change that is being read.
func (p *parser) where(format string, args ...any) string {
	return fmt.Sprintf("entry[%d].changes[%d].value", p.path[0], p.path[1]) + fmt.Sprintf(format, args...)
}

func reason(err error, otherwise string) string {
	if err != nil {
		return err.Error()
	}
	return otherwise
}
