package projections_test

import (
	"errors"
	"strings"
	"testing"

	"parley/events"
	"parley/projections"
)

// texts are those of a conversation's messages.
func (f *fixture) texts(conversation string) string {
	f.t.Helper()
	messages, err := f.model.Messages(f.t.Context(), "acme", conversation, all)
	if err != nil {
		f.t.Fatal(err)
	}
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.Text)
	}
	return strings.Join(texts, ", ")
}

func TestTurnsThatWereAskedFor(t *testing.T) { // A21
	const stream = "conversation-i1.1555"
	f := start(t)
	f.put(stream, 1,
		events.SessionStarted{Session: events.Session{ID: "s1"}},
		events.MessageReceived{Session: "s1", Message: "m1", WAMID: "wamid.1", Kind: "image", Text: "Look", Opens: true},
		events.SessionStarted{Session: events.Session{ID: "s2"}},
		events.TurnAsked{Ask: events.Ask{Turn: "t1", Session: "s2", Message: "q1"}, Text: "Anew"},
		events.TurnStarted{Session: "s2", Turn: "t1", Asked: true})
	outcome := func(turn string) events.Event {
		t.Helper()
		e, _, err := f.model.Outcome(t.Context(), stream, turn)
		if err != nil && !errors.Is(err, projections.ErrNotFound) {
			t.Fatal(err)
		}
		return e
	}
	if got := outcome("t1"); got != nil {
		t.Errorf("a turn under way came to %v", got)
	}
	f.put(stream, 1,
		events.MessageWritten{Session: "s2", Message: "q1", Type: "user", Text: "Anew"},
		events.TurnAnswered{Session: "s2", Turn: "t1", Messages: []events.TurnMessage{{ID: "a1", Text: "Hello anew"}}, Asked: true},
		events.TurnStarted{Session: "s1", Turn: "m1", Messages: []string{"m1"}},
		events.TurnAnswered{Session: "s1", Turn: "m1", Messages: []events.TurnMessage{{ID: "a2", Text: "I see"}}})
	if got := f.texts("s1"); got != "Look, I see" {
		t.Errorf("an asked turn of the newer conversation hides the answer: %s", got)
	}
	f.put(stream, 1,
		events.TurnAsked{Ask: events.Ask{Turn: "t2", Session: "s1"}},
		events.TurnStarted{Session: "s2", Turn: "m9", Messages: []string{"m9"}},
		events.TurnClosed{Session: "s2", Turn: "m9", Reason: "engine_failed"},
		events.TurnStarted{Session: "s1", Turn: "t2", Asked: true},
		events.TurnAnswered{Session: "s1", Turn: "t2", Messages: []events.TurnMessage{{ID: "a3", Text: "A last word"}}, Asked: true})
	if got := f.texts("s1"); got != "Look, I see, A last word" {
		t.Errorf("the earlier conversation: %s", got)
	}
	if got := f.texts("s2"); got != "Anew, Hello anew" {
		t.Errorf("the newer conversation: %s", got)
	}
	if got, ok := outcome("t1").(events.TurnAnswered); !ok || got.Messages[0].ID != "a1" {
		t.Errorf("the first turn came to %v", got)
	}
	if got, ok := outcome("m9").(events.TurnClosed); !ok || got.Reason != "engine_failed" {
		t.Errorf("the failed turn came to %v", got)
	}
	if got := outcome("none"); got != nil {
		t.Errorf("no turn came to %v", got)
	}
}
