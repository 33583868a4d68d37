package parley_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One message goes through every room of the house. F001 F009 F050 F051 F054
// F173 F250 F253 F290
func TestOneMessagesJourney(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		verify := h.call(http.MethodGet, h.callback()+"?hub.mode=subscribe&hub.verify_token="+h.verifyToken+"&hub.challenge=1158201444", "", nil)
		if verify.status != 200 || verify.text != "1158201444" {
			h.t.Fatalf("verification: %d %s", verify.status, verify.text)
		}
		h.person(alice).Write("Hello, is anybody there? 👋")
		h.settle()

		if diff := cmp.Diff([]string{"You said: Hello, is anybody there? 👋"}, h.texts(alice)); diff != "" {
			h.t.Errorf("alice got: %s", diff)
		}
		conversations := h.conversations()
		if len(conversations) != 1 {
			h.t.Fatalf("%d conversations", len(conversations))
		}
		id := conversations[0]["id"].(string)
		if got := h.get("/conversation/" + id + "/fetch"); got["botId"] != h.bot {
			h.t.Errorf("conversation %v", got)
		}
		want := []string{"user: Hello, is anybody there? 👋", "bot: You said: Hello, is anybody there? 👋"}
		if diff := cmp.Diff(want, h.history(id)); diff != "" {
			h.t.Errorf("history: %s", diff)
		}
		wantEvents := []string{ // F006 F093 F235 F289
			"callback.subscribe",
			"session.created", "callback.notification", "message.received", "message.processed", "message.sent",
			"callback.notification", "status.sent", "callback.notification", "status.delivered", "callback.notification", "status.read",
		}
		if diff := cmp.Diff(wantEvents, h.eventTypes()); diff != "" {
			h.t.Errorf("events: %s", diff)
		}
	})
}
