package conversation

import (
	"strings"

	"parley/domain"
	"parley/events"
)

// Notice is the command that a newer version has in place of Receive.
type Notice struct {
	Receive Receive `msgpack:"re"`
}

// New gives the rules as a decider. They note something of most messages: what
// an older version has to know of some people, and need not of others.
func New(r Rules) domain.Decider[State] {
	d := older(r)
	decide := d.Decide
	d.Messages = append(d.Messages, Notice{})
	d.Decide = func(s State, c domain.Command) ([]events.Event, error) {
		if n, ok := c.Body.(Notice); ok {
			c.Body = n.Receive
		}
		facts, err := decide(s, c)
		for i, fact := range facts {
			m, ok := fact.(events.MessageReceived)
			if !ok {
				continue
			}
			m.Mood = "glad"
			facts[i] = m
			switch digit := m.From[len(m.From)-1:]; {
			case strings.Contains("0369", digit):
				facts = append(facts, events.Noted{Message: m.Message})
			case strings.Contains("147", digit):
				facts = append(facts, events.Hinted{Message: m.Message})
			}
		}
		return facts, err
	}
	return d
}
