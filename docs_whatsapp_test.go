package parley_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/domain"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/events"
	"parley/events/memory"
	"parley/media"
	"parley/projections"
	"parley/whatsapp"
)

// TestTheWhatsAppPage holds docs/whatsapp.md to the code.
func TestTheWhatsAppPage(t *testing.T) {
	s := newSource(t)
	tables := limitTables(t, s)
	tables["forms"], tables["files"] = formTable(t), fileTable()
	tables["acts"], tables["functions"] = actTable(t, s), functionTable(t)
	tables["codes"], tables["other-errors"], tables["actions"] = codeTable(), errorTable(), actionTable(s)
	tables["settings"], tables["commands"] = settingTable(), commandTable(t)
	tables["media"], tables["promises"] = mediaTable(s), promiseTable(t)
	tables["events"], tables["quiet"] = eventTables(t)
	checkTables(t, "docs/whatsapp.md", tables)
}

func code(text string) string { return "`" + text + "`" }

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// inbound is a message of each type, without what all of them have.
var inbound = map[string]string{
	"text":     `"text":{"body":"Are you open?"}`,
	"button":   `"button":{"payload":"STOP","text":"No, thanks"}`,
	"image":    `"image":{"id":"1","caption":"Like this one"}`,
	"video":    `"video":{"id":"1","caption":"Look"}`,
	"audio":    `"audio":{"id":"1","voice":true}`,
	"voice":    `"voice":{"id":"1"}`,
	"sticker":  `"sticker":{"id":"1"}`,
	"document": `"document":{"id":"1","filename":"offer.pdf","caption":"Your offer"}`,
	"location": `"location":{"latitude":37.48,"longitude":-122.15,"name":"Shop","address":"1 Main Street"}`,
	"contacts": `"contacts":[{"name":{"formatted_name":"Ada Byron"},"phones":[{"phone":"+1 555 0100"}]}]`,
	"order": `"order":{"catalog_id":"19","text":"No onions","product_items":[` +
		`{"product_retailer_id":"burger","quantity":2,"item_price":30,"currency":"USD"}]}`,
	"interactive/button_reply": `"interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes, please"}}`,
	"interactive/list_reply":   `"interactive":{"type":"list_reply","list_reply":{"id":"tea","title":"Tea"}}`,
	"interactive/nfm_reply": `"interactive":{"type":"nfm_reply","nfm_reply":` +
		`{"name":"flow","body":"Sent","response_json":"{\"rating\":\"4\"}"}}`,
	"interactive/call_permission_reply": `"interactive":{"type":"call_permission_reply"}`,
	"request_welcome":                   `"context":{}`,
	"reaction":                          `"reaction":{"message_id":"wamid.0","emoji":"👍"}`,
	"system":                            `"system":{"type":"user_changed_number","body":"…","wa_id":"15551230009"}`,
	"edit":                              `"edit":{"original_message_id":"wamid.0","message":{"type":"text","text":{"body":"Open?"}}}`,
	"revoke":                            `"revoke":{"original_message_id":"wamid.0"}`,
	"unsupported":                       `"errors":[{"code":131051}]`,
	"unknown":                           `"errors":[{"code":131051}]`,
}

