package whatsapp_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// fixture reads a file of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// fixtures gives the names of the files in folders of testdata.
func fixtures(t testing.TB, folders ...string) (names []string) {
	t.Helper()
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no fixtures in %s (%v)", folder, err)
		}
		for _, f := range found {
			names = append(names, strings.TrimPrefix(f, "testdata/"))
		}
	}
	return names
}

func webhooks(t testing.TB) []string {
	return fixtures(t, "inbound", "status", "field", "batch", "malformed", "synthetic", "sequence/*")
}

func parse(t testing.TB, body []byte) whatsapp.Notification {
	t.Helper()
	n, err := whatsapp.Parse(body)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return n
}

// event is what EXPECT.jsonl says of one item, by its keys.
type event map[string]any

func TestParseFindsWhatIsExpected(t *testing.T) {
	expected := map[string][]event{}
	lines := bufio.NewScanner(bytes.NewReader(fixture(t, "EXPECT.jsonl")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row struct {
			File   string
			Events []event
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		expected[row.File] = row.Events
	}
	files := webhooks(t)
	if len(files) != len(expected) {
		t.Errorf("%d files but %d expectations", len(files), len(expected))
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			checkEvents(t, expected[file], parse(t, fixture(t, file)))
		})
	}
}

// checkEvents compares, kind by kind and in order, the keys that are expected.
func checkEvents(t *testing.T, expected []event, n whatsapp.Notification) {
	t.Helper()
	found := map[string][]event{}
	for _, m := range n.Messages {
		found["message"] = append(found["message"], eventOfMessage(m))
	}
	for _, s := range n.Statuses {
		found["status"] = append(found["status"], eventOfStatus(s))
	}
	for _, c := range n.Changes {
		found["field"] = append(found["field"], event{"field": c.Field, "waba_id": c.WABAID})
	}
	for _, e := range n.Errors {
		found["error"] = append(found["error"], event{"phone_number_id": e.PhoneNumberID, "code": float64(e.Code)})
	}
	for _, want := range expected {
		kind := want["event"].(string)
		if len(found[kind]) == 0 {
			t.Fatalf("missing: %v", want)
		}
		got := found[kind][0]
		found[kind] = found[kind][1:]
		for key, value := range want {
			if key == "from" { // kept as digits
				value = strings.TrimPrefix(value.(string), "+")
			}
			if diff := cmp.Diff(value, got[key]); key != "event" && diff != "" {
				t.Errorf("%s of %v: -want +got\n%s", key, want["id"], diff)
			}
		}
	}
	for kind, rest := range found {
		if len(rest) > 0 {
			t.Errorf("%d more of %s than expected: %v", len(rest), kind, rest)
		}
	}
}

func eventOfMessage(m whatsapp.Message) event {
	e := event{
		"phone_number_id": m.PhoneNumberID, "id": m.ID, "type": m.Type, "from": m.Sender(), "from_user_id": m.UserID,
		"group_id": m.GroupID, "reply_to": m.Context.ReplyTo, "text": m.Text, "error_codes": codes(m.Errors),
	}
	if m.Referral != nil {
		e["referral"] = m.Referral.SourceID
	}
	if m.Media != nil {
		maps.Copy(e, event{"media_id": m.Media.ID, "mime_type": m.Media.MIME, "text": m.Media.Caption})
	}
	if m.Reply != nil {
		maps.Copy(e, event{"interactive": m.Reply.Kind, "reply_id": m.Reply.ID, "text": m.Reply.Title + m.Reply.Body})
	}
	if m.Reaction != nil {
		maps.Copy(e, event{"emoji": m.Reaction.Emoji, "reaction_to": m.Reaction.MessageID})
	}
	if m.System != nil {
		maps.Copy(e, event{"system": m.System.Type, "new_wa_id": m.System.WaID, "new_user_id": m.System.UserID})
	}
	return e
}

func eventOfStatus(s whatsapp.Status) event {
	e := event{
		"phone_number_id": s.PhoneNumberID, "id": s.ID, "status": s.Status,
		"recipient_id": s.RecipientID, "recipient_user_id": s.UserID, "error_codes": codes(s.Errors),
	}
	if s.GroupID != "" {
		e["recipient_id"] = s.GroupID
	}
	return e
}

