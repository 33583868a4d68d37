package conversation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/domain/conversation"
	"parley/events"
)

func TestAHistoryNeedsOnlyTheFactsThatTell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all, telling []events.Event
		for range rapid.IntRange(0, 40).Draw(t, "facts") {
			fact := anyFact(t)
			all = append(all, fact)
			if conversation.Tells(fact.EventType()) {
				telling = append(telling, fact)
			}
		}
		if diff := cmp.Diff(conversation.History("a", all), conversation.History("a", telling)); diff != "" {
			t.Fatal(diff)
		}
	})
}
