package conversation_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the transcripts in testdata with what the code does")

// TestTranscripts plays the scripts in testdata. A script is a list of blocks:
// a command, a line of dashes, and what it led to — the facts that were
// recorded or the refusal, and the work that is then owed. Lines that begin
// with # are for the reader. Time stands still but for "wait".
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newPlay(t).script(string(want))
			if got == string(want) {
				return
			}
			if !*rewrite {
				t.Fatalf("%s differs; with -rewrite it becomes:\n%s", file, got)
			}
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// play holds a conversation while a script is played.
type play struct {
	t       *testing.T
	rules   conversation.Rules
	decider domain.Decider[conversation.State]
	state   conversation.State
	start   events.Instant
	now     events.Instant
	policy  conversation.Policy
	n       int
}

func newPlay(t *testing.T) *play {
	start := events.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	rules := conversation.DefaultRules()
	rules.Gather = 0 // "gather" asks for it
	return &play{
		t: t, rules: rules, decider: conversation.New(rules), start: start, now: start,
		policy: conversation.Policy{Allowed: true, BotID: "bot1", Lifetime: (24 * time.Hour).Milliseconds()},
	}
}

func (p *play) script(text string) string {
	var out strings.Builder
	skipping := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			skipping = false
			fmt.Fprintln(&out, line)
		case skipping:
		case line == "----":
			skipping = true
		default:
			fmt.Fprintln(&out, line)
			fmt.Fprintln(&out, "----")
			out.WriteString(p.line(line))
			skipping = true
		}
	}
	return out.String()
}

// line plays one command and tells what came of it.
func (p *play) line(line string) string {
	verb, args := split(line)
	if verb == "wait" {
		d, err := time.ParseDuration(args[""])
		if err != nil {
			p.t.Fatalf("%q: %v", line, err)
		}
		p.now = p.now.Add(d)
		return p.owed()
	}
	if verb == "policy" {
		p.setPolicy(args)
		return ""
	}
	switch verb {
	case "gather":
		p.rules.Gather, _ = time.ParseDuration(args[""])
	case "burst":
		p.rules.PairBurst, _ = strconv.Atoi(args[""])
	case "snapshot":
		p.rules.SnapshotEvery, _ = strconv.Atoi(args[""])
	}
	if verb == "gather" || verb == "burst" || verb == "snapshot" {
		p.decider = conversation.New(p.rules)
		return ""
	}
	p.n++
	c := domain.Command{ID: strconv.Itoa(p.n), At: p.now, Body: p.command(verb, args)}
	facts, err := p.decider.Decide(p.state, c)
	if err != nil {
		return "refused: " + err.Error() + "\n"
	}
	p.state = p.decider.Fold(p.state, facts...)
	var out strings.Builder
	for _, f := range facts {
		fmt.Fprintln(&out, p.show(f))
	}
	return out.String() + p.owed()
}

func (p *play) setPolicy(args map[string]string) {
	if v, ok := args["allowed"]; ok {
		p.policy.Allowed = v == "true"
	}
	if v, ok := args["bot"]; ok {
		p.policy.BotID = v
	}
	if v, ok := args["attachments"]; ok {
		p.policy.Attachments = v == "true"
	}
	if v, ok := args["contacts"]; ok {
		p.policy.ContactCollection = v == "true"
	}
	if v, ok := args["lifetime"]; ok {
		d, err := time.ParseDuration(v)
		if err != nil {
			p.t.Fatal(err)
		}
		p.policy.Lifetime = d.Milliseconds()
	}
}

