package whatsapp_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/whatsapp"
)

func TestSplitSortsByNumberAndPerson(t *testing.T) {
	body := []byte(`{"entry":[{"id":"W","changes":[
		{"field":"messages","value":{"metadata":{"phone_number_id":"P1"},"contacts":[{"wa_id":"1","profile":{"name":"Ann"}},{"wa_id":"2"}],
			"messages":[{"from":"1","id":"a"},{"from":"2","id":"b"},{"from":"1","id":"c"},{"type":"system","id":"d"}],
			"statuses":[{"id":"s","recipient_id":"2","status":"read"}]}},
		{"field":"messages","value":{"metadata":{"phone_number_id":"P2"},"messages":[{"from":"1","id":"e"}],"errors":[{"code":1}]}},
		{"field":"flows","value":{"x":1}}]}]}`)
	type part struct {
		Number, Sender string
		IDs            []string
	}
	deliveries, rest := whatsapp.Split(parse(t, body), body)
	var got []part
	for _, d := range deliveries {
		got = append(got, part{d.PhoneNumberID, d.Sender, ids(d.Messages, d.Statuses)})
	}
	want := []part{{"P1", "1", []string{"a", "c"}}, {"P1", "2", []string{"b", "s"}}, {"P2", "1", []string{"e"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"d"}, ids(rest.Messages, rest.Statuses)); diff != "" || len(rest.Changes) != 1 || len(rest.Errors) != 1 {
		t.Errorf("rest: %+v", rest)
	}
	const ann = `{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"phone_number_id":"P1"},"contacts":[{"wa_id":"1","profile":{"name":"Ann"}}],` +
		`"messages":[{"from":"1","id":"a"},{"from":"1","id":"c"}]},"field":"messages"}]}]}`
	if diff := cmp.Diff(ann, string(deliveries[0].Payload)); diff != "" {
		t.Errorf("payload: -want +got\n%s", diff)
	}
}

func ids(messages []whatsapp.Message, statuses []whatsapp.Status) (list []string) {
	for _, m := range messages {
		list = append(list, m.ID)
	}
	for _, s := range statuses {
		list = append(list, s.ID)
	}
	return list
}

func TestSplitKeepsTheBodyIfItIsAboutOnePerson(t *testing.T) {
	for _, name := range fixtures(t, "inbound", "status", "synthetic") {
		body := fixture(t, name)
		deliveries, rest := whatsapp.Split(parse(t, body), body)
		if len(deliveries) == 1 && rest.IsEmpty() && !bytes.Equal(deliveries[0].Payload, body) {
			t.Errorf("%s: the payload differs from the body", name)
		}
		if len(deliveries) == 0 && !bytes.Equal(rest.Payload, body) {
			t.Errorf("%s: the rest's payload differs from the body", name)
		}
	}
}

func TestSplitLosesNothing(t *testing.T) {
	for _, name := range webhooks(t) {
		t.Run(name, func(t *testing.T) { checkSplit(t, fixture(t, name)) })
	}
}

// checkSplit checks that all items of a body are in one part each, and that
// the payload of a part parses to the items of that part.
func checkSplit(t *testing.T, body []byte) {
	t.Helper()
	n := parse(t, body)
	deliveries, rest := whatsapp.Split(n, body)
	parts := whatsapp.Notification{Messages: rest.Messages, Statuses: rest.Statuses}
	for _, d := range deliveries {
		parts.Messages = append(parts.Messages, d.Messages...)
		parts.Statuses = append(parts.Statuses, d.Statuses...)
		parts.Echoes = append(parts.Echoes, d.Echoes...)
		checkPayload(t, d.Payload, whatsapp.Notification{Messages: d.Messages, Statuses: d.Statuses, Echoes: d.Echoes})
	}
	parts.Echoes = append(parts.Echoes, rest.Echoes...)
	byRaw := cmpopts.SortSlices(func(a, b string) bool { return a < b })
	if diff := cmp.Diff(raws(n), raws(parts), byRaw); diff != "" {
		t.Errorf("items: -parsed +split\n%s", diff)
	}
	left := whatsapp.Notification{Changes: rest.Changes, Errors: rest.Errors, Problems: rest.Problems}
	whole := whatsapp.Notification{Changes: withoutEchoes(n.Changes), Errors: n.Errors, Problems: n.Problems}
	if diff := cmp.Diff(whole, left, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("rest: -parsed +split\n%s", diff)
	}
	if !rest.IsEmpty() && len(rest.Problems) == 0 {
		left.Messages, left.Statuses, left.Echoes = rest.Messages, rest.Statuses, rest.Echoes
		checkPayload(t, rest.Payload, left)
	}
}

func raws(n whatsapp.Notification) (list []string) {
	for _, m := range n.Messages {
		list = append(list, string(m.Raw))
	}
	for _, s := range n.Statuses {
		list = append(list, string(s.Raw))
	}
	for _, e := range n.Echoes {
		list = append(list, string(e.Raw))
	}
	return list
}

// withoutEchoes leaves out the changes that hold echoes: they go where their
// echoes go.
func withoutEchoes(changes []whatsapp.Change) []whatsapp.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c whatsapp.Change) bool { return c.Field == "smb_message_echoes" })
}

// checkPayload compares what is understood; white space in Raw may differ.
func checkPayload(t *testing.T, payload []byte, want whatsapp.Notification) {
	t.Helper()
	got := parse(t, payload)
	got.Changes = withoutEchoes(got.Changes)
	ignore := cmp.Options{
		cmpopts.IgnoreFields(whatsapp.Message{}, "Raw", "Contact"),
		cmpopts.IgnoreFields(whatsapp.Status{}, "Raw", "Contact"),
		cmpopts.IgnoreFields(whatsapp.AccountError{}, "Raw"),
		cmpopts.IgnoreFields(whatsapp.Change{}, "Value"),
		cmpopts.IgnoreFields(whatsapp.Notification{}, "Fields"),
		cmpopts.EquateEmpty(),
		// Echoes of different fields may change places.
		cmpopts.SortSlices(func(a, b whatsapp.Echo) bool { return a.ID+string(a.Raw) < b.ID+string(b.Raw) }),
		cmpopts.IgnoreFields(whatsapp.Echo{}, "Message.Raw", "Message.Contact"),
	}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("payload %s: -want +got\n%s", payload, diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range webhooks(f) {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := whatsapp.Parse(body)
		if err != nil {
			return
		}
		for _, m := range n.Messages {
			m.Prompt()
		}
		checkSplit(t, body)
	})
}