func codes(failures []whatsapp.Failure) (list []any) {
	for _, f := range failures {
		list = append(list, float64(f.Code))
	}
	return list
}

// messagesBody is a webhook with these items of the value.
func messagesBody(items string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":"messages","value":{` +
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"P"},` + items + `}}]}]}`)
}

// one parses a body with one message in it.
func one(t testing.TB, items string) whatsapp.Message {
	t.Helper()
	n := parse(t, messagesBody(items))
	if len(n.Messages) != 1 {
		t.Fatalf("%d messages, problems %v", len(n.Messages), n.Problems)
	}
	return n.Messages[0]
}

func TestParseReadsEverythingOfAMessage(t *testing.T) {
	got := one(t, `
		"contacts":[{"profile":{"name":"Nobody"},"wa_id":"1"},{"profile":{"name":"Sheena","username":"@sheena"},"wa_id":"16505551234","user_id":"US.1","parent_user_id":"US.ENT.2"}],
		"messages":[{"from":"16505551234","id":"wamid.1","timestamp":1749416383,"type":"text","text":{"body":"  Hé\u0000\n "},"group_id":"g@g.us",
			"context":{"id":"wamid.0","from":"15550783881","forwarded":true,"referred_product":{"catalog_id":"C","product_retailer_id":"R"}},
			"referral":{"source_id":77,"source_type":"ad","ctwa_clid":"clk","welcome_message":{"text":"hi"}}}]`)
	want := whatsapp.Message{
		Line: whatsapp.Line{WABAID: "W", PhoneNumberID: "P", DisplayPhoneNumber: "15550783881"},
		ID:   "wamid.1", From: "16505551234", UserID: "US.1", ParentUserID: "US.ENT.2", Username: "sheena", Profile: "Sheena",
		GroupID: "g@g.us", Timestamp: time.Date(2025, 6, 8, 20, 59, 43, 0, time.UTC), Type: "text", Text: "  Hé\x00\n ",
		Context:  whatsapp.Context{ReplyTo: "wamid.0", From: "15550783881", Forwarded: true, Product: &whatsapp.Product{CatalogID: "C", RetailerID: "R"}},
		Referral: &whatsapp.Referral{SourceID: "77", SourceType: "ad", ClickID: "clk"},
	}
	want.Referral.Welcome.Text = "hi"
	got.Raw, got.Contact = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSender(t *testing.T) {
	cases := []struct{ rule, items, sender, userID, profile string }{
		{"the digits come first", `"messages":[{"from":"15551234567","from_user_id":"US.1"}]`, "15551234567", "US.1", ""},
		{"a number in any writing is its digits", `"messages":[{"from":"+1 (555) 123-4567"}]`, "15551234567", "", ""},
		{"without a number it is the user ID", `"messages":[{"from_user_id":"US.1"}]`, "US.1", "US.1", ""},
		{"a user ID repeated as a number is a user ID", `"messages":[{"from":"US.1"}]`, "US.1", "US.1", ""},
		{"empty texts are as good as missing", `"messages":[{"from":"","from_user_id":"US.1"}]`, "US.1", "US.1", ""},
		{"the parent user ID is better than nobody", `"messages":[{"from_parent_user_id":"US.ENT.1"}]`, "US.ENT.1", "", ""},
		{"the contact with the same user ID knows the number", `"contacts":[{"wa_id":"1555","user_id":"US.1","profile":{"name":"Ann"}}],"messages":[{"from_user_id":"US.1"}]`, "1555", "US.1", "Ann"},
		{"the contact with the same number knows the user ID", `"contacts":[{"wa_id":"1555","user_id":"US.1"}],"messages":[{"from":"1555"}]`, "1555", "US.1", ""},
		{"a contact that repeats the user ID as number is found", `"contacts":[{"wa_id":"US.1","profile":{"name":"Ann"}}],"messages":[{"from":"US.1"}]`, "US.1", "US.1", "Ann"},
		{"the only contact is the sender if it names nobody else", `"contacts":[{"profile":{"name":"Ann"}}],"messages":[{"from":"1555"}]`, "1555", "", "Ann"},
		{"a contact of somebody else is not the sender", `"contacts":[{"wa_id":"999","profile":{"name":"Eve"}}],"messages":[{"from":"1555"}]`, "1555", "", ""},
		{"a number may be a JSON number", `"messages":[{"from":15551234567}]`, "15551234567", "", ""},
		{"a system message may say nobody", `"messages":[{"type":"system","system":{"type":"user_changed_user_id","user_id":"US.2"}}]`, "", "", ""},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			m := one(t, c.items)
			if diff := cmp.Diff([]string{c.sender, c.userID, c.profile}, []string{m.Sender(), m.UserID, m.Profile}); diff != "" {
				t.Errorf("sender, user ID, profile: -want +got\n%s", diff)
			}
		})
	}
}

func TestRecipient(t *testing.T) {
	cases := []struct{ rule, status, recipient, parent, group string }{
		{"the digits come first", `{"recipient_id":"1555","recipient_user_id":"US.1"}`, "1555", "", ""},
		{"without a number it is the user ID", `{"recipient_user_id":"US.1"}`, "US.1", "", ""},
		{"the parent has had two names", `{"recipient_id":"1","parent_recipient_user_id":"US.ENT.1"}`, "1", "US.ENT.1", ""},
		{"the newer name is the other one", `{"recipient_id":"1","recipient_parent_user_id":"US.ENT.1"}`, "1", "US.ENT.1", ""},
		{"in a group it is the participant", `{"recipient_id":"7@g.us","recipient_type":"group","recipient_participant_id":"1555"}`, "1555", "", "7@g.us"},
		{"a group without a participant is the recipient", `{"recipient_id":"7@g.us","recipient_type":"group"}`, "7@g.us", "", "7@g.us"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			s := parse(t, messagesBody(`"statuses":[`+c.status+`]`)).Statuses[0]
			if diff := cmp.Diff([]string{c.recipient, c.parent, c.group}, []string{s.Recipient(), s.ParentUserID, s.GroupID}); diff != "" {
				t.Errorf("recipient, parent, group: -want +got\n%s", diff)
			}
		})
	}
}

func TestStatusKeepsItsDetails(t *testing.T) {
	s := parse(t, messagesBody(`"statuses":[{"id":"wamid.1","status":"failed","timestamp":"1","recipient_id":"1555","biz_opaque_callback_data":"p1",
		"errors":[{"code":"131047","title":"T","message":"M","error_data":{"details":"D"},"href":"H"},{"code":131051,"details":"old place"}],
		"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"service"},
		"conversation":{"id":"c","expiration_timestamp":1698339900,"origin":{"type":"service"}}}]`)).Statuses[0]
	s.Raw = nil
	want := whatsapp.Status{
		Line: whatsapp.Line{WABAID: "W", PhoneNumberID: "P", DisplayPhoneNumber: "15550783881"},
		ID:   "wamid.1", Status: whatsapp.StatusFailed, Timestamp: time.Unix(1, 0).UTC(), RecipientID: "1555", Opaque: "p1",
		Errors: []whatsapp.Failure{
			{Code: 131047, Title: "T", Message: "M", Detail: "D", Href: "H"},
			{Code: 131051, Detail: "old place"},
		},
		Pricing:      &whatsapp.Pricing{Billable: true, Model: "PMP", Type: "regular", Category: "service"},
		Conversation: &whatsapp.Conversation{ID: "c", Expires: "1698339900"},
	}
	want.Conversation.Origin.Type = "service"
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestTimestamp(t *testing.T) {
	for stamp, want := range map[string]time.Time{
		`"1749416383"`:           time.Unix(1749416383, 0).UTC(),
		`1749416383`:             time.Unix(1749416383, 0).UTC(),
		`"4102444800"`:           time.Unix(4102444800, 0).UTC(),
		`null`:                   {},
		`""`:                     {},
		`"soon"`:                 {},
		`-5`:                     {},
		`{"s":1}`:                {},
		`"99999999999999999999"`: {},
		`9999999999999`:          {}, // milliseconds would be the year 318857
	} {
		m := one(t, `"messages":[{"id":"a","from":"1","timestamp":`+stamp+`,"type":"text","text":{"body":"x"}}]`)
		if !m.Timestamp.Equal(want) || m.Text != "x" {
			t.Errorf("timestamp %s: got %v and text %q, want %v", stamp, m.Timestamp, m.Text, want)
		}
	}
}

func TestWrongTypesHarmOnlyThemselves(t *testing.T) {
	const good = `{"from":"1","id":"good","type":"text","text":{"body":"still here"}}`
	cases := []struct{ rule, body, where, raw string }{
		{"an entry that is no object", `{"entry":[5,{"changes":[{"field":"messages","value":{"messages":[` + good + `]}}]}]}`, "entry[0]", `5`},
		{"an entry without changes", `{"entry":[{"id":"W"},{"changes":[{"field":"messages","value":{"messages":[` + good + `]}}]}]}`, "entry[0].changes", `{"id":"W"}`},
		{"a change that is no object", `{"entry":[{"id":7,"changes":["x",{"field":"messages","value":{"messages":[` + good + `]}}]}]}`, "entry[0].changes[0].value", `"x"`},
		{"a value that is no object", `{"entry":[{"changes":[{"field":"messages","value":1},{"field":"messages","value":{"messages":[` + good + `]}}]}]}`, "entry[0].changes[0].value", `1`},
		{"statuses that are no array", string(messagesBody(`"statuses":{},"messages":[` + good + `]`)), "entry[0].changes[0].value.statuses", `{}`},
		{"a message that is no object", string(messagesBody(`"messages":[null,` + good + `]`)), "entry[0].changes[0].value.messages[0]", `null`},
		{"a status that is no object", string(messagesBody(`"statuses":[3],"messages":[` + good + `]`)), "entry[0].changes[0].value.statuses[0]", `3`},
		{"a contact that is no object", string(messagesBody(`"contacts":["x"],"messages":[` + good + `]`)), "entry[0].changes[0].value.contacts[0]", `"x"`},
		{"an error that is no object", string(messagesBody(`"errors":[[]],"messages":[` + good + `]`)), "entry[0].changes[0].value.errors[0]", `[]`},
		{"metadata that are no object", `{"entry":[{"changes":[{"field":"messages","value":{"metadata":9,"messages":[` + good + `]}}]}]}`, "entry[0].changes[0].value.metadata", `9`},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			n := parse(t, []byte(c.body))
			if len(n.Messages) != 1 || n.Messages[0].Text != "still here" {
				t.Errorf("the message beside it: %+v", n.Messages)
			}
			if len(n.Problems) != 1 || n.Problems[0].Where != c.where || string(n.Problems[0].Raw) != c.raw || n.Problems[0].Reason == "" {
				t.Errorf("problems: %+v", n.Problems)
			}
		})
	}
}

func TestAHugeNumberOfItemsIsOneProblem(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{},`, 20_000), ",")
	for _, body := range []string{
		string(messagesBody(`"messages":[` + many + `]`)),
		string(messagesBody(`"statuses":[` + strings.ReplaceAll(many, "{}", "1") + `]`)),
		`{"entry":[` + many + `]}`,
		`{"entry":[{"changes":[` + many + `]}]}`,
		`{"entry":[{"changes":[` + strings.ReplaceAll(many, "{}", `{"field":"x","value":1}`) + `]}]}`,
	} {
		n := parse(t, []byte(body))
		if len(n.Problems) != 1 || len(n.Messages)+len(n.Changes) > 10_000 {
			t.Errorf("%.60s: %d problems, %d messages, %d changes", body, len(n.Problems), len(n.Messages), len(n.Changes))
		}
	}
}

