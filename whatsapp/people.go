package whatsapp

import (
	"cmp"
	"encoding/json"
	"strings"
)

// identify tells the two ways of naming a person apart: a phone number, of
// which only the digits are kept, or a business-scoped user ID.
//
// Meta: user IDs were seen repeated in "from" and "wa_id". They have letters
// and a dot; phone numbers have neither.
func identify(id string) (phone, userID string) {
	if allDigits(id) {
		return id, ""
	}
	bare := strings.Map(func(r rune) rune {
		if strings.ContainsRune("+-() ", r) {
			return -1
		}
		return r
	}, id)
	if allDigits(bare) {
		return bare, ""
	}
	return "", id
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// contact is one entry of contacts[].
type contact struct {
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
	WaID         string `json:"wa_id"`
	UserID       string `json:"user_id"`
	ParentUserID string `json:"parent_user_id"`

	phone, userID string
	raw           json.RawMessage
}

// people are the contacts of a change by phone number and by user ID. A single
// contact that has neither stands under "".
type people map[string]*contact

func (p *parser) people(contacts []json.RawMessage) people {
	if len(contacts) == 0 {
		return nil
	}
	found := make(people, 2*len(contacts))
	for i, raw := range contacts {
		c := &contact{raw: raw}
		if err := decode(raw, c); err != nil {
			p.problem(p.where(".contacts[%d]", i), err.Error(), raw)
		}
		phone, userID := identify(c.WaID)
		c.phone, c.userID = phone, cmp.Or(c.UserID, userID)
		for _, id := range []string{c.phone, c.userID} {
			if id != "" {
				found[id] = c
			}
		}
		if len(contacts) == 1 && c.phone == "" && c.userID == "" {
			found[""] = c
		}
	}
	return found
}

func (p people) find(phone, userID string) *contact {
	for _, id := range []string{phone, userID, ""} {
		if c := p[id]; c != nil {
			return c
		}
	}
	return nil
}

// know completes the sender from the contacts beside the message.
func (m *Message) know(people people) {
	c := people.find(m.From, m.UserID)
	if c == nil {
		return
	}
	m.Contact = c.raw
	m.From = cmp.Or(m.From, c.phone)
	m.UserID = cmp.Or(m.UserID, c.userID)
	m.ParentUserID = cmp.Or(m.ParentUserID, c.ParentUserID)
	m.Profile = c.Profile.Name
	m.Username = strings.TrimPrefix(c.Profile.Username, "@")
}

// know completes the recipient from the contacts beside it.
func (s *Status) know(people people) {
	c := people.find(s.RecipientID, s.UserID)
	if c == nil {
		return
	}
	s.Contact = c.raw
	s.RecipientID = cmp.Or(s.RecipientID, c.phone)
	s.UserID = cmp.Or(s.UserID, c.userID)
	s.ParentUserID = cmp.Or(s.ParentUserID, c.ParentUserID)
}
