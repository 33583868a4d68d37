package conversation_test

import (
	"testing"

	"parley/domain"
	"parley/domain/conversation"
	"parley/domain/domaintest"
	"parley/events"
)

func TestAttaching(t *testing.T) { // A24
	const now, until = events.Instant(1_700_000_000_000_000), events.Instant(1_700_000_900_000_000)
	file := func(hash string) events.Attachment {
		return events.Attachment{ID: "a1", Hash: hash, Name: "menu.txt", Type: "text/plain", Size: 5}
	}
	put := func(body any) domain.Command { return domain.Command{ID: "c", At: now, Account: "acme", Body: body} }
	attached := func(hash, ticket string) events.AttachmentUploaded {
		return events.AttachmentUploaded{Session: "s1", Attachment: file(hash), Ticket: ticket, At: now}
	}
	started := events.SessionStarted{Session: events.Session{ID: "s1", StartedAt: now, LastAt: now}}
	direct := events.SessionStarted{Session: events.Session{ID: "s1", StartedAt: now, LastAt: now, Direct: true}}
	domaintest.Run(t, conversation.New(conversation.DefaultRules()), []domaintest.Case{
		{
			Name:  "a file is attached to a session",
			Given: []events.Event{started},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("aa"), Ticket: "t1", Until: until}),
			Then:  []events.Event{attached("aa", "t1")},
		},
		{
			Name:  "the same ticket with the same bytes changes nothing",
			Given: []events.Event{started, attached("aa", "t1")},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("aa"), Ticket: "t1", Until: until}),
		},
		{
			Name:  "the same ticket with other bytes is refused",
			Given: []events.Event{started, attached("aa", "t1")},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("bb"), Ticket: "t1", Until: until}), Refused: domain.Conflict,
		},
		{
			Name:  "a ticket is remembered beyond what is carried on",
			Given: []events.Event{started, attached("aa", "t1"), carried(started, attached("aa", "t1"))},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("bb"), Ticket: "t1", Until: until}), Refused: domain.Conflict,
		},
		{
			Name:  "a ticket whose time is over is refused",
			Given: []events.Event{started},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("aa"), Ticket: "t1", Until: now - 1}), Refused: domain.Conflict,
		},
		{
			Name:  "what needs no ticket is attached each time",
			Given: []events.Event{started, attached("aa", "")},
			When:  put(conversation.Attach{Session: "s1", Attachment: file("aa")}),
			Then:  []events.Event{attached("aa", "")},
		},
		{
			Name: "nothing is attached where nobody ever was",
			When: put(conversation.Attach{Session: "s1", Attachment: file("aa")}), Refused: domain.NotFound,
		},
		{
			Name:  "nothing is attached to another session of a conversation that the API made",
			Given: []events.Event{direct},
			When:  put(conversation.Attach{Session: "s2", Attachment: file("aa")}), Refused: domain.NotFound,
		},
	})
}

// carried is what a conversation carries on after some facts.
func carried(facts ...events.Event) events.SessionContinued {
	s := conversation.New(conversation.DefaultRules()).Fold(conversation.State{}, facts...)
	return events.SessionContinued{Session: s.Session, Carried: s.Carried}
}
