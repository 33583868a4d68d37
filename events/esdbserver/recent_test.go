package esdbserver

import (
	"testing"

	"github.com/google/uuid"

	"parley/events"
)

func TestRecentEventsAreForgottenInOrder(t *testing.T) {
	const size, appends = 8, 20
	r := newRecent(size)
	var all [][]events.Record
	for i := range appends {
		rs := []events.Record{{ID: uuid.New()}, {ID: uuid.New()}}
		r.add("a-1", events.Appended{Revision: events.Revision(2*i + 1), Position: events.Position(2*i + 2)}, rs)
		all = append(all, rs)
		for j, rs := range all {
			got, ok := r.find("a-1", rs)
			want := events.Appended{Revision: events.Revision(2*j + 1), Position: events.Position(2*j + 2)}
			if known := i-j < size/2; ok != known || ok && got != want {
				t.Fatalf("append %d after %d more: %+v, %v", j, i-j, got, ok)
			}
		}
	}
	if len(r.at) != size || len(r.ring) != size {
		t.Errorf("%d and %d are kept", len(r.at), len(r.ring))
	}
	if _, ok := r.find("a-1", []events.Record{all[appends-2][0], all[appends-1][1]}); ok {
		t.Error("events that were not together are taken for a retry")
	}
	if _, ok := r.find("b-1", all[appends-1]); ok {
		t.Error("events of another stream are taken for a retry")
	}
}
