package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parley/events"
)

func TestASecretPrintsAsAMask(t *testing.T) { // F150 F166 P9
	const token = "EAAG-very-secret"
	secret := events.NewSecret(token)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("said", "secret", secret, "in", struct{ S events.Secret }{secret})
	encoded, err := json.Marshal(map[string]any{"s": secret, "p": &secret})
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{
		log.String(), string(encoded), secret.String(),
		fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %s %q %x %d", secret, secret, secret, secret, secret, secret, secret),
		fmt.Sprintf("%v %+v", struct{ S events.Secret }{secret}, &struct{ S *events.Secret }{&secret}),
	}
	for _, text := range printed {
		if strings.Contains(text, token) || strings.Contains(text, fmt.Sprintf("%x", token)) {
			t.Errorf("the secret shows in %s", text)
		}
		if !strings.Contains(text, events.Mask) && !strings.Contains(text, "0x") {
			t.Errorf("no mask in %s", text)
		}
	}
	if secret.Reveal() != token || secret.IsZero() {
		t.Error("Reveal does not give the secret")
	}
	if !(events.Secret{}).IsZero() || (events.Secret{}).String() != "" {
		t.Error("no secret is not empty")
	}
}

func TestInstants(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123_456_789, time.FixedZone("x", 3600))
	i := events.At(at)
	if got := i.Time(); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Errorf("Time() = %v", got)
	}
	if i.Add(90*time.Second).Sub(i) != 90*time.Second {
		t.Error("Add and Sub do not agree")
	}
	if i.Milliseconds() != at.UnixMilli() {
		t.Errorf("Milliseconds() = %d, want %d", i.Milliseconds(), at.UnixMilli())
	}
	if events.At(time.Time{}) != 0 || !events.Instant(0).Time().IsZero() {
		t.Error("never is not 0")
	}
}

func TestStreamNames(t *testing.T) {
	s := events.StreamOf(events.ConversationCategory, events.ConversationID("k3v9", "US.1349-x"))
	if s != "conversation-k3v9.US.1349-x" || s.Category() != "conversation" {
		t.Errorf("stream = %q", s)
	}
	integration, sender := events.SplitConversationID(s.ID())
	if integration != "k3v9" || sender != "US.1349-x" {
		t.Errorf("split to %q and %q", integration, sender)
	}
	if integration, sender = events.SplitConversationID("k3v9"); integration != "" || sender != "" { // made by the API
		t.Errorf("split to %q and %q", integration, sender)
	}
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		key := events.NewKey()
		if seen[key] || !events.IsKey(key) || len(key) != 25 || key[0] < 'a' || strings.Trim(key, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("bad key %q", key)
		}
		seen[key] = true
	}
	for _, other := range []string{"", "0" + strings.Repeat("a", 24), strings.Repeat("a", 26), strings.Repeat("a", 24) + "A"} {
		if events.IsKey(other) {
			t.Errorf("%q is taken for a key", other)
		}
	}
	derived := events.DeriveKey("a", "bc")
	if again := events.DeriveKey("a", "bc"); again != derived || events.DeriveKey("ab", "c") == derived {
		t.Error("derived keys do not depend on their parts alone")
	}
}

func TestEventIDsComeFromTheCommand(t *testing.T) {
	a := events.IDOf("bot-1", "command", 0)
	if a != events.IDOf("bot-1", "command", 0) {
		t.Error("the same command gives another ID")
	}
	for _, other := range []events.ID{
		events.IDOf("bot-1", "command", 1), events.IDOf("bot-2", "command", 0), events.IDOf("bot-1", "other", 0), events.IDOf("bot", "1command", 0),
	} {
		if a == other {
			t.Error("different events share an ID")
		}
	}
	if a.Version() != 8 || a.Variant().String() != "RFC4122" {
		t.Errorf("ID %v is version %v, variant %v", a, a.Version(), a.Variant())
	}
}

func TestMetadata(t *testing.T) {
	want := events.Metadata{Command: "c", Correlation: "x", Causation: "y", Account: "a", At: 5, Owes: 7, Route: events.Route{Integration: "i", Sender: "s", Conversation: "v", Bot: "b"}}
	got, err := events.DecodeMetadata(want.Encode())
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if !strings.Contains(string(want.Encode()), `"$correlationId":"x"`) {
		t.Errorf("EventStoreDB's name is missing: %s", want.Encode())
	}
	for _, want := range []events.Metadata{{}, {At: 1}, {Account: "a\"b\\c\né"}, {Command: "x", Owes: -1}, {Optional: true}, {At: 1, Optional: true}} {
		if got, err := events.DecodeMetadata(want.Encode()); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", want.Encode(), got, err)
		}
	}
	if got, err := events.DecodeMetadata(nil); err != nil || got != (events.Metadata{}) {
		t.Errorf("no metadata: %+v, %v", got, err)
	}
	if _, err := events.DecodeMetadata([]byte("[")); err == nil {
		t.Error("damaged metadata passes")
	}
}

func TestCheckAppend(t *testing.T) {
	if err := events.CheckAppend(nil); err == nil {
		t.Error("nothing may not be appended")
	}
	half := events.Record{Data: make([]byte, events.MaxAppend/2)}
	if err := events.CheckAppend([]events.Record{half, half}); err != nil {
		t.Errorf("the largest append: %v", err)
	}
	if err := events.CheckAppend([]events.Record{half, half, {Type: "x"}}); !errors.Is(err, events.ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}
