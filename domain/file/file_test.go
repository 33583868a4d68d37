package file_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/domain"
	"parley/domain/domaintest"
	"parley/domain/file"
	"parley/events"
)

const (
	now   events.Instant = 1_700_000_000_000_000
	until                = now + events.Instant(time.Hour/time.Microsecond)
	ann                  = "aa"
	bob                  = "bb"
)

func put(body any) domain.Command {
	return domain.Command{ID: "c", At: now, Account: "acme", Body: body}
}

func content(hash string) events.Content {
	return events.Content{Hash: hash, Name: "a.txt", Type: "text/plain", Size: 5}
}

func uploaded(hash, ticket string, at events.Instant) events.FileUploaded {
	return events.FileUploaded{Content: content(hash), Meta: []byte(`{"contentType":"text/plain"}`), Ticket: ticket, Until: until, At: at}
}

func TestRules(t *testing.T) { // A23
	created := events.FileCreated{Account: "acme", Settings: events.FileSettings{Name: "Menu", Visibility: "private"}}
	deleted := events.FileDeleted{Account: "acme", At: now}
	domaintest.Run(t, file.New(), []domaintest.Case{
		{
			Name: "nothing is needed to create one",
			When: put(file.Create{}),
			Then: []events.Event{events.FileCreated{Account: "acme", Settings: events.FileSettings{Visibility: "private"}}},
		},
		{
			Name:  "an update changes only what it names",
			Given: []events.Event{created},
			When:  put(file.Update{Changes: file.Changes{Visibility: domain.Some("public"), Meta: []byte(`{"a":1}`)}}),
			Then:  []events.Event{events.FileUpdated{Settings: events.FileSettings{Name: "Menu", Visibility: "public", Meta: []byte(`{"a":1}`)}}},
		},
		{
			Name:  "visibility is one of three words",
			Given: []events.Event{created},
			When:  put(file.Update{Changes: file.Changes{Visibility: domain.Some("secret")}}), Refused: domain.Invalid,
		},
		{
			Name:  "names are bounded",
			Given: []events.Event{created},
			When:  put(file.Update{Changes: file.Changes{Name: domain.Some(strings.Repeat("n", domain.MaxName+1))}}), Refused: domain.Invalid,
		},
		{Name: "it is created once", Given: []events.Event{created}, When: put(file.Create{}), Refused: domain.Conflict},
		{
			Name: "deleting ends it", Given: []events.Event{created},
			When: put(file.Delete{}), Then: []events.Event{deleted},
		},
		{Name: "what is deleted cannot be changed", Given: []events.Event{created, deleted}, When: put(file.Update{}), Refused: domain.NotFound},
		{Name: "what is deleted takes no upload", Given: []events.Event{created, deleted}, When: put(file.Upload{}), Refused: domain.NotFound},
		{Name: "what never was takes no upload", When: put(file.Upload{}), Refused: domain.NotFound},
		{
			Name: "somebody else's looks as if it did not exist", Given: []events.Event{created}, // P8
			When: domain.Command{ID: "c", Account: "other", Body: file.Upload{Content: content(ann)}}, Refused: domain.NotFound,
		},
		{
			Name:  "an upload tells its type in the meta",
			Given: []events.Event{created},
			When:  put(file.Upload{Content: content(ann), Ticket: "t1", Until: until}),
			Then:  []events.Event{uploaded(ann, "t1", now)},
		},
		{
			Name:  "the same ticket with the same bytes changes nothing",
			Given: []events.Event{created, uploaded(ann, "t1", now)},
			When:  put(file.Upload{Content: content(ann), Ticket: "t1", Until: until}),
		},
		{
			Name:  "the same ticket with other bytes is refused",
			Given: []events.Event{created, uploaded(ann, "t1", now)},
			When:  put(file.Upload{Content: content(bob), Ticket: "t1", Until: until}), Refused: domain.Conflict,
		},
		{
			Name:  "an older ticket does not bring its bytes back",
			Given: []events.Event{created, uploaded(ann, "t1", now), uploaded(bob, "t2", now)},
			When:  put(file.Upload{Content: content(ann), Ticket: "t1", Until: until}),
		},
		{
			Name:  "a ticket whose time is over is refused",
			Given: []events.Event{created},
			When:  put(file.Upload{Content: content(ann), Ticket: "t1", Until: now - 1}), Refused: domain.Conflict,
		},
		{
			Name:  "without a ticket the same bytes may come under another name",
			Given: []events.Event{created, uploaded(ann, "t1", now)},
			When:  put(file.Upload{Content: content(ann)}),
			Then:  []events.Event{events.FileUploaded{Content: content(ann), Meta: []byte(`{"contentType":"text/plain"}`), At: now}},
		},
		{
			Name:  "a meta without room for the type stays as it is",
			Given: []events.Event{events.FileCreated{Account: "acme", Settings: events.FileSettings{Visibility: "private", Meta: full()}}},
			When:  put(file.Upload{Content: content(ann)}),
			Then:  []events.Event{events.FileUploaded{Content: content(ann), Meta: full(), At: now}},
		},
		{
			Name:  "what was let go is reported once",
			Given: []events.Event{created, uploaded(ann, "t1", now), deleted},
			When:  put(file.ReportDiscarded{Hash: ann}),
			Then:  []events.Event{events.ContentDiscarded{Hash: ann}},
		},
		{
			Name:  "what was not let go is no news",
			Given: []events.Event{created, uploaded(ann, "t1", now)},
			When:  put(file.ReportDiscarded{Hash: ann}),
		},
	})
}

