package callback_test

import (
	"testing"
	"time"

	"parley/domain"
	"parley/domain/callback"
	"parley/domain/domaintest"
	"parley/events"
)

const at = events.Instant(1_000_000_000)

func refusals(n int) []events.Event {
	facts := make([]events.Event, n)
	for i := range facts {
		facts[i] = events.CallbackRefused{Status: 403, Reason: "signature", At: at}
	}
	return facts
}

func TestRules(t *testing.T) {
	refuse := func(at events.Instant) domain.Command {
		return domain.Command{ID: "c", At: at, Body: callback.Refuse{Status: 403, Reason: "signature"}}
	}
	refused := events.CallbackRefused{Status: 403, Reason: "signature", At: at}
	muted := events.CallbackMuted{Until: at.Add(callback.RefusalWindow)}
	domaintest.Run(t, callback.New(), []domaintest.Case{
		{
			Name: "a good verification is recorded", // F092
			When: domain.Command{At: at, Body: callback.Verify{Status: 200, Reason: "OK"}},
			Then: []events.Event{events.CallbackVerified{Status: 200, Reason: "OK", At: at}},
		},
		{
			Name: "a bad verification is recorded", // F075 F092
			When: domain.Command{At: at, Body: callback.Verify{Status: 403, Reason: "no"}},
			Then: []events.Event{events.CallbackVerified{Status: 403, Reason: "no", At: at}},
		},
		{Name: "a refusal is recorded", When: refuse(at), Then: []events.Event{refused}}, // A04
		{
			Name: "the last refusal of a full window mutes the next ones", Given: refusals(callback.MaxRefusals - 1),
			When: refuse(at), Then: []events.Event{refused, muted},
		},
		{
			Name: "while muted refusals are not recorded", Given: append(refusals(callback.MaxRefusals), muted),
			When: refuse(at.Add(59 * time.Second)),
		},
		{
			Name: "a good verification is recorded although refusals are muted", Given: append(refusals(callback.MaxRefusals), muted),
			When: domain.Command{At: at, Body: callback.Verify{Status: 200, Reason: "OK"}},
			Then: []events.Event{events.CallbackVerified{Status: 200, Reason: "OK", At: at}},
		},
		{
			Name: "after the window refusals are recorded again", Given: append(refusals(callback.MaxRefusals), muted),
			When: refuse(at.Add(callback.RefusalWindow)),
			Then: []events.Event{events.CallbackRefused{Status: 403, Reason: "signature", At: at.Add(callback.RefusalWindow)}},
		},
		{
			Name: "a notification is recorded with what it holds", // F072 F087
			When: domain.Command{At: at, Body: callback.Notify{
				Notification: &events.NotificationReceived{Size: 2},
				System:       []events.SystemNotified{{Field: "account_update"}},
				Misdirected:  []events.NotificationMisdirected{{PhoneNumberID: "1", Expected: "2"}},
				Statuses:     []events.StatusReceived{{WAMID: "w", Status: "sent"}},
			}},
			Then: []events.Event{
				events.NotificationReceived{Size: 2},
				events.SystemNotified{Field: "account_update"},
				events.NotificationMisdirected{PhoneNumberID: "1", Expected: "2"},
				events.StatusReceived{WAMID: "w", Status: "sent"},
			},
		},
	})
}
