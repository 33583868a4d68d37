package projections_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/projections"
)

// group puts two blueprints of acme's and one of somebody else's into the log,
// all called "shops" or "bars", with what is linked to them.
func (f *fixture) group() {
	f.put("blueprint-p1", 0, events.BlueprintCreated{Account: "acme", Settings: events.BlueprintSettings{Name: "Shops", Alias: "shops", Meta: []byte(`{"v":2}`)}})
	f.put("blueprint-p2", 0, events.BlueprintCreated{Account: "acme", Settings: events.BlueprintSettings{Name: "Bars", Alias: "bars"}})
	f.put("blueprint-p3", 0, events.BlueprintCreated{Account: "other", Settings: events.BlueprintSettings{Name: "Shops", Alias: "shops"}})
	for id, blueprint := range map[events.Stream]string{"bot-m1": "p1", "bot-m2": "p1", "bot-m3": "p2"} {
		f.put(id, 0, events.BotCreated{Account: "acme", Settings: events.BotSettings{Alias: id.ID(), BlueprintID: blueprint}})
	}
	f.put("bot-x1", 0, events.BotCreated{Account: "other", Settings: events.BotSettings{BlueprintID: "p3"}})
	f.put("integration-k1", 0, events.IntegrationCreated{Account: "acme", Settings: events.IntegrationSettings{}})
	f.put("integration-k1", 0, events.IntegrationUpdated{Settings: events.IntegrationSettings{BotID: "m1", BlueprintID: "p1"}})
}

// botsOf gives the bots of an account that a filter names, in their IDs' order.
func (f *fixture) botsOf(account string, blueprints ...string) []string {
	f.t.Helper()
	bots, err := f.model.Bots(f.t.Context(), account, blueprints, all)
	if err != nil {
		f.t.Fatal(err)
	}
	ids := []string{}
	for _, b := range bots {
		ids = append(ids, b.ID)
	}
	slices.Sort(ids)
	return ids
}

// doomed gives the streams that go with a blueprint, in their order.
func (f *fixture) doomed(blueprint string) []events.Stream {
	f.t.Helper()
	things, err := f.model.Doomed(f.t.Context(), blueprint, 10)
	if err != nil {
		f.t.Fatal(err)
	}
	streams := []events.Stream{}
	for _, d := range things {
		streams = append(streams, d.Stream)
	}
	return streams
}