func (p *play) command(verb string, a map[string]string) any {
	atoi := func(key string) int { n, _ := strconv.Atoi(a[key]); return n }
	wait, _ := time.ParseDuration(a["wait"])
	switch verb {
	case "receive":
		return conversation.Receive{Policy: p.policy, Notification: &events.NotificationReceived{Messages: 1}, Messages: []conversation.Inbound{p.inbound(a)}}
	case "status":
		return conversation.Receive{Policy: p.policy, Notification: &events.NotificationReceived{Statuses: 1}, Statuses: []conversation.Status{{
			WAMID: a["wamid"], Status: a[""], Echo: a["echo"], At: p.now, Code: atoi("code"),
		}}}
	case "answer":
		body := conversation.Answer{Turn: a["turn"], BotID: "bot1", Sending: a["sending"] != "no", EndSession: a["end"] == "yes", Asked: a["said"]}
		for i, text := range strings.Split(a[""], "|") {
			if text == "" {
				continue
			}
			id := fmt.Sprintf("%s-%d", a["turn"], i)
			body.Messages = append(body.Messages, events.TurnMessage{ID: "b" + id, Text: text})
			body.Parts = append(body.Parts, events.Part{
				ID: id, Message: "b" + id, Payload: []byte(text), File: strings.HasPrefix(text, "file"),
			})
		}
		return body
	case "echo":
		return conversation.Receive{
			Policy: p.policy, Notification: &events.NotificationReceived{Messages: 1},
			Echoes: []conversation.Echo{{
				Message: a["id"], Session: "s" + strings.TrimPrefix(a["id"], "m"), WAMID: a["wamid"], Kind: "text", Text: a[""], At: p.now,
			}},
		}
	case "begin":
		return conversation.Begin{}
	case "progress":
		id := a["turn"] + "-p" + a["n"]
		return conversation.Progress{
			Turn: a["turn"], Number: atoi("n"), Said: events.TurnMessage{ID: "b" + id, Text: a[""]},
			Parts: []events.Part{{ID: id, Message: "b" + id}},
		}
	case "initiate":
		id := a["id"]
		return conversation.Initiate{
			Policy: p.policy, Session: "s" + strings.TrimPrefix(id, "m"), Key: a["key"], To: "15551234567",
			Said: []events.TurnMessage{{ID: id, Text: a[""]}}, Parts: []events.Part{{ID: id + "-0", Message: id}},
		}
	case "open":
		return conversation.Open{Session: a[""], Changes: changes(a), Messages: written(a)}
	case "describe":
		return conversation.Describe{Session: a[""], Changes: changes(a)}
	case "write":
		return conversation.Write{Session: a[""], Messages: written(a)}
	case "rewrite":
		return conversation.Rewrite{Session: a["session"], Message: a[""], Changes: conversation.MessageChanges{Text: domain.Some(a["text"])}}
	case "strike":
		return conversation.Strike{Session: a["session"], Message: a[""]}
	case "ask":
		return conversation.Ask{
			Session: a["session"], Turn: a["turn"], Message: a["id"], Text: a[""], As: events.Session{BotID: a["bot"]},
		}
	case "erase":
		return conversation.Erase{Session: a[""]}
	case "bared":
		return conversation.ReportBared{Session: a[""]}
	case "cleared":
		return conversation.ReportCleared{Session: a[""]}
	case "resume":
		return conversation.Resume{}
	case "fetched":
		return conversation.ReportFetched{
			Message: a[""], Attachment: events.Attachment{ID: "a" + a[""], Type: a["type"]}, Transcript: a["transcript"],
		}
	case "unfetched":
		return conversation.ReportUnfetched{Message: a[""], Reason: a["reason"], Retry: a["wait"] != "", Wait: wait}
	case "contact":
		return conversation.ReportContact{Session: a["session"], Contact: a[""]}
	case "delay":
		return conversation.Delay{Turn: a["turn"], Reason: a[""], Wait: wait, Apology: p.apology(a), Close: a["close"]}
	case "close":
		return conversation.Close{Turn: a["turn"], Skipped: a["skipped"] == "yes", Reason: a[""], Apology: p.apology(a)}
	case "attempt":
		return conversation.Attempt{Part: a[""]}
	case "giveup":
		return conversation.GiveUp{Part: a[""]}
	case "sent":
		return conversation.ReportSent{Part: a[""], WAMID: a["wamid"], Sending: a["sending"] != "no"}
	case "sendrefused":
		return conversation.ReportRefused{
			Part: a[""], Attempt: atoi("attempt"), Code: atoi("code"), Detail: a["detail"],
			Retry: a["wait"] != "", Wait: wait, Held: a["held"] == "yes",
		}
	case "unclear":
		return conversation.ReportUnclear{Part: a[""], Attempt: atoi("attempt"), Detail: a["detail"]}
	case "abandon":
		return conversation.Abandon{Reason: a[""]}
	}
	p.t.Fatalf("no command %q", verb)
	return nil
}

// changes reads what is changed about a session.
func changes(a map[string]string) (c conversation.Changes) {
	for key, field := range map[string]*domain.Opt[string]{
		"name": &c.Name, "bot": &c.BotID, "who": &c.ContactID, "model": &c.Model, "backstory": &c.Backstory,
	} {
		if value, ok := a[key]; ok {
			*field = domain.Some(value)
		}
	}
	c.Meta = []byte(a["meta"])
	return c
}

// written reads a message that is put in, if there is one.
func written(a map[string]string) []conversation.Written {
	if a["id"] == "" {
		return nil
	}
	return []conversation.Written{{ID: a["id"], Type: a["type"], Text: a["text"], Meta: []byte(a["meta"])}}
}

func (p *play) apology(a map[string]string) conversation.Apology {
	text, ok := a["sorry"]
	if !ok {
		return conversation.Apology{}
	}
	id := a["turn"] + "-sorry"
	return conversation.Apology{
		Said:  []events.TurnMessage{{ID: "b" + id, Text: text}},
		Parts: []events.Part{{ID: id, Message: "b" + id, Payload: []byte(text)}},
	}
}