// full is as much meta as there may be.
func full() []byte {
	return []byte(`{"a":"` + strings.Repeat("x", domain.MaxMeta-len(`{"a":""}`)) + `"}`)
}

// A file owes that what it let go is discarded, not before it could be seen
// who else is about to refer to it.
func TestWhatIsLetGoIsOwed(t *testing.T) { // A23
	fresh := events.Instant((file.Fresh + time.Minute) / time.Microsecond)
	const later = now + events.Instant(domain.Day/time.Microsecond)
	for _, c := range []struct {
		name  string
		facts []events.Event
		want  []domain.Task
	}{
		{"what is held is not", []events.Event{uploaded(ann, "", now)}, nil},
		{"a file without content owes nothing", []events.Event{events.FileDeleted{At: now}}, nil},
		{
			"what is replaced at once is still fresh",
			[]events.Event{uploaded(ann, "", now), uploaded(bob, "", now+1)},
			[]domain.Task{{Lane: "discard " + ann, Due: now + fresh, Body: file.Discard{Hash: ann}}},
		},
		{
			"what is deleted later is discarded at once",
			[]events.Event{uploaded(ann, "", now), events.FileDeleted{At: later}},
			[]domain.Task{{Lane: "discard " + ann, Due: later, Body: file.Discard{Hash: ann}}},
		},
		{
			"the same bytes again let nothing go",
			[]events.Event{uploaded(ann, "", now), uploaded(ann, "", later)},
			nil,
		},
		{
			"what comes back is kept",
			[]events.Event{uploaded(ann, "", now), uploaded(bob, "", now), uploaded(ann, "", now+1)},
			[]domain.Task{{Lane: "discard " + bob, Due: now + fresh, Body: file.Discard{Hash: bob}}},
		},
		{
			"what was discarded is not owed any more",
			[]events.Event{uploaded(ann, "", now), events.FileDeleted{At: later}, events.ContentDiscarded{Hash: ann}},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := file.New()
			state := d.Fold(file.State{}, append([]events.Event{events.FileCreated{Account: "acme"}}, c.facts...)...)
			if diff := cmp.Diff(c.want, d.Owed(state)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Tickets are forgotten when they can be shown no more, not before.
func TestUsedTicketsAreKeptAsLongAsTheyHold(t *testing.T) { // A23
	d := file.New()
	s := d.Fold(file.State{}, events.FileCreated{Account: "acme"}, uploaded(ann, "t1", now), uploaded(bob, "t2", until))
	if len(s.Used) != 2 {
		t.Errorf("used: %v", s.Used)
	}
	if s = d.Fold(s, events.FileUploaded{Content: content(ann), At: until + 1}); len(s.Used) != 0 {
		t.Errorf("used: %v", s.Used)
	}
}
