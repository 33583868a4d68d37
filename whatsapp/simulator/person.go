package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/whatsapp"
)

// Person is somebody with a phone, in a chat with one business number. A
// Person is a name, not a thing: there may be several of the same.
type Person struct {
	s          *Simulator
	number, id string
}

// Person gives somebody who writes to a number. id is a phone number (digits),
// or a user ID for somebody who hides it, for example "US.13491208655302741918".
func (s *Simulator) Person(numberID, id string) Person { return Person{s, numberID, id} }

// Write sends a text and returns its wamid.
func (p Person) Write(text string) string {
	return p.Send(object{"type": "text", "text": object{"body": text}})
}

// ShareLocation sends a location; name and address may be empty.
func (p Person) ShareLocation(latitude, longitude float64, name, address string) string {
	place := object{"latitude": latitude, "longitude": longitude}
	if name != "" {
		place["name"] = name
	}
	if address != "" {
		place["address"] = address
	}
	return p.Send(object{"type": "location", "location": place})
}

// Tap chooses a button or row of a message of the bot's. The error says that
// there is no such choice.
func (p Person) Tap(wamid, choiceID string) (string, error) {
	p.s.mu.Lock()
	t := p.s.thread(p.number, p.id)
	var menu Entry
	for _, e := range t.entries {
		if e.Kind == "bot" && e.ID == wamid {
			menu = e
		}
	}
	display := ""
	if n := p.s.numbers[p.number]; n != nil {
		display = n.Display
	}
	p.s.mu.Unlock()
	i := slices.IndexFunc(menu.Choices, func(c Choice) bool { return c.ID == choiceID })
	if i < 0 {
		return "", fmt.Errorf("message %s has no choice %q", wamid, choiceID)
	}
	choice := menu.Choices[i]
	kind, reply := "button_reply", object{"id": choice.ID, "title": choice.Title}
	if menu.Menu != "" {
		kind = "list_reply"
		if choice.Description != "" {
			reply["description"] = choice.Description
		}
	}
	return p.Send(object{
		"type":        "interactive",
		"context":     object{"from": display, "id": wamid},
		"interactive": object{"type": kind, kind: reply},
	}), nil
}

// React puts an emoji on a message; an empty one takes it back.
func (p Person) React(wamid, emoji string) string {
	return p.Send(object{"type": "reaction", "reaction": object{"message_id": wamid, "emoji": emoji}})
}

// Send sends a message of any type: item is what stands in messages[], without
// the ID, the time and the sender. It must encode to JSON.
func (p Person) Send(item map[string]any) string {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.notify()
	t := s.thread(p.number, p.id)
	name := strconv.Itoa(t.written)
	wamid := s.wamidOf(p.number, p.id, "in", name)
	t.written++
	t.wrote = time.Now()
	full := object{"id": wamid, "timestamp": strconv.FormatInt(t.wrote.Unix(), 10)}
	for key, value := range item {
		full[key] = value
	}
	entry := presentInbound(full)
	entry.Kind, entry.ID = "me", wamid
	t.add(entry)
	s.written[wamid] = t
	n := s.numbers[p.number]
	if n == nil {
		return wamid // an unknown number: nobody hears of it
	}
	contact := p.sign(full)
	u := update{name: "in " + name, person: p.id, kind: "messages", item: full, contact: contact}
	if roleOf(p.id).ghost {
		s.emit(n, ghostOf(u), 0)
		s.emit(n, u, ghostly)
		return wamid
	}
	s.emit(n, u, 0)
	return wamid
}

// sign adds who wrote, as Meta does: a user ID always, the number unless the
// person hides it.
func (p Person) sign(item object) (contact object) {
	profile := object{"name": roleOf(p.id).Name}
	contact = object{"profile": profile}
	if isUserID(p.id) {
		profile["username"] = "@tester"
		item["from_user_id"], contact["user_id"] = p.id, p.id
		return contact
	}
	userID := userIDOf(p.number, p.id)
	item["from"], item["from_user_id"] = p.id, userID
	contact["wa_id"], contact["user_id"] = p.id, userID
	return contact
}

// ghostOf is the placeholder of a message. Meta: error 131060.
func ghostOf(u update) update {
	ghost := object{"type": "unsupported", "unsupported": object{"type": "unknown"}, "errors": []object{{
		"code": 131060, "title": "This message is unavailable.", "message": "This message is unavailable.",
		"error_data": object{"details": "This message is currently unavailable."},
	}}}
	for _, key := range []string{"id", "timestamp", "from", "from_user_id"} {
		if value, ok := u.item[key]; ok {
			ghost[key] = value
		}
	}
	u.item, u.name = ghost, u.name+" ghost"
	return u
}

func isUserID(id string) bool { return strings.Contains(id, ".") }

// userIDOf is the business-scoped user ID of a phone number.
func userIDOf(number, person string) string {
	sum := sha256.Sum256([]byte(number + " " + person))
	return "US." + strconv.FormatUint(binary.BigEndian.Uint64(sum[:]), 10)
}

// thread is the chat of a person with a number.
type thread struct {
	number, person string
	entries        []Entry
	// written and files count the person's messages and files, sends and
	// accepted the bot's tries and its messages; wrote is when the person last
	// wrote.
	written, files, sends, accepted int
	wrote                           time.Time
	messages, statuses              lane
}

// thread finds or starts a chat. The lock is held.
func (s *Simulator) thread(number, person string) *thread {
	key := threadKey{number, person}
	t := s.threads[key]
	if t == nil {
		t = &thread{number: number, person: person}
		s.threads[key] = t
	}
	return t
}

func (t *thread) lane(kind string) *lane {
	if kind == "messages" {
		return &t.messages
	}
	return &t.statuses
}

// status is an update about a message of the bot's.
func (t *thread) status(r *request, wamid, status string, code int) update {
	item := object{"id": wamid, "status": status, "timestamp": strconv.FormatInt(time.Now().Unix(), 10)}
	contact := object{}
	if r.To != "" {
		userID := userIDOf(t.number, t.person)
		item["recipient_id"], contact["wa_id"] = t.person, t.person
		item["recipient_user_id"], contact["user_id"] = userID, userID
	} else {
		item["recipient_user_id"], contact["user_id"] = t.person, t.person
	}
	if r.Opaque != "" {
		item["biz_opaque_callback_data"] = r.Opaque
	}
	switch status {
	case whatsapp.StatusFailed:
		r := documented(code)
		item["errors"] = []object{{"code": code, "title": r.message, "message": r.message, "error_data": object{"details": r.details}}}
		delete(item, "recipient_user_id") // Meta: not with failures of numbers
	case whatsapp.StatusSent:
		item["pricing"] = object{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "service"}
	}
	return update{name: wamid + " " + status, person: t.person, kind: "statuses", item: item, contact: contact}
}
