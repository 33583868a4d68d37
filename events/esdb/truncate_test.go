package esdb_test

import (
	"testing"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/memory"
)

func TestErasingWhereMetadataAreOdd(t *testing.T) {
	for what, data := range map[string]string{"null": "null", "empty": "", "of another type": "not JSON"} {
		t.Run(what, func(t *testing.T) {
			behind := memory.New()
			store := openStore(t, "esdb://"+serve(t, behind, "127.0.0.1:0").address+"?tls=false")
			defer closeStore(t, store)
			r := events.Record{ID: uuid.New(), Type: "$metadata", JSON: true, Data: []byte(data)}
			if what == "of another type" {
				r.Type, r.JSON = "Note", false
			}
			if _, err := behind.Append(t.Context(), "$$a-1", events.NoStream, r); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Append(t.Context(), "a-1", events.NoStream, facts(3)...); err != nil {
				t.Fatal(err)
			}
			if err := store.Truncate(t.Context(), "a-1", 2); err != nil {
				t.Fatal(err)
			}
			if left, err := store.Read(t.Context(), "a-1", 0, events.Forwards, 9); err != nil || len(left) != 1 {
				t.Errorf("%d events are left, %v", len(left), err)
			}
		})
	}
}