func TestAMessageWithAWrongTypeKeepsTheRest(t *testing.T) {
	m := one(t, `"messages":[{"from":"1","id":"a","type":"image","context":"x","image":{"id":5,"caption":["?"],"mime_type":"image/png"},"errors":["?"]}]`)
	if m.Sender() != "1" || m.ID != "a" || m.Media.ID != "5" || m.Media.MIME != "image/png" {
		t.Errorf("got %+v", m)
	}
	if m.Problem == "" {
		t.Error("the problem is not told")
	}
}

func TestNumbersBesideAnIDStayAsTheyAre(t *testing.T) {
	n := parse(t, []byte(`{"entry":[{"id":12,"time":34,"changes":[{"field":"flows","value":{"threshold":0.5}}]}]}`))
	want := []whatsapp.Change{{WABAID: "12", Field: "flows", Value: json.RawMessage(`{"threshold":0.5}`), Time: "34"}}
	if diff := cmp.Diff(want, n.Changes); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestEchoesAreNeverInbound(t *testing.T) {
	n := parse(t, fixture(t, "field/smb_message_echoes-03.json"))
	if len(n.Messages) != 0 || len(n.Echoes) != 1 {
		t.Fatalf("%d messages and %d echoes", len(n.Messages), len(n.Echoes))
	}
	e := n.Echoes[0]
	if e.From != "15550001111" || e.To != "15550100060" || !strings.HasPrefix(e.Text, "Hi! Thanks") {
		t.Errorf("got %+v", e)
	}
}

func TestEditAndRevoke(t *testing.T) {
	m := one(t, `"messages":[{"from":"1","type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"new"}}}}]`)
	if m.Edit == nil || m.Edit.MessageID != "wamid.1" || m.Edit.Message.Type != "text" || m.Edit.Message.Text != "new" {
		t.Errorf("edit: %+v", m.Edit)
	}
	if m := parse(t, fixture(t, "inbound/revoke-02.json")).Messages[0]; !strings.HasPrefix(m.Revoked, "wamid.") {
		t.Errorf("revoke: %q", m.Revoked)
	}
}

func TestOnlyError131060IsAPlaceholder(t *testing.T) {
	placeholder := one(t, `"messages":[{"from":"1","type":"unsupported","errors":[{"code":131060}]}]`)
	poll := one(t, `"messages":[{"from":"1","type":"unsupported","errors":[{"code":131051}],"unsupported":{"type":"poll"}}]`)
	if !placeholder.IsPlaceholder() || poll.IsPlaceholder() || poll.Unsupported != "poll" {
		t.Errorf("placeholder %v, poll %v (%q)", placeholder.IsPlaceholder(), poll.IsPlaceholder(), poll.Unsupported)
	}
}

func TestFieldsAreNamedOnce(t *testing.T) {
	n := parse(t, fixture(t, "synthetic/two-entries-three-changes.json"))
	m := parse(t, fixture(t, "synthetic/messages-and-unknown-field-in-one-post.json"))
	if diff := cmp.Diff([][]string{{"messages"}, {"brand_new_field", "messages"}}, [][]string{n.Fields, m.Fields}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestParseRefusesOnlyWhatIsNoObject(t *testing.T) {
	for body, want := range map[string]error{
		``:                                       whatsapp.ErrNotJSON,
		`null`:                                   whatsapp.ErrNotJSON,
		`[{}]`:                                   whatsapp.ErrNotJSON,
		`{"entry":[}`:                            whatsapp.ErrNotJSON,
		`{} {}`:                                  whatsapp.ErrNotJSON,
		`<html>`:                                 whatsapp.ErrNotJSON,
		`{}`:                                     nil,
		`{"entry":"x"}`:                          nil,
		" \n{\"entry\":null}":                    nil,
		`{"object":"page"}`:                      nil,
		`{"a":"[[[[[[\"[[[["}`:                   nil,
		strings.Repeat(`[`, 65):                  whatsapp.ErrTooDeep,
		`{"a":` + strings.Repeat(`[`, 5_000_000): whatsapp.ErrTooDeep,
		`{"a":` + strings.Repeat(`[`, 63) + strings.Repeat(`]`, 63) + `}`: nil,
		`{"a":` + strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64) + `}`: whatsapp.ErrTooDeep,
	} {
		n, err := whatsapp.Parse([]byte(body))
		if !errors.Is(err, want) {
			t.Errorf("%.40s: got %v, want %v", body, err, want)
		}
		if err == nil && len(n.Problems) != 1 {
			t.Errorf("%.40s: problems %+v", body, n.Problems)
		}
	}
}

func TestParseSharesNoMemory(t *testing.T) {
	body := fixture(t, "inbound/text-09.json")
	before, clobbered := parse(t, body), bytes.Clone(body)
	n := parse(t, clobbered)
	for i := range clobbered {
		clobbered[i] = '#'
	}
	if diff := cmp.Diff(before, n); diff != "" {
		t.Errorf("changed with the body:\n%s", diff)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"inbound/text-09.json", "synthetic/hundred-statuses.json"} {
		b.Run(filepath.Base(name), func(b *testing.B) {
			var body bytes.Buffer
			if err := json.Compact(&body, fixture(b, name)); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(body.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := whatsapp.Parse(body.Bytes()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