func TestBlueprints(t *testing.T) { // A19
	f := start(t)
	f.group()
	ctx := t.Context()

	t.Run("a blueprint is found by ID and alias, by its owner alone", func(t *testing.T) { // P8
		for _, id := range []string{"p1", "@shops"} {
			b, err := f.model.Blueprint(ctx, "acme", id)
			if err != nil || b.ID != "p1" || b.Settings.Name != "Shops" || b.Created == 0 || b.Updated != b.Created {
				t.Errorf("%s: %+v, %v", id, b, err)
			}
		}
		for _, who := range [][2]string{{"other", "p1"}, {"acme", "p3"}, {"acme", "@"}, {"acme", ""}} {
			if _, err := f.model.Blueprint(ctx, who[0], who[1]); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%v: %v", who, err)
			}
		}
	})
	t.Run("blueprints are listed, and by their meta", func(t *testing.T) { // A15
		for want, page := range map[int]projections.Page{2: all, 1: {Take: 10, Meta: map[string]string{"v": "2"}}, 0: {Take: 10, Meta: map[string]string{"v": "3"}}} {
			if found, err := f.model.Blueprints(ctx, "acme", page); err != nil || len(found) != want {
				t.Errorf("%d blueprints, want %d, %v", len(found), want, err)
			}
		}
	})
	t.Run("a filter names blueprints by ID and alias, of the account alone", func(t *testing.T) { // F343 P8
		for _, c := range []struct {
			names, want []string
		}{
			{[]string{"p1"}, []string{"m1", "m2"}},
			{[]string{"@shops"}, []string{"m1", "m2"}},
			{[]string{"@bars", "p1"}, []string{"m1", "m2", "m3"}},
			{[]string{"p3"}, []string{}},
			{[]string{"none", "@none", "@", ""}, []string{}},
			{nil, []string{"m1", "m2", "m3"}},
		} {
			if diff := cmp.Diff(c.want, f.botsOf("acme", c.names...)); diff != "" {
				t.Errorf("%q: %s", c.names, diff)
			}
		}
	})
	t.Run("bots are counted, of the account alone", func(t *testing.T) { // F042
		for _, c := range []struct {
			account, blueprint, first string
			bots                      int
		}{{"acme", "p1", "m1", 2}, {"acme", "p2", "m3", 1}, {"acme", "p3", "", 0}} {
			if bots, first, err := f.model.CountBots(ctx, c.account, c.blueprint); err != nil || bots != c.bots || first != c.first {
				t.Errorf("%s of %s: %d, %q, %v", c.blueprint, c.account, bots, first, err)
			}
		}
	})
	t.Run("an update moves a member and the blueprint's alias", func(t *testing.T) {
		f.put("bot-m3", 0, events.BotUpdated{Settings: events.BotSettings{BlueprintID: "p1"}})
		f.put("blueprint-p2", 0, events.BlueprintUpdated{Settings: events.BlueprintSettings{Alias: "pubs"}})
		if diff := cmp.Diff([]string{"m1", "m2", "m3"}, f.botsOf("acme", "p1")); diff != "" {
			t.Error(diff)
		}
		b, err := f.model.Blueprint(ctx, "acme", "@pubs")
		if err != nil || b.ID != "p2" || b.Updated <= b.Created {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

func TestADeletedBlueprintIsLinkedNowhere(t *testing.T) { // A19
	f := start(t)
	f.group()
	f.put("blueprint-p1", 0, events.BlueprintDeleted{Account: "acme"})
	f.put("bot-late", 0, events.BotCreated{Account: "acme", Settings: events.BotSettings{BlueprintID: "p1"}})
	f.put("bot-m2", 0, events.BotUpdated{Settings: events.BotSettings{BlueprintID: "p1"}})
	for _, id := range []string{"m1", "m2", "late"} {
		if b, err := f.model.Bot(t.Context(), "acme", id); err != nil || b.Settings.BlueprintID != "" {
			t.Errorf("%+v, %v", b, err)
		}
	}
	i, err := f.model.Integration(t.Context(), "acme", "k1")
	if err != nil || i.Settings.BlueprintID != "" || i.Settings.BotID != "m1" {
		t.Errorf("%+v, %v", i, err)
	}
	if got := f.botsOf("acme", "p1"); len(got) != 0 {
		t.Errorf("the filter finds %v", got)
	}
	if got := f.doomed("p1"); len(got) != 0 {
		t.Errorf("%v go with it", got)
	}
}

func TestWhatGoesWithABlueprint(t *testing.T) { // A19
	f := start(t)
	f.group()
	f.put("blueprint-p1", 1, events.BlueprintDeleted{Account: "acme", WithResources: true})
	t.Run("is what was linked to it when it was deleted", func(t *testing.T) {
		f.put("bot-m1", 0, events.BotUpdated{Settings: events.BotSettings{}}) // too late to leave
		f.put("bot-late", 0, events.BotCreated{Account: "acme", Settings: events.BotSettings{BlueprintID: "p1"}})
		if diff := cmp.Diff([]events.Stream{"integration-k1", "bot-m2", "bot-m1"}, f.doomed("p1")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("is known by its alias", func(t *testing.T) {
		things, err := f.model.Doomed(t.Context(), "p1", 2)
		want := []projections.Doomed{{Stream: "integration-k1"}, {Stream: "bot-m2", Alias: "m2"}}
		if diff := cmp.Diff(want, things); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("may be linked to another one that is deleted, too", func(t *testing.T) {
		f.put("bot-m2", 0, events.BotUpdated{Settings: events.BotSettings{BlueprintID: "p2"}})
		f.put("blueprint-p2", 1, events.BlueprintDeleted{Account: "acme", WithResources: true})
		if diff := cmp.Diff([]events.Stream{"bot-m3"}, f.doomed("p2")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("is forgotten when it is gone", func(t *testing.T) {
		f.put("bot-m2", 0, events.BotDeleted{Account: "acme"})
		f.put("integration-k1", 0, events.IntegrationDeleted{Account: "acme"})
		if diff := cmp.Diff([]events.Stream{"bot-m1"}, f.doomed("p1")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("is the same when it is folded anew, and settings are erased", func(t *testing.T) { // P6
		if err := f.store.Truncate(t.Context(), "integration-k1", 2); err != nil {
			t.Fatal(err)
		}
		want := dump(t, f.model)
		f.stop()
		remove(t, f.path)
		f.open()
		if err := f.model.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := dump(t, f.model); got != want {
			t.Error(cmp.Diff(want, got))
		}
	})
}

func TestTheBotThatSpokeForABlueprintHasTheConversation(t *testing.T) { // D1
	f := start(t)
	f.group()
	botOf := func(session string) string {
		c, err := f.model.Conversation(t.Context(), "acme", session)
		if err != nil {
			t.Fatal(err)
		}
		return c.BotID
	}
	session := func(stream events.Stream, id string, facts ...events.Event) {
		f.put(stream, 0, append([]events.Event{events.SessionStarted{Session: events.Session{ID: id, BlueprintID: "p1"}}}, facts...)...)
	}
	answered := func(session, bot string) events.Event {
		return events.TurnAnswered{Session: session, Turn: "t", BotID: bot}
	}
	cut := ""
	session("conversation-k1.1", "s1")
	session("conversation-k1.2", "s2", answered("s2", "m1"), answered("s2", "m2"))
	session("conversation-k1.3", "s3", events.SessionDescribed{Session: "s3", Changes: events.SessionChanges{BotID: &cut}}, answered("s3", "m1"))
	session("conversation-k1.4", "s4", answered("s4", "gone"))
	for id, want := range map[string]string{"s1": "", "s2": "m1", "s3": "", "s4": ""} {
		if got := botOf(id); got != want {
			t.Errorf("%s has the bot %q, want %q", id, got, want)
		}
	}
	f.put("bot-m1", 0, events.BotDeleted{Account: "acme"})
	if got := botOf("s2"); got != "" {
		t.Errorf("after its deletion it is %q", got)
	}
}
