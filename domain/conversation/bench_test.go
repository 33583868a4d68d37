package conversation_test

import (
	"fmt"
	"testing"
	"time"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
)

// BenchmarkTurn decides everything of one message's journey: received,
// answered, sent, delivered. A conversation costs what it remembers, which is
// ten days of wamids.
func BenchmarkTurn(b *testing.B) {
	b.Run("an hour apart", func(b *testing.B) { benchTurns(b, time.Hour) })
	b.Run("a minute apart", func(b *testing.B) { benchTurns(b, time.Minute) })
}

func benchTurns(b *testing.B, apart time.Duration) {
	rules := conversation.DefaultRules()
	rules.Gather = 0
	decider := conversation.New(rules)
	var state conversation.State
	now, facts := events.At(time.Unix(1_700_000_000, 0)), 0
	policy := conversation.Policy{Allowed: true, BotID: "b", Lifetime: (2 * time.Hour).Milliseconds()}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m, w, part := fmt.Sprint("m", i), fmt.Sprint("wamid.", i), fmt.Sprint("m", i, "-0")
		now = now.Add(apart)
		for _, body := range []any{
			conversation.Receive{
				Policy: policy, Notification: &events.NotificationReceived{Messages: 1},
				Messages: []conversation.Inbound{{Message: m, Session: m, WAMID: w, From: "1555", Kind: "text", Text: "Hello", At: now, Opens: true}},
			},
			conversation.Answer{
				Turn: m, Messages: []events.TurnMessage{{ID: m + "-a", Text: "Hi"}},
				Parts: []events.Part{{ID: part, Message: m + "-a"}}, Sending: true,
			},
			conversation.ReportSent{Part: part, WAMID: w + ".out", Sending: true},
			conversation.Receive{Statuses: []conversation.Status{{WAMID: w + ".out", Status: "delivered", Echo: part}}},
		} {
			recorded, err := decider.Decide(state, domain.Command{At: now, Body: body})
			if err != nil {
				b.Fatal(err)
			}
			for _, fact := range recorded {
				state = decider.Evolve(state, fact)
			}
			facts += len(recorded)
		}
	}
	b.ReportMetric(float64(facts)/float64(b.N), "facts/op")
}
