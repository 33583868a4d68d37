package alias_test

import (
	"testing"

	"parley/domain"
	"parley/domain/alias"
	"parley/domain/domaintest"
	"parley/events"
)

func TestRules(t *testing.T) { // A17
	const at = events.Instant(1_000_000_000)
	claimed := events.AliasClaimed{Holder: "bot1", At: at}
	put := func(at events.Instant, body any) domain.Command { return domain.Command{ID: "c", At: at, Body: body} }
	domaintest.Run(t, alias.New(), []domaintest.Case{
		{Name: "a free alias can be had", When: put(at, alias.Claim{Holder: "bot1"}), Then: []events.Event{claimed}},
		{Name: "one's own can be claimed again", Given: []events.Event{claimed}, When: put(at, alias.Claim{Holder: "bot1"})},
		{Name: "a taken one cannot be had", Given: []events.Event{claimed}, When: put(at, alias.Claim{Holder: "bot2"}), Refused: domain.Conflict},
		{
			Name: "one that its holder is about to use cannot be taken over", Given: []events.Event{claimed},
			When: put(at.Add(alias.Unproven-1000), alias.Claim{Holder: "bot2", Instead: "bot1"}), Refused: domain.Conflict,
		},
		{
			Name: "one that its holder does not use can be taken over", Given: []events.Event{claimed},
			When: put(at.Add(alias.Unproven), alias.Claim{Holder: "bot2", Instead: "bot1"}),
			Then: []events.Event{events.AliasClaimed{Holder: "bot2", At: at.Add(alias.Unproven)}},
		},
		{
			Name: "a released one can be had", Given: []events.Event{claimed, events.AliasReleased{}},
			When: put(at, alias.Claim{Holder: "bot2"}), Then: []events.Event{events.AliasClaimed{Holder: "bot2", At: at}},
		},
		{Name: "somebody else's is not released", Given: []events.Event{claimed}, When: put(at, alias.Release{Holder: "bot2"})},
		{Name: "one's own is released", Given: []events.Event{claimed}, When: put(at, alias.Release{Holder: "bot1"}), Then: []events.Event{events.AliasReleased{}}},
	})
}
