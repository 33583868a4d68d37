package events_test

import (
	"reflect"
	"testing"

	"parley/events"
)

// An append may hold facts of several ways: a turn begins where another ends.
func TestAFactOfATurnBelongsToIt(t *testing.T) {
	correlation := func(fact events.Event) string {
		records, err := events.Records("conversation-i.s", events.Metadata{Command: "c", Correlation: "other", Account: "a"}, fact)
		if err != nil {
			t.Fatal(err)
		}
		meta, err := events.DecodeMetadata(records[0].Metadata)
		if err != nil || meta.Command != "c" || meta.Account != "a" {
			t.Errorf("%s: %+v, %v", fact.EventType(), meta, err)
		}
		return meta.Correlation
	}
	for name, zero := range events.Types() {
		fact := reflect.New(reflect.TypeOf(zero)).Elem()
		for field, value := range map[string]string{"Turn": "turn", "Part": "turn-3"} {
			f := fact.FieldByName(field)
			if !f.IsValid() {
				continue
			}
			f.SetString(value)
			if got := correlation(fact.Interface().(events.Event)); got != "turn" {
				t.Errorf("%s belongs to %q", name, got)
			}
		}
	}
	for fact, want := range map[events.Event]string{
		events.MessageBlocked{}:                          "other",
		events.MessageStruck{Message: "m"}:               "other",
		events.AttachmentFailed{Message: "m"}:            "m",
		events.FetchDelayed{Message: "m"}:                "m",
		events.StatusReceived{}:                          "other",
		events.TurnAsked{Ask: events.Ask{Turn: "asked"}}: "asked",
	} {
		if got := correlation(fact); got != want {
			t.Errorf("%s belongs to %q, and should to %q", fact.EventType(), got, want)
		}
	}
	received, stored := events.MessageReceived{Message: "m"}, events.AttachmentStored{Message: "m"}
	if correlation(received) != "m" || correlation(stored) != "m" {
		t.Error("a message or its file belongs elsewhere")
	}
	if got := correlation(events.Initiated{Parts: []events.Part{{ID: "said-0"}}}); got != "said" {
		t.Errorf("what was written first belongs to %q", got)
	}
}