func formTable(t *testing.T) table {
	b := table{head: []string{"type", "opens a turn", "the engine reads", "remarks"}, keys: 1}
	for _, form := range whatsapp.Forms() {
		content, ok := inbound[form.Type]
		if !ok {
			t.Errorf("there is no example of %s", form.Type)
			continue
		}
		kind, _, _ := strings.Cut(form.Type, "/")
		n, err := whatsapp.Parse([]byte(`{"entry":[{"changes":[{"field":"messages","value":{"messages":[` +
			`{"from":"15551230001","id":"wamid.1","type":"` + kind + `",` + content + `}]}}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		reads := "nothing"
		if said, _ := n.Messages[0].Prompt(); said != "" {
			reads = code(said)
		}
		b.rows = append(b.rows, []string{code(form.Type), yesNo(form.Opens), reads})
	}
	return b
}

// fileTable tells what an engine reads of files.
func fileTable() table {
	b := table{head: []string{"file", "caption", "what became of it", "the engine reads"}, keys: 3}
	for _, c := range []struct{ kind, caption, typ, transcript string }{
		{"image", "Like this one", "image/jpeg", ""},
		{"image", "", "image/jpeg", ""},
		{"audio", "", "audio/ogg", "Are you open today?"},
		{"audio", "", "audio/ogg", ""},
		{"document", "Your offer", "", ""},
		{"document", "", "", ""},
	} {
		received := events.MessageReceived{Session: "s", Message: "m", Kind: c.kind, Text: c.caption}
		became, file := "could not be loaded", events.Event(events.AttachmentFailed{Message: "m"})
		if c.typ != "" {
			stored := events.Attachment{ID: "a", Name: media.SafeName(c.kind, c.typ), Type: c.typ}
			became, file = "stored", events.AttachmentStored{Message: "m", Attachment: stored, Transcript: c.transcript}
		}
		if c.transcript != "" {
			became += " and written down"
		}
		var reads []string
		for _, e := range conversation.History("s", []events.Event{received, file, events.TurnStarted{Session: "s", Messages: []string{"m"}}}) {
			if e.Call != nil {
				reads = append(reads, "a call of "+code(e.Call.Function))
			} else {
				reads = append(reads, code(strings.ReplaceAll(e.Text, "\n", " ⏎ ")))
			}
		}
		caption := "none"
		if c.caption != "" {
			caption = code(c.caption)
		}
		b.rows = append(b.rows, []string{c.kind, caption, became, strings.Join(reads, ", then ")})
	}
	return b
}

// settingTable tells which of an integration's settings a session keeps: those
// that stand in it.
func settingTable() table {
	inSession := map[string]string{"SessionMillis": "Lifetime"}
	inAPI := map[string]string{"SessionMillis": "sessionDuration"}
	b := table{head: []string{"setting", "a change holds", "remarks"}, keys: 1}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[events.IntegrationSettings]()) {
		name, kept := inAPI[field.Name], inSession[field.Name]
		if name == "" {
			name, kept = strings.ToLower(field.Name[:1])+strings.ReplaceAll(field.Name[1:], "ID", "Id"), field.Name
		}
		holds := "at once"
		if _, ok := reflect.TypeFor[events.Session]().FieldByName(kept); ok {
			holds = "from the next session on"
		}
		b.rows = append(b.rows, []string{code(name), holds})
	}
	return b
}

func commandTable(t *testing.T) table {
	b := table{head: []string{"text", "is"}, keys: 1}
	for _, words := range []string{"/restart", "/reset", "/new", " /New ", "/new please", "new", "/help"} {
		facts, err := conversation.New(conversation.DefaultRules()).Decide(conversation.State{}, domain.Command{At: 1, Body: conversation.Receive{
			Policy:   conversation.Policy{Allowed: true, Lifetime: integration.DefaultSessionMillis},
			Messages: []conversation.Inbound{{Message: "m", Session: "s", WAMID: "w", From: "1", Kind: "text", Text: words, Opens: true}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		is := "a message"
		if _, ok := facts[0].(events.SessionReset); ok {
			is = "a command"
		}
		b.rows = append(b.rows, []string{code(words), is})
	}
	return b
}

// promiseTable has a row for every promise that a test names.
func promiseTable(t *testing.T) table {
	t.Helper()
	named := map[int]bool{}
	note := func(pattern, text string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(m[1])
			named[n] = true
		}
	}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, comment := range f.Comments {
			note(`\bP(\d+)\b`, comment.Text())
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				note(`^TestP(\d+)[A-Z]`, d.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := table{head: []string{"", "promise", "how far it goes"}, keys: 1}
	for _, n := range slices.Sorted(maps.Keys(named)) {
		b.rows = append(b.rows, []string{fmt.Sprint("P", n)})
	}
	return b
}

// eventTables tell what the event log says of every fact.
func eventTables(t *testing.T) (lines, quiet table) {
	t.Helper()
	facts := factsOfAllSorts()
	tells, noted := map[[2]string]map[string]bool{}, map[string]bool{}
	for _, l := range logOf(t, facts) {
		fact := facts[l.At-1].EventType()
		key := [2]string{strings.TrimPrefix(l.Type, "integration.whatsapp."), fact}
		if noted[fact] = true; tells[key] == nil {
			tells[key] = map[string]bool{}
		}
		var meta map[string]any
		if err := json.Unmarshal(l.Meta, &meta); err != nil {
			t.Fatal(err)
		}
		for name := range meta {
			tells[key][code(name)] = true
		}
	}
	lines = table{head: []string{"type", "fact", "tells", "written when"}, keys: 2}
	for _, key := range slices.SortedFunc(maps.Keys(tells), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		lines.rows = append(lines.rows, []string{code(key[0]), code(key[1]), cmp.Or(strings.Join(slices.Sorted(maps.Keys(tells[key])), " "), "–")})
	}
	var silent []string
	for _, name := range slices.Sorted(maps.Keys(events.Types())) {
		if !noted[name] {
			silent = append(silent, code(name))
		}
	}
	return lines, table{head: []string{"facts that leave no line"}, keys: 1, rows: [][]string{{strings.Join(silent, ", ")}}}
}

// logOf folds facts into a read model and gives its event log. Each was at the
// instant of its place, counted from 1.
func logOf(t *testing.T, facts []events.Event) []projections.LogEntry {
	t.Helper()
	store := memory.New()
	m, err := projections.Open(t.Context(), projections.Config{Path: filepath.Join(t.TempDir(), "model.db"), Store: store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for i, fact := range facts {
		stream := events.StreamOf(events.CallbackCategory, strconv.Itoa(i))
		records, err := events.Records(stream, events.Metadata{Command: strconv.Itoa(i), Account: "acme", At: events.Instant(i + 1)}, fact)
		if err == nil {
			_, err = store.Append(ctx, stream, events.NoStream, records...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err = m.CatchUp(ctx)
	entries, listed := m.Log(ctx, "acme", projections.LogFilter{}, projections.Page{Take: 2 * len(facts)})
	cancel()
	if err := errors.Join(err, listed, <-done, m.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
	return entries
}

// factsOfAllSorts gives every fact with something in all its fields, twice: so
// that what is yes or no is both. Statuses are of all kinds.
func factsOfAllSorts() []events.Event {
	var all []events.Event
	for _, name := range slices.Sorted(maps.Keys(events.Types())) {
		for _, yes := range []bool{false, true} {
			v := reflect.New(reflect.TypeOf(events.Types()[name])).Elem()
			fillIn(v, yes)
			if f, ok := v.Interface().(events.StatusReceived); ok {
				for _, f.Status = range []string{whatsapp.StatusSent, whatsapp.StatusDelivered, whatsapp.StatusRead, whatsapp.StatusPlayed, whatsapp.StatusFailed} {
					all = append(all, f)
				}
				continue
			}
			if f, ok := v.Interface().(events.TurnClosed); ok && yes {
				f.Asked = false
				all = append(all, f)
			}
			all = append(all, v.Interface().(events.Event))
		}
	}
	return all
}

func fillIn(v reflect.Value, yes bool) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillIn(v.Field(i), yes)
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(yes)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("{}"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillIn(v.Index(0), yes)
	}
}
