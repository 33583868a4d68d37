package integration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/domain"
	"parley/domain/domaintest"
	"parley/domain/integration"
	"parley/events"
)

func ptr[T any](v T) *T { return &v }

func settings(change func(*events.IntegrationSettings)) events.IntegrationSettings {
	s := events.IntegrationSettings{Name: "Shop", VerifyToken: "verify", AllowFrom: ptr("*"), Meta: []byte(`{"a":1,"b":1}`)}
	if change != nil {
		change(&s)
	}
	return s
}

func TestRules(t *testing.T) {
	created := events.IntegrationCreated{Account: "acme", Settings: settings(nil)}
	deleted := events.IntegrationDeleted{Account: "acme"}
	updated := func(change func(*events.IntegrationSettings)) []events.Event {
		return []events.Event{events.IntegrationUpdated{Settings: settings(change)}}
	}
	put := func(body any) domain.Command { return domain.Command{ID: "c", Account: "acme", Body: body} }
	update := func(c integration.Changes) domain.Command { return put(integration.Update{Changes: c}) }

	domaintest.Run(t, integration.New(), []domaintest.Case{
		{
			Name: "nothing is needed to create one, and everyone may write", // F012 A01
			When: put(integration.Create{VerifyToken: "verify"}),
			Then: []events.Event{events.IntegrationCreated{Account: "acme", Settings: events.IntegrationSettings{
				VerifyToken: "verify", AllowFrom: ptr("*"),
			}}},
		},
		{
			Name:  "it is created once",
			Given: []events.Event{created},
			When:  put(integration.Create{}), Refused: domain.Conflict,
		},
		{
			Name:  "an update changes only what it names", // F162
			Given: []events.Event{created},
			When:  update(integration.Changes{PhoneNumberID: domain.Some("123")}),
			Then:  updated(func(s *events.IntegrationSettings) { s.PhoneNumberID = "123" }),
		},
		{
			Name:  "meta is merged key by key", // F314
			Given: []events.Event{created},
			When:  update(integration.Changes{Meta: []byte(`{"b":2,"c":{"d":null}}`)}),
			Then:  updated(func(s *events.IntegrationSettings) { s.Meta = []byte(`{"a":1,"b":2,"c":{"d":null}}`) }),
		},
		{
			Name:  "a refused update changes nothing",
			Given: []events.Event{created},
			When: update(integration.Changes{
				Name: domain.Some("New"), SessionMillis: domain.Some(ptr(int64(-1))),
			}),
			Refused: domain.Invalid,
		},
		{
			Name:  "a session lasts no longer than a month", // F033
			Given: []events.Event{created},
			When:  update(integration.Changes{SessionMillis: domain.Some(ptr(int64(integration.MaxSessionMillis + 1)))}), Refused: domain.Invalid,
		},
		{
			Name:  "an empty allow list is kept apart from none", // A01
			Given: []events.Event{created},
			When:  update(integration.Changes{AllowFrom: domain.Some(ptr(""))}),
			Then:  updated(func(s *events.IntegrationSettings) { s.AllowFrom = ptr("") }),
		},
		{
			Name:  "a name has no NUL",
			Given: []events.Event{created},
			When:  update(integration.Changes{Name: domain.Some("a\x00b")}), Refused: domain.Invalid,
		},
		{
			Name:  "an alias has no capitals",
			Given: []events.Event{created},
			When:  update(integration.Changes{Alias: domain.Some("Shop")}), Refused: domain.Invalid,
		},
		{
			Name: "what does not exist cannot be changed",
			When: update(integration.Changes{}), Refused: domain.NotFound,
		},
		{
			Name:  "somebody else's looks as if it did not exist", // F158 P8
			Given: []events.Event{created},
			When:  domain.Command{ID: "c", Account: "other", Body: integration.Delete{}}, Refused: domain.NotFound,
		},
		{
			Name:  "deleting tells nothing of the settings", // F105
			Given: []events.Event{created},
			When:  put(integration.Delete{}), Then: []events.Event{deleted},
		},
		{
			Name:  "what is deleted is deleted once", // F118
			Given: []events.Event{created, deleted},
			When:  put(integration.Delete{}), Refused: domain.NotFound,
		},
		{
			Name:  "what is deleted does not come back", // F100
			Given: []events.Event{created, deleted},
			When:  put(integration.Create{}), Refused: domain.Conflict,
		},
		{
			Name:  "a purge is recorded",
			Given: []events.Event{created, deleted},
			When:  put(integration.ReportPurged{}), Then: []events.Event{events.IntegrationPurged{}},
		},
		{
			Name:  "a purge is recorded once",
			Given: []events.Event{deleted, events.IntegrationPurged{}},
			When:  put(integration.ReportPurged{}),
		},
		{
			Name:  "what lives is not purged",
			Given: []events.Event{created},
			When:  put(integration.ReportPurged{}),
		},
	})
}

