package completion_test

import (
	"testing"
	"time"

	"parley/domain"
	"parley/domain/completion"
	"parley/domain/domaintest"
	"parley/events"
)

func TestRules(t *testing.T) { // A21
	const at = events.Instant(1_000_000_000)
	record := completion.Record{BotID: "bot1", Model: "gpt-x", Tokens: 7, Thought: 3 * time.Millisecond}
	made := events.CompletionMade{BotID: "bot1", Model: "gpt-x", Tokens: 7, Thought: 3000, At: at}
	put := func(body any) domain.Command { return domain.Command{ID: "c", At: at, Body: body} }
	domaintest.Run(t, completion.New(), []domaintest.Case{
		{Name: "what an answer cost is recorded", When: put(record), Then: []events.Event{made}},
		{Name: "it counts once", Given: []events.Event{made}, When: put(record)},
		{Name: "there is nothing else to it", When: put("x"), Refused: domain.Invalid},
	})
}
