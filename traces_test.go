package parley_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/domain/callback"
	"parley/domain/conversation"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/local"
	"parley/events/memory"
	"parley/whatsapp/simulator"
)

// streamName is how every stream is named: its category, a dash, and what is
// left, which may have dashes of its own.
var streamName = regexp.MustCompile(`^[a-z]+-[^\s/]+$`)

// traced reads the whole log as a tool of EventStoreDB's sees it: the metadata
// are JSON, the data are opaque.
func (h *house) traced() (all []traced) {
	h.t.Helper()
	for from := events.LogStart; ; {
		page, err := h.store.ReadAll(context.Background(), from, events.Forwards, 500)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		for _, r := range page {
			e := traced{Recorded: r}
			if err := json.Unmarshal(r.Metadata, &e.meta); err != nil {
				h.t.Errorf("%s of %s: the metadata are no JSON: %v", r.Type, r.Stream, err)
			}
			all, from = append(all, e), r.Position+1
		}
	}
}

// traced is an event with what tools can read of it.
type traced struct {
	events.Recorded
	meta map[string]any
}

func (e traced) text(key string) string {
	s, _ := e.meta[key].(string) // "" is none
	return s
}

// checkTraces holds every event of the log to what tools rely on. Every house
// does so in the end.
func (h *house) checkTraces() {
	h.t.Helper()
	for _, e := range h.traced() {
		if err := e.check(); err != nil {
			h.t.Error(err)
		}
	}
}

// check says what tools would miss.
func (e traced) check() error {
	if !streamName.MatchString(string(e.Stream)) {
		return fmt.Errorf("%s is in the stream %q", e.Type, e.Stream)
	}
	for _, key := range []string{"$correlationId", "$causationId", "command", "account"} {
		if e.text(key) == "" {
			return fmt.Errorf("%s of %s has no %s: %s", e.Type, e.Stream, key, e.Metadata)
		}
	}
	integration, sender := events.SplitConversationID(e.Stream.ID())
	want := map[string]string{}
	switch category := e.Stream.Category(); category {
	case events.ConversationCategory:
		want = map[string]string{"integration": integration, "sender": sender}
	case events.IntegrationCategory, events.CallbackCategory, events.SecretCategory:
		want["integration"] = e.Stream.ID()
	case events.BotCategory:
		want["bot"] = e.Stream.ID()
	}
	for key, value := range want {
		if e.text(key) != value {
			return fmt.Errorf("%s of %s: %s is %q", e.Type, e.Stream, key, e.text(key))
		}
	}
	for _, secret := range []string{accessToken, appSecret, apiSecret, otherSecret} {
		if strings.Contains(string(e.Metadata), secret) {
			return fmt.Errorf("the metadata of %s hold a secret", e.Type)
		}
	}
	return nil
}

// ledger is a store that keeps what was ever appended, also what is erased.
type ledger struct {
	events.Store
	mutex  sync.Mutex
	all    []traced
	closed string // the category that takes nothing
}

func (l *ledger) Append(ctx context.Context, stream events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if stream.Category() == l.closed {
		return events.Appended{}, events.ErrUnavailable
	}
	done, err := l.Store.Append(ctx, stream, r, records...)
	for _, record := range records {
		e := traced{Recorded: events.Recorded{Record: record, Stream: stream}}
		if err == nil && json.Unmarshal(record.Metadata, &e.meta) == nil {
			l.all = append(l.all, e)
		}
	}
	return done, err
}

func (l *ledger) refuse(category string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.closed = category
}

// A journey through everything that can happen: every type of event in the
// table can be traced by tools that cannot read it.
func TestEveryFactCanBeTraced(t *testing.T) {
	var all []traced
	live := func(o options, scene func(h *house)) {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{}
			o.store = func() events.Store { l.Store = memory.New(); return l }
			h := build(t, o)
			defer func() { h.close(); all = append(all, l.all...) }()
			scene(h)
		})
	}
	live(options{}, func(h *house) { // every operation of the API
		page, err := os.ReadFile(apiPage)
		if err != nil {
			h.t.Fatal(err)
		}
		p := &pageRun{h: h, shell: shell{"A": "http://parley.test/api/v1", "H": "Authorization: Bearer " + apiSecret}, seen: map[string]bool{}}
		h.connect("EAAG-your-token")
		example.ReplaceAllStringFunc(string(page), p.example)
	})
	live(options{}, func(h *house) { // everything that Meta posts
		h.furnish()
		h.takeInAll()
	})
	live(options{engine: moody(), rules: func(r *conversation.Rules) { r.SnapshotEvery = 20 }}, troubles)
	all = append(all, handedOut(t)...)

	streams := map[string]map[string]bool{} // types by category
	seen := map[string]bool{}
	for _, e := range all {
		if err := e.check(); err != nil {
			t.Error(err)
		}
		category := e.Stream.Category()
		if seen[e.Type] = true; streams[category] == nil {
			streams[category] = map[string]bool{}
		}
		streams[category][e.Type] = true
	}
	for name := range events.Types() {
		if !seen[name] {
			t.Errorf("%s did not happen", name)
		}
	}
	checkLogPage(t, streams)
}

