package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/domain"
	"parley/domain/blueprint"
	"parley/domain/domaintest"
	"parley/events"
)

func TestRules(t *testing.T) { // A19
	created := events.BlueprintCreated{Account: "acme", Settings: events.BlueprintSettings{
		Name: "Shops", Visibility: "private", Meta: []byte(`{"a":1}`),
	}}
	deleted := events.BlueprintDeleted{Account: "acme"}
	dissolving := events.BlueprintDeleted{Account: "acme", WithResources: true}
	put := func(body any) domain.Command { return domain.Command{ID: "c", Account: "acme", Body: body} }
	update := func(c blueprint.Changes) domain.Command { return put(blueprint.Update{Changes: c}) }
	domaintest.Run(t, blueprint.New(), []domaintest.Case{
		{
			Name: "nothing is needed to create one",
			When: put(blueprint.Create{}),
			Then: []events.Event{events.BlueprintCreated{Account: "acme", Settings: events.BlueprintSettings{Visibility: "private"}}},
		},
		{Name: "it is created once", Given: []events.Event{created}, When: put(blueprint.Create{}), Refused: domain.Conflict},
		{
			Name:  "an update changes only what it names, and merges meta",
			Given: []events.Event{created},
			When:  update(blueprint.Changes{Description: domain.Some("All of them"), Meta: []byte(`{"b":2}`)}),
			Then: []events.Event{events.BlueprintUpdated{Settings: events.BlueprintSettings{
				Name: "Shops", Description: "All of them", Visibility: "private", Meta: []byte(`{"a":1,"b":2}`),
			}}},
		},
		{
			Name: "visibility is one of three words", Given: []events.Event{created},
			When: update(blueprint.Changes{Visibility: domain.Some("secret")}), Refused: domain.Invalid,
		},
		{
			Name: "a name is bounded", Given: []events.Event{created},
			When: update(blueprint.Changes{Name: domain.Some(strings.Repeat("n", domain.MaxName+1))}), Refused: domain.Invalid,
		},
		{
			Name: "a description is bounded", Given: []events.Event{created},
			When: update(blueprint.Changes{Description: domain.Some("a\x00b")}), Refused: domain.Invalid,
		},
		{
			Name: "an alias has no capitals", Given: []events.Event{created},
			When: update(blueprint.Changes{Alias: domain.Some("Shops")}), Refused: domain.Invalid,
		},
		{
			Name: "meta is an object", Given: []events.Event{created},
			When: update(blueprint.Changes{Meta: []byte(`[1]`)}), Refused: domain.Invalid,
		},
		{
			Name: "deleting ends it, and leaves what is linked to it", Given: []events.Event{created},
			When: put(blueprint.Delete{}), Then: []events.Event{deleted},
		},
		{
			Name: "deleting with resources says so", Given: []events.Event{created},
			When: put(blueprint.Delete{WithResources: true}), Then: []events.Event{dissolving},
		},
		{
			Name: "what is deleted is deleted once", Given: []events.Event{created, deleted},
			When: put(blueprint.Delete{WithResources: true}), Refused: domain.NotFound,
		},
		{
			Name: "what is deleted does not come back", Given: []events.Event{created, deleted},
			When: put(blueprint.Create{}), Refused: domain.Conflict,
		},
		{
			Name: "the end of a dissolution is recorded", Given: []events.Event{created, dissolving},
			When: put(blueprint.ReportDissolved{}), Then: []events.Event{events.BlueprintDissolved{}},
		},
		{
			Name: "it is recorded once", Given: []events.Event{created, dissolving, events.BlueprintDissolved{}},
			When: put(blueprint.ReportDissolved{}),
		},
		{
			Name: "what was deleted alone is not dissolved", Given: []events.Event{created, deleted},
			When: put(blueprint.ReportDissolved{}),
		},
		{
			Name: "somebody else's looks as if it did not exist", Given: []events.Event{created}, // P8
			When: domain.Command{ID: "c", Account: "other", Body: blueprint.Delete{}}, Refused: domain.NotFound,
		},
	})
}

func TestADeletionWithResourcesOwesThem(t *testing.T) { // A19 P4
	d := blueprint.New()
	s := d.Fold(blueprint.State{}, events.BlueprintCreated{Account: "acme"})
	if owed := d.Owed(d.Fold(s, events.BlueprintDeleted{Account: "acme"})); len(owed) != 0 {
		t.Errorf("deleted alone, it owes %v", owed)
	}
	s = d.Fold(s, events.BlueprintDeleted{Account: "acme", WithResources: true})
	want := []domain.Task{{Lane: blueprint.DissolveLane, Body: blueprint.Dissolve{Account: "acme"}}}
	if diff := cmp.Diff(want, d.Owed(s)); diff != "" {
		t.Error(diff)
	}
	if owed := d.Owed(d.Fold(s, events.BlueprintDissolved{})); len(owed) != 0 {
		t.Errorf("dissolved, it owes %v", owed)
	}
}

func TestADeletedOneIsNotSeen(t *testing.T) {
	d := blueprint.New()
	s := d.Fold(blueprint.State{}, events.BlueprintCreated{Account: "acme", Settings: events.BlueprintSettings{Name: "Shops"}})
	answer, err := d.Answer(s, blueprint.Look{})
	if view, ok := answer.(blueprint.View); err != nil || !ok || view.Account != "acme" || view.Settings.Name != "Shops" {
		t.Errorf("%+v, %v", answer, err)
	}
	for _, gone := range []blueprint.State{{}, d.Fold(s, events.BlueprintDeleted{Account: "acme"})} {
		if answer, err := d.Answer(gone, blueprint.Look{}); !domain.IsRefusal(err, domain.NotFound) {
			t.Errorf("%+v, %v", answer, err)
		}
	}
}

func TestTheOnlyBotSpeaks(t *testing.T) { // D1 F042
	if bot, err := blueprint.Speaker(1, "b1"); bot != "b1" || err != nil {
		t.Errorf("%q, %v", bot, err)
	}
	for bots, why := range map[int]string{0: "has no bot", 2: "has 2 bots", 17: "has 17 bots"} {
		if bot, err := blueprint.Speaker(bots, "b1"); bot != "" || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%d bots: %q, %v", bots, bot, err)
		}
	}
}
