// Package callback holds the rules for what reaches an integration's callback
// address and belongs to no sender: verification, refused notifications, news
// about the account.
//
// Everybody on the Internet can call a callback address. So refusals are
// recorded only up to a rate, and what lies above it is left to a metric.
package callback

import (
	"time"

	"parley/domain"
	"parley/events"
)

// MaxRefusals is how many refusals are recorded within RefusalWindow.
const (
	MaxRefusals   = 60
	RefusalWindow = time.Minute
)

// State counts the refusals of the current window.
type State struct {
	WindowStart events.Instant
	Refusals    int
	MutedUntil  events.Instant
}

// Verify reports that the callback was asked to verify itself.
type Verify struct {
	Status int    `msgpack:"st"`
	Reason string `msgpack:"re"`
}

// Refuse reports that a notification was turned away unread.
type Refuse struct {
	Status int    `msgpack:"st"`
	Reason string `msgpack:"re"`
}

// Notify reports a notification, or the part of one that no conversation takes.
type Notify struct {
	// Notification is what arrived; nil when an earlier command carried it.
	Notification *events.NotificationReceived     `msgpack:"no"`
	System       []events.SystemNotified          `msgpack:"sy"`
	Misdirected  []events.NotificationMisdirected `msgpack:"mi"`
	Statuses     []events.StatusReceived          `msgpack:"st"`
}

// New gives the rules.
func New() domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.CallbackCategory, Messages: []any{Verify{}, Refuse{}, Notify{}}, Decide: decide, Evolve: evolve,
		Route: func(id string, _ State) events.Route { return events.Route{Integration: id} },
	}
}

func decide(s State, c domain.Command) ([]events.Event, error) {
	switch body := c.Body.(type) {
	case Verify:
		fact := events.CallbackVerified{Status: body.Status, Reason: body.Reason, At: c.At}
		if body.Status == 200 {
			return []events.Event{fact}, nil
		}
		return refusal(s, c.At, fact), nil
	case Refuse:
		return refusal(s, c.At, events.CallbackRefused{Status: body.Status, Reason: body.Reason, At: c.At}), nil
	case Notify:
		return notify(body), nil
	}
	return nil, domain.Refused(domain.Invalid, "", "callbacks do not know this command")
}

// refusal records a refusal, the muting that the last one of a window brings,
// or nothing while muted.
func refusal(s State, at events.Instant, fact events.Event) []events.Event {
	if at < s.MutedUntil {
		return nil
	}
	facts := []events.Event{fact}
	if s.count(at).Refusals >= MaxRefusals {
		facts = append(facts, events.CallbackMuted{Until: s.WindowStart.Add(RefusalWindow)})
	}
	return facts
}

func notify(body Notify) []events.Event {
	var facts []events.Event
	if body.Notification != nil {
		facts = append(facts, *body.Notification)
	}
	for _, f := range body.System {
		facts = append(facts, f)
	}
	for _, f := range body.Misdirected {
		facts = append(facts, f)
	}
	for _, f := range body.Statuses {
		facts = append(facts, f)
	}
	return facts
}

func evolve(s State, fact events.Event) State {
	switch f := fact.(type) {
	case events.CallbackVerified:
		if f.Status != 200 {
			s = s.count(f.At)
		}
	case events.CallbackRefused:
		s = s.count(f.At)
	case events.CallbackMuted:
		s.MutedUntil = f.Until
	}
	return s
}

func (s State) count(at events.Instant) State {
	if at.Sub(s.WindowStart) >= RefusalWindow {
		s.WindowStart, s.Refusals = at, 0
	}
	s.Refusals++
	return s
}
