package bot_test

import (
	"strings"
	"testing"

	"parley/domain"
	"parley/domain/bot"
	"parley/domain/domaintest"
	"parley/events"
)

func TestRules(t *testing.T) {
	base := events.BotSettings{Name: "Ada", Visibility: "private"}
	created := events.BotCreated{Account: "acme", Settings: base}
	put := func(body any) domain.Command { return domain.Command{ID: "c", Account: "acme", Body: body} }
	domaintest.Run(t, bot.New(), []domaintest.Case{
		{
			Name: "nothing is needed to create one",
			When: put(bot.Create{}),
			Then: []events.Event{events.BotCreated{Account: "acme", Settings: events.BotSettings{Visibility: "private"}}},
		},
		{
			Name:  "an update changes only what it names",
			Given: []events.Event{created},
			When:  put(bot.Update{Changes: bot.Changes{Backstory: domain.Some("You are kind.")}}),
			Then:  []events.Event{events.BotUpdated{Settings: events.BotSettings{Name: "Ada", Visibility: "private", Backstory: "You are kind."}}},
		},
		{
			Name:  "visibility is one of three words",
			Given: []events.Event{created},
			When:  put(bot.Update{Changes: bot.Changes{Visibility: domain.Some("secret")}}), Refused: domain.Invalid,
		},
		{
			Name:  "a model's name is bounded",
			Given: []events.Event{created},
			When:  put(bot.Update{Changes: bot.Changes{Model: domain.Some(strings.Repeat("m", bot.MaxModel+1))}}), Refused: domain.Invalid,
		},
		{Name: "it is created once", Given: []events.Event{created}, When: put(bot.Create{}), Refused: domain.Conflict},
		{
			Name: "deleting ends it", Given: []events.Event{created},
			When: put(bot.Delete{}), Then: []events.Event{events.BotDeleted{Account: "acme"}},
		},
		{
			Name:  "what is deleted cannot be changed",
			Given: []events.Event{created, events.BotDeleted{Account: "acme"}},
			When:  put(bot.Update{}), Refused: domain.NotFound,
		},
		{
			Name: "somebody else's looks as if it did not exist", Given: []events.Event{created}, // P8
			When: domain.Command{ID: "c", Account: "other", Body: bot.Update{}}, Refused: domain.NotFound,
		},
	})
}

func TestADeletedBotIsStillKnownToThoseWhoKeepIt(t *testing.T) {
	d := bot.New()
	s := d.Fold(bot.State{}, events.BotCreated{Account: "a", Settings: events.BotSettings{Name: "Ada"}}, events.BotDeleted{Account: "a"})
	got, err := d.Answer(s, bot.Look{})
	if view, ok := got.(bot.View); err != nil || !ok || !view.Deleted || view.Settings.Name != "Ada" || view.Revision != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := d.Answer(bot.State{}, bot.Look{}); !domain.IsRefusal(err, domain.NotFound) {
		t.Errorf("none answers %v", err)
	}
}