func TestDeletionOwesAPurge(t *testing.T) { // P7
	d := integration.New()
	state := d.Fold(integration.State{}, events.IntegrationCreated{Account: "a"})
	if owed := d.Owed(state); len(owed) != 0 {
		t.Errorf("a living one owes %v", owed)
	}
	state = d.Fold(state, events.IntegrationDeleted{Account: "a"})
	if owed := d.Owed(state); len(owed) != 1 || owed[0].Body != (integration.Purge{}) {
		t.Errorf("a deleted one owes %v", owed)
	}
	if _, err := d.Answer(state, integration.Look{}); !domain.IsRefusal(err, domain.NotFound) {
		t.Errorf("a deleted one answers %v", err)
	}
	state = d.Fold(state, events.IntegrationPurged{})
	if owed := d.Owed(state); len(owed) != 0 {
		t.Errorf("a purged one owes %v", owed)
	}
}

func TestMeta(t *testing.T) {
	for _, c := range []struct{ name, old, change, want, refused string }{
		{name: "nothing changes nothing", old: `{"a":1}`, want: `{"a":1}`},
		{name: "{} changes nothing", old: `{"a":1}`, change: `{}`, want: `{"a":1}`},
		{name: "null is kept as a value", old: `{"a":1}`, change: `{"a":null}`, want: `{"a":null}`},
		{name: "$update is a merge", old: `{"a":1}`, change: `{"$update":{"b":2}}`, want: `{"a":1,"b":2}`},
		{name: "keys that begin oddly are dropped", change: `{"-x":1,"é":2,"":3}`, want: `{"é":2}`},
		{name: "reserved keys are refused", change: `{"_x":1}`, refused: "meta"},
		{name: "reserved keys are refused within $update", change: `{"$update":{"_x":1}}`, refused: "meta"},
		{name: "an array is refused", change: `[1]`, refused: "meta"},
		{name: "null is refused", change: `null`, refused: "meta"},
		{name: "too much is refused", change: `{"a":"` + strings.Repeat("x", domain.MaxMeta) + `"}`, refused: "meta"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.MergeMeta([]byte(c.old), []byte(c.change))
			if c.refused != "" {
				if !domain.IsRefusal(err, domain.Invalid) {
					t.Fatalf("got %s, %v", got, err)
				}
				return
			}
			if diff := cmp.Diff(c.want, string(got)); err != nil || diff != "" {
				t.Fatalf("%v %s", err, diff)
			}
		})
	}
}

func TestAdmits(t *testing.T) { // A02 A03
	for _, c := range []struct {
		name   string
		list   *string
		sender string
		want   bool
	}{
		{"everyone", ptr("*"), "15551234567", true},
		{"everyone, also without a phone number", ptr("123, *"), "US.1349120", true},
		{"nobody when null", nil, "15551234567", false},
		{"nobody when empty", ptr(""), "15551234567", false},
		{"a number with sign, spaces and dashes", ptr("+1 415-523-8886, 447700900123"), "14155238886", true},
		{"the second of a list", ptr("+1 415-523-8886\n447700900123"), "447700900123", true},
		{"no third", ptr("+1 415-523-8886, 447700900123"), "447700900124", false},
		{"too short an entry admits nobody", ptr("12"), "12", false},
		{"too long an entry admits nobody", ptr("1234567890123456"), "1234567890123456", false},
		{"a user ID is not a number", ptr("13491208655"), "US.13491208655", false},
		{"a star within an entry is nothing", ptr("1*5551234567"), "25551234567", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := integration.Admits(c.list, c.sender); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestReady(t *testing.T) { // F272 F273 F275
	for _, c := range []struct {
		name    string
		s       events.IntegrationSettings
		message string
	}{
		{"the phone number ID is asked for first", events.IntegrationSettings{}, "No phone number ID found"},
		{"then the token", events.IntegrationSettings{PhoneNumberID: "1"}, "No access token found"},
		{"the phone number ID is digits", events.IntegrationSettings{PhoneNumberID: "x1", AccessToken: "ref"}, "must be digits"},
		{"both are enough", events.IntegrationSettings{PhoneNumberID: "1", AccessToken: "ref"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := integration.Ready(c.s)
			if c.message == "" && err != nil || c.message != "" && (!domain.IsRefusal(err, domain.Conflict) || !strings.Contains(err.Error(), c.message)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLifetime(t *testing.T) { // F146
	if got := integration.Lifetime(events.IntegrationSettings{}); got != 86_400_000 {
		t.Errorf("by default %d ms", got)
	}
	if got := integration.Lifetime(events.IntegrationSettings{SessionMillis: ptr(int64(0))}); got != 0 {
		t.Errorf("0 becomes %d ms", got)
	}
}
