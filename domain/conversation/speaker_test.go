package conversation_test

import (
	"testing"

	"parley/domain/conversation"
	"parley/events"
)

// A session that has a blueprint is answered by a bot that only its first answer
// names. Spec: "Decisions to confirm", D1, D5.
func TestWhichBotASessionKeeps(t *testing.T) {
	bot := func(id string) *string { return &id }
	turn := events.TurnStarted{Session: "s1", Turn: "t1", Messages: []string{"m1"}}
	answered := func(bot string) events.Event {
		return events.TurnAnswered{Session: "s1", Turn: "t1", BotID: bot, BotRevision: 3, Memory: []byte("memory of " + bot)}
	}
	described := func(bot *string) events.Event {
		return events.SessionDescribed{Session: "s1", Changes: events.SessionChanges{BotID: bot}}
	}
	for _, c := range []struct {
		name    string
		session events.Session
		facts   []events.Event
		bot     string
		pinned  bool
	}{
		{"the blueprint's, once it answered", events.Session{BlueprintID: "p1"}, []events.Event{turn, answered("b1")}, "b1", true},
		{"none before", events.Session{BlueprintID: "p1"}, []events.Event{turn}, "", false},
		{"the first that answered", events.Session{BlueprintID: "p1"}, []events.Event{turn, answered("b1"), turn, answered("b2")}, "b1", true},
		{"the blueprint's, if its own is gone", events.Session{BotID: "b0", BlueprintID: "p1"}, []events.Event{turn, answered("b1")}, "b1", true},
		{"the one that people gave it meanwhile", events.Session{BlueprintID: "p1"}, []events.Event{turn, described(bot("b2")), answered("b1")}, "b2", false},
		{"none, if people took it meanwhile", events.Session{BlueprintID: "p1"}, []events.Event{turn, described(bot("")), answered("b1")}, "", false},
		{"its own", events.Session{BotID: "b0", BlueprintID: "p1"}, []events.Event{turn, answered("b0")}, "b0", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := conversation.New(conversation.DefaultRules())
			c.session.ID = "s1"
			s := d.Fold(conversation.State{}, events.SessionStarted{Session: c.session})
			s = d.Fold(s, c.facts...)
			if s.Session.BotID != c.bot || s.Session.Pinned != c.pinned {
				t.Errorf("%q, pinned %v", s.Session.BotID, s.Session.Pinned)
			}
			if c.pinned && string(s.Session.Memory) != "memory of "+c.bot {
				t.Errorf("it remembers %q", s.Session.Memory)
			}
		})
	}
}