func (p *play) inbound(a map[string]string) conversation.Inbound {
	id := a["id"]
	m := conversation.Inbound{
		Message: id, Session: "s" + strings.TrimPrefix(id, "m"), WAMID: "wamid." + id, From: "15551234567",
		Kind: "text", Text: a[""], At: p.now, Opens: true, Tap: a["tap"] == "yes",
	}
	if media, ok := a["media"]; ok {
		m.Kind, m.Media, m.Opens = "image", &events.Media{ID: media}, m.Text != ""
	}
	if ago, err := time.ParseDuration(a["ago"]); err == nil {
		m.At = p.now.Add(-ago)
	}
	if w, ok := a["wamid"]; ok {
		m.WAMID = w
	}
	if kind, ok := a["kind"]; ok {
		m.Kind, m.Opens, m.Text = kind, false, ""
		m.Placeholder = kind == "unsupported"
	}
	return m
}

// owed tells what the state owes.
func (p *play) owed() string {
	var out strings.Builder
	for _, task := range p.decider.Owed(p.state) {
		what := ""
		switch b := task.Body.(type) {
		case conversation.RunTurn:
			what = "run turn " + b.Turn.ID + " of session " + b.Session.ID
		case conversation.Deliver:
			what = "deliver " + b.Part.ID
		case conversation.GiveUp:
			what = "give up " + b.Part
		case conversation.Begin:
			what = "begin a turn"
		case conversation.Fetch:
			what = "fetch the file of " + b.File.Message
		case conversation.Bare:
			what = "make session " + b.Session + " bare"
		case conversation.Clear:
			what = "clear session " + b.Session
		case conversation.Collect:
			what = "store the contact of session " + b.Session
		}
		fmt.Fprintf(&out, "owes: %s%s\n", what, p.when(task.Due))
	}
	if out.Len() == 0 {
		return "owes: nothing\n"
	}
	return out.String()
}

func (p *play) when(due events.Instant) string {
	if due <= p.now {
		return ""
	}
	return " in " + due.Sub(p.now).String()
}

// show tells a fact by its fields that say something.
func (p *play) show(fact events.Event) string {
	if _, ok := fact.(events.NotificationReceived); ok {
		return "NotificationReceived"
	}
	return fact.EventType() + p.fields(reflect.ValueOf(fact))
}

func (p *play) fields(v reflect.Value) string {
	var out strings.Builder
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if field.IsZero() || name == "Carried" {
			continue
		}
		switch x := field.Interface().(type) {
		case *events.NotificationReceived:
			out.WriteString(" +notification")
		case events.Instant:
			fmt.Fprintf(&out, " %s=+%s", name, x.Sub(p.start))
		case events.Session:
			fmt.Fprintf(&out, " %s=%s(bot %s)", name, x.ID, x.BotID)
		case events.Ask:
			fmt.Fprintf(&out, " %s", x.Turn)
		case *events.Session:
			fmt.Fprintf(&out, " %s=%s(bot %s)", name, x.ID, x.BotID)
		case *events.Media:
			out.WriteString(" media:" + x.ID)
		case events.TurnMessage:
			fmt.Fprintf(&out, " %s:%q", x.ID, x.Text)
		case *events.SessionChanges:
			out.WriteString(p.fields(reflect.ValueOf(*x)))
		case events.MessageChanges:
			out.WriteString(p.fields(reflect.ValueOf(x)))
		case events.SessionChanges:
			out.WriteString(p.fields(reflect.ValueOf(x)))
		case *string:
			fmt.Fprintf(&out, " %s=%q", name, *x)
		case []byte:
			fmt.Fprintf(&out, " %s=%s", name, x)
		case events.Attachment:
			out.WriteString(" attachment:" + x.ID)
		case []events.TurnMessage:
			for _, m := range x {
				fmt.Fprintf(&out, " %s:%q", m.ID, m.Text)
			}
		case []events.Part:
			for _, part := range x {
				fmt.Fprintf(&out, " part:%s", part.ID)
			}
		default:
			fmt.Fprintf(&out, " %s=%v", name, x)
		}
	}
	return out.String()
}

// split parses `verb "text" key=value …`; the quoted or bare argument has the
// empty key.
func split(line string) (verb string, args map[string]string) {
	args = map[string]string{}
	verb, rest, _ := strings.Cut(line, " ")
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		key := ""
		if i := strings.IndexAny(rest, `="`+" "); i > 0 && rest[i] == '=' {
			key, rest = rest[:i], rest[i+1:]
		}
		if strings.HasPrefix(rest, `"`) {
			quoted, _ := strconv.QuotedPrefix(rest)
			args[key], _ = strconv.Unquote(quoted)
			rest = rest[len(quoted):]
			continue
		}
		args[key], rest, _ = strings.Cut(rest, " ")
	}
	return verb, args
}
