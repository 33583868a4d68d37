package projections_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/memory"
	"parley/projections"
)

// fixture is a log with a read model that follows it.
type fixture struct {
	t     *testing.T
	store *memory.Store
	path  string
	model *projections.Model
	n     int
	at    events.Instant
	stop  func()
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, store: memory.New(), path: filepath.Join(t.TempDir(), "read", "model.db"), at: 1_700_000_000_000_000}
	f.open()
	t.Cleanup(func() {
		f.stop()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	m, err := projections.Open(f.t.Context(), projections.Config{Path: f.path, Store: f.store})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	f.model = m
	f.stop = func() {
		cancel()
		if err := errors.Join(<-done, m.Close()); err != nil {
			f.t.Error(err)
		}
	}
}

// put appends facts to a stream and waits until they are folded.
func (f *fixture) put(stream events.Stream, owes events.Instant, facts ...events.Event) {
	f.t.Helper()
	f.n++
	f.at += 1000
	head, err := f.store.Read(f.t.Context(), stream, events.StreamEnd, events.Backwards, 1)
	if err != nil {
		f.t.Fatal(err)
	}
	expected := events.NoStream
	if len(head) > 0 {
		expected = head[0].Revision
	}
	meta := events.Metadata{Command: fmt.Sprint(f.n), Account: "acme", At: f.at, Owes: owes}
	records, err := events.Records(stream, meta, facts...)
	if err != nil {
		f.t.Fatal(err)
	}
	appended, err := f.store.Append(f.t.Context(), stream, expected, records...)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.model.Wait(f.t.Context(), appended.Position); err != nil {
		f.t.Fatal(err)
	}
}

// fill puts a small life into the log.
func (f *fixture) fill() {
	f.put("account-acme", 0, events.TokenIssued{Token: "t1", Name: "first", Hash: []byte("hash")})
	f.put("bot-b1", 0, events.BotCreated{Account: "acme", Settings: events.BotSettings{Name: "Ada", Alias: "ada", Meta: []byte(`{"v":2,"on":true,"deep":{"x":"y"}}`)}})
	f.put("bot-b2", 0, events.BotCreated{Account: "other", Settings: events.BotSettings{Name: "Bob", Alias: "ada"}})
	f.put("integration-i1", 0, events.IntegrationCreated{Account: "acme", Settings: events.IntegrationSettings{Name: "Shop", BotID: "b1", VerifyToken: "v"}})
	f.put("callback-i1", 0, events.CallbackVerified{Status: 200, Reason: "OK", At: f.at})
	f.put("conversation-i1.1555", 1,
		events.NotificationReceived{Payload: []byte(`{"object":"x"}`), Size: 14, Messages: 1},
		events.SessionStarted{Session: events.Session{ID: "s1", BotID: "b1"}},
		events.MessageReceived{Session: "s1", Message: "m1", WAMID: "wamid.1", From: "1555", Kind: "text", Text: "Hello", Received: f.at, Opens: true},
		events.TurnStarted{Session: "s1", Turn: "m1", Messages: []string{"m1"}})
	f.put("conversation-i1.1555", 5_000_000,
		events.TurnAnswered{Session: "s1", Turn: "m1", BotID: "b1", Model: "gpt", Waited: 1000, Thought: 2_000_000, Messages: []events.TurnMessage{
			{ID: "m2", Call: &events.Call{ID: "c", Function: "look", Arguments: []byte(`{"a":1}`), Result: []byte(`"ok"`)}},
			{ID: "m3", Text: "Hi!"},
		}, Parts: []events.Part{{ID: "m1-0", Message: "m3"}}},
		events.SendAttempted{Part: "m1-0", Attempt: 1})
	f.put("conversation-i1.1555", 0, events.PartSent{Session: "s1", Part: "m1-0", Message: "m3", WAMID: "wamid.out"})
	f.put("conversation-i1.1555", 0, events.StatusReceived{Session: "s1", Part: "m1-0", Message: "m3", WAMID: "wamid.out", Status: "Delivered!"})
	f.put("strange-x", 0, events.Unknown{Type: "FromTheFuture", Data: []byte{1}})
}

var all = projections.Page{Take: 100}

func TestAnswers(t *testing.T) {
	f := start(t)
	f.fill()
	ctx := t.Context()

	t.Run("a token is found by its hash", func(t *testing.T) {
		token, err := f.model.Token(ctx, []byte("hash"))
		if err != nil || token.Account != "acme" || token.Name != "first" {
			t.Errorf("%+v, %v", token, err)
		}
		if _, err := f.model.Token(ctx, []byte("none")); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("things are found by ID and alias, by their owner alone", func(t *testing.T) { // P8 A17
		for _, id := range []string{"b1", "@ada"} {
			if b, err := f.model.Bot(ctx, "acme", id); err != nil || b.Settings.Name != "Ada" {
				t.Errorf("%s: %+v, %v", id, b, err)
			}
		}
		for _, c := range [][2]string{{"other", "b1"}, {"acme", "b2"}, {"acme", "@"}, {"acme", "none"}} {
			if _, err := f.model.Bot(ctx, c[0], c[1]); !errors.Is(err, projections.ErrNotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
	})
	t.Run("meta filters descend and match numbers, booleans and texts", func(t *testing.T) { // A15
		for path, want := range map[string]int{"v=2": 1, "on=true": 1, "deep.x=y": 1, "v=3": 0, "deep=y": 0, "none=1": 0, `we"ird=1`: 0} {
			key, value, _ := strings.Cut(path, "=")
			bots, err := f.model.Bots(ctx, "acme", nil, projections.Page{Take: 10, Meta: map[string]string{key: value}})
			if err != nil || len(bots) != want {
				t.Errorf("%s: %d bots, %v", path, len(bots), err)
			}
		}
	})
	t.Run("a conversation is a session, with its messages in order", func(t *testing.T) { // F111 F252
		cs, err := f.model.Conversations(ctx, "acme", projections.ConversationFilter{}, projections.Page{Take: 10, Meta: map[string]string{"whatsapp.integrationId": "i1"}})
		if err != nil || len(cs) != 1 || cs[0].ID != "s1" || cs[0].BotID != "b1" {
			t.Fatalf("%+v, %v", cs, err)
		}
		messages, err := f.model.Messages(ctx, "acme", "s1", all)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range messages {
			got = append(got, m.Type+" "+m.ID+" "+m.Text)
		}
		if diff := cmp.Diff([]string{"user m1 Hello", "activity m2 ", "bot m3 Hi!"}, got); diff != "" {
			t.Error(diff)
		}
		if _, err := f.model.Messages(ctx, "other", "s1", all); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("somebody else reads it: %v", err)
		}
	})
	t.Run("the event log tells what happened", func(t *testing.T) { // F006 F091 F095
		entries, err := f.model.Log(ctx, "acme", projections.LogFilter{Integrations: []string{"i1"}}, all)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, strings.TrimPrefix(e.Type, "integration.whatsapp."))
		}
		want := []string{
			"callback.subscribe", "callback.notification", "session.created", "message.received",
			"message.processed", "message.sent", "status.delivered",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(string(entries[1].Meta), `"payload":{"object":"x"}`) {
			t.Errorf("no payload in %s", entries[1].Meta)
		}
		var processed map[string]any
		if err := json.Unmarshal(entries[4].Meta, &processed); err != nil || processed["modelTime"] != 2000.0 {
			t.Errorf("%s, %v", entries[4].Meta, err) // F090
		}
	})
	t.Run("pages of the event log join, whatever their size", func(t *testing.T) {
		f.put("conversation-i1.1555", 0, events.MessageReceived{Session: "s1", Message: "m4", WAMID: "wamid.4", Kind: "text", Text: "More", Notification: &events.NotificationReceived{Messages: 1}})
		f.put("conversation-i1.1555", 0, events.StatusReceived{Session: "s1", WAMID: "wamid.out", Status: "read", Notification: &events.NotificationReceived{Statuses: 1}})
		for _, filter := range []projections.LogFilter{
			{}, {Types: []string{"integration.whatsapp.callback.notification"}}, {Types: []string{"integration.whatsapp.message.received", "integration.whatsapp.status.read"}},
		} {
			for _, descending := range []bool{false, true} {
				want, err := f.model.Log(ctx, "acme", filter, projections.Page{Take: 100, Descending: descending})
				if err != nil || len(want) < 2 {
					t.Fatalf("%d entries, %v", len(want), err)
				}
				for take := 1; take < 5; take++ {
					var got []projections.LogEntry
					for p := (projections.Page{Take: take, Descending: descending}); ; p.After = got[len(got)-1].Seq {
						page, err := f.model.Log(ctx, "acme", filter, p)
						if err != nil || len(got) > 100 {
							t.Fatalf("%v after %d", err, len(got))
						}
						if len(page) == 0 {
							break
						}
						got = append(got, page...)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%v, descending %v, %d at a time: %s", filter.Types, descending, take, diff)
					}
				}
			}
		}
	})
	t.Run("messages page both ways, and stay with their conversation", func(t *testing.T) {
		f.put("conversation-i1.1555", 0,
			events.SessionStarted{Session: events.Session{ID: "s2"}},
			events.MessageReceived{Session: "s2", Message: "n1", WAMID: "wamid.n1", Kind: "text", Text: "New"},
			events.TurnAnswered{Session: "s1", Turn: "m4", Messages: []events.TurnMessage{{ID: "m5", Text: "Late"}, {ID: "m6", Text: "Later"}}},
			events.TurnStarted{Session: "s2", Turn: "n1", Messages: []string{"n1"}},
			events.TurnAnswered{Session: "s2", Turn: "n1", Messages: []events.TurnMessage{{ID: "n2", Text: "Yes"}}})
		for conversation, want := range map[string]string{"s1": "m1 m2 m3 m4 m5 m6", "s2": "n1 n2"} {
			for _, descending := range []bool{false, true} {
				for take := 1; take < 4; take++ {
					var got []string
					for p := (projections.Page{Take: take, Descending: descending}); ; {
						page, err := f.model.Messages(ctx, "acme", conversation, p)
						if err != nil {
							t.Fatal(err)
						}
						if len(page) == 0 {
							break
						}
						for _, m := range page {
							got = append(got, m.ID)
						}
						p.After = page[len(page)-1].Seq
					}
					if descending {
						slices.Reverse(got)
					}
					if strings.Join(got, " ") != want {
						t.Errorf("%s, descending %v, %d at a time: %q", conversation, descending, take, got)
					}
				}
			}
		}
		if seq, err := f.model.MessageSeq(ctx, "acme", "s1", "m5"); err != nil || seq == 0 {
			t.Errorf("seq %d, %v", seq, err)
		}
		if _, err := f.model.MessageSeq(ctx, "acme", "s2", "m5"); !errors.Is(err, projections.ErrNotFound) {
			t.Errorf("a message of another conversation: %v", err)
		}
	})
	t.Run("the event log can be filtered by what happened", func(t *testing.T) {
		entries, err := f.model.Log(ctx, "acme", projections.LogFilter{}, projections.Page{Take: 1, Meta: map[string]string{"whatsappMessageId": "wamid.out"}})
		if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Type, "message.sent") {
			t.Errorf("%+v, %v", entries, err)
		}
	})
	t.Run("who owes nothing is not listed", func(t *testing.T) {
		owing, err := f.model.Owing(ctx, events.Instant(1e18), 10)
		if err != nil || len(owing) != 0 {
			t.Errorf("%v, %v", owing, err)
		}
	})
	t.Run("who owes work is listed when it is due", func(t *testing.T) { // P4
		f.put("conversation-i1.1", 2000, events.MessageBlocked{})
		f.put("conversation-i1.2", 1000, events.MessageBlocked{})
		f.put("conversation-i1.3", 3000, events.MessageBlocked{})
		owing, err := f.model.Owing(ctx, 2000, 10)
		if diff := cmp.Diff([]events.Stream{"conversation-i1.2", "conversation-i1.1"}, owing); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestADeletedBotIsLinkedNowhere(t *testing.T) { // F147
	f := start(t)
	f.fill()
	f.put("bot-b1", 0, events.BotDeleted{Account: "acme"})
	i, err := f.model.Integration(t.Context(), "acme", "i1")
	if err != nil || i.Settings.BotID != "" {
		t.Errorf("%+v, %v", i, err)
	}
	c, err := f.model.Conversation(t.Context(), "acme", "s1")
	if err != nil || c.BotID != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestADeletedIntegrationLeavesItsHistory(t *testing.T) { // F098 F108 F109 F110 P7
	f := start(t)
	f.fill()
	before, err := f.model.Log(t.Context(), "acme", projections.LogFilter{Integrations: []string{"i1"}}, all)
	if err != nil {
		t.Fatal(err)
	}
	f.put("integration-i1", 0, events.IntegrationDeleted{Account: "acme"})
	f.put("callback-i1", 0, events.CallbackVerified{Status: 403})
	f.put("conversation-i1.1555", 0, events.PartAbandoned{Session: "s1"})
	if _, err := f.model.Integration(t.Context(), "acme", "i1"); !errors.Is(err, projections.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	after, err := f.model.Log(t.Context(), "acme", projections.LogFilter{Integrations: []string{"i1"}}, all)
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("its events changed: %v %s", err, diff)
	}
	if messages, err := f.model.Messages(t.Context(), "acme", "s1", all); err != nil || len(messages) != 3 {
		t.Errorf("%d messages, %v", len(messages), err)
	}
}

func TestPagesJoin(t *testing.T) { // F338 F339 F340 F341 F342
	f := start(t)
	for i := range 25 {
		f.put(events.StreamOf("bot", fmt.Sprintf("b%02d", i)), 0, events.BotCreated{Account: "acme", Settings: events.BotSettings{Name: fmt.Sprint(i)}})
	}
	for _, descending := range []bool{false, true} {
		for _, take := range []int{1, 5, 7, 100} {
			t.Run(fmt.Sprintf("descending %v, %d at a time", descending, take), func(t *testing.T) {
				var got []string
				for p := (projections.Page{Take: take, Descending: descending}); ; {
					bots, err := f.model.Bots(t.Context(), "acme", nil, p)
					if err != nil {
						t.Fatal(err)
					}
					if len(bots) == 0 {
						break
					}
					for _, b := range bots {
						got = append(got, b.ID)
					}
					p.After = bots[len(bots)-1].Seq
				}
				want := make([]string, 25)
				for i := range want {
					want[i] = fmt.Sprintf("b%02d", i)
				}
				if descending {
					slices.Reverse(want)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
	t.Run("the cursor's own row may be gone", func(t *testing.T) {
		bots, err := f.model.Bots(t.Context(), "acme", nil, projections.Page{Take: 5})
		if err != nil {
			t.Fatal(err)
		}
		f.put("bot-b04", 0, events.BotDeleted{})
		next, err := f.model.Bots(t.Context(), "acme", nil, projections.Page{Take: 1, After: bots[4].Seq})
		if err != nil || len(next) != 1 || next[0].ID != "b05" {
			t.Errorf("%+v, %v", next, err)
		}
	})
}

// dump gives everything a model answers, so that two can be compared.
func dump(t *testing.T, m *projections.Model) string {
	t.Helper()
	fingerprint, err := m.Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fingerprint
}

func TestAModelThatIsFoldedAnewIsTheSame(t *testing.T) { // P6
	f := start(t)
	f.fill()
	f.put("integration-i1", 0, events.IntegrationDeleted{Account: "acme"})
	if err := f.store.Truncate(t.Context(), "integration-i1", 1); err != nil {
		t.Fatal(err)
	}
	want := dump(t, f.model)
	for name, damage := range map[string]func(){
		"after a restart":                  func() {},
		"when the file is gone":            func() { remove(t, f.path) },
		"when the file is damaged":         func() { overwrite(t, f.path) },
		"when the file is of another log":  func() { f.otherLog() },
		"when the file is from the future": func() { f.futureVersion() },
		"when the version of before passed over bots": func() {
			f.change("DELETE FROM bots", "INSERT INTO passed_over (type) VALUES ('BotCreated')")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.stop()
			damage()
			f.open()
			if err := f.model.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := dump(t, f.model); got != want {
				t.Errorf("the model differs:\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// otherLog puts the file of another log in place of this one's.
func (f *fixture) otherLog() {
	f.t.Helper()
	other := start(f.t)
	other.put("bot-x", 0, events.BotCreated{Account: "acme"})
	other.stop()
	remove(f.t, f.path)
	copyFile(f.t, other.path, f.path)
	other.open()
}

func remove(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func overwrite(t *testing.T, path string) {
	t.Helper()
	remove(t, path)
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// futureVersion makes the file one of a newer program.
func (f *fixture) futureVersion() { f.change("PRAGMA user_version = 999") }

// change changes the file by hand.
func (f *fixture) change(statements ...string) {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.path)
	for _, s := range statements {
		if err == nil {
			_, err = db.Exec(s)
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		f.t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWaiting(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := f.model.Wait(ctx, 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the future ends with %v", err)
	}
}