const logPage = "docs/log.md"

// checkLogPage holds the page to what is in the log, and to the program that
// test/eventstore runs.
func checkLogPage(t *testing.T, streams map[string]map[string]bool) {
	t.Helper()
	tables := map[string]table{
		"streams":  {head: []string{"category", "events", "what it is about"}, keys: 1},
		"metadata": {head: []string{"key", "what it is"}, keys: 1},
	}
	add := func(name string, cells ...string) {
		b := tables[name]
		b.rows = append(b.rows, cells)
		tables[name] = b
	}
	for _, category := range slices.Sorted(maps.Keys(streams)) {
		add("streams", "`"+category+"`", "`"+strings.Join(slices.Sorted(maps.Keys(streams[category])), "`, `")+"`")
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[events.Metadata]()) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" {
			add("metadata", "`"+key+"`")
		}
	}
	checkTables(t, logPage, tables)
	page, err := os.ReadFile(logPage)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("test/eventstore/audit.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```js\n"+string(program)+"```\n") {
		t.Errorf("the program of %s is not test/eventstore/audit.mjs", logPage)
	}
}

// moody is a model that answers what it is asked for.
func moody() engine.Engine {
	return script.New(
		script.Rule{On: "flaky", Times: 1, Steps: []script.Step{script.Fail(&engine.Error{Reason: "busy", Transient: true})}},
		script.Rule{On: "bad", Steps: []script.Step{script.Fail(&engine.Error{Reason: "no"})}},
		script.Rule{On: "long", Steps: []script.Step{script.Do(engine.Progress{Text: "Looking …"}), script.Say("Found it")}},
		script.Rule{Steps: []script.Step{script.Say("Yes.")}},
	)
}

// troubles are what the API's page and the fixtures have none of.
func troubles(h *house) {
	h.furnish()
	update := func(body object) { h.post(integrations+"/"+h.integration+"/update", body) }
	update(object{"attachments": true, "contactCollection": true})
	for _, words := range []string{"flaky", "bad", "long", "/reset", "Hello", "Hello?", "Hello!", "Hello …", "Hello", "Hello"} {
		h.person(alice).Write(words)
		h.settle()
	}
	for _, person := range []string{alice, "15550003410", "15550003200"} { // there, gone, and not there at first
		h.person(person).SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png"})
	}
	for _, person := range []string{"15550000409", "15550001026", "15550000190"} { // in doubt, undeliverable, expired
		h.person(person).Write("Hello")
	}
	h.settle()
	update(object{"accessToken": accessToken + "2"})
	h.settle()
	update(object{"accessToken": accessToken, "allowFrom": alice})
	h.person(bob).Write("May I?")
	h.notify(strings.ReplaceAll(text(alice, "wamid.astray", "Hello"), phoneNumber, "1"))
	for range callback.MaxRefusals + 1 {
		h.postTo(h.callback(), "{}")
	}
	h.settle()
	update(object{"allowFrom": bob})
	h.store.(*ledger).refuse(events.ContactCategory)
	h.person(bob).Write("Remember me")
	time.Sleep(5 * time.Second)
	h.post(integrations+"/"+h.integration+"/delete", object{})
	h.store.(*ledger).refuse("")
	h.settle()
}

// handedOut are the events of a secret that is handed out and revoked where no
// server runs.
func handedOut(t *testing.T) (all []traced) {
	t.Helper()
	data := t.TempDir()
	if err := os.MkdirAll(filepath.Join(data, "log"), 0o700); err != nil {
		t.Fatal(err)
	}
	desk, err := parley.OpenDesk(t.Context(), data, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := desk.Create(t.Context(), "acme", "laptop")
	if err == nil {
		_, err = desk.Revoke(t.Context(), token.ID)
	}
	if err := errors.Join(err, desk.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	log, err := local.Open(filepath.Join(data, "log"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: log}
	all = h.traced()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	return all
}

// From the webhook to the last status there is one correlation, and each step
// names the one before it.
func TestAJourneyHasOneCorrelation(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.person(alice).Write("Hello")
		h.settle()
		stream := events.StreamOf(events.ConversationCategory, events.ConversationID(h.integration, alice))
		var session, journey string
		came := map[string]string{} // which command brought a type
		steps := map[string]string{"TurnAnswered": "MessageReceived", "PartSent": "TurnAnswered"}
		for _, e := range h.traced() {
			if e.Stream != stream {
				continue
			}
			if journey == "" {
				journey, session = e.text("$correlationId"), e.text("conversation")
			}
			if e.text("$correlationId") != journey || e.text("conversation") != session || e.text("bot") != h.bot || e.text("account") != "acme" {
				h.t.Errorf("%s: %s", e.Type, e.Metadata)
			}
			if before := steps[e.Type]; before != "" && e.text("$causationId") != came[before] {
				h.t.Errorf("%s comes after %s, and not after %s", e.Type, e.text("$causationId"), before)
			}
			came[e.Type] = e.text("command")
		}
		if _, ok := came["StatusReceived"]; !ok || h.conversations()[0]["id"] != session {
			h.t.Errorf("the journey of %q: %v", session, came)
		}
	})
}
