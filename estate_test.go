package parley_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"parley/whatsapp/simulator"
)

// estate is one of everything that an account can have.
type estate struct {
	h      *house
	secret string
	// ids are by the names of the description's path parameters, and aliases
	// as "@name" by the same.
	ids, aliases map[string]string
}

// family says how one kind of thing is called in paths.
type family struct{ path, id string }

// families with an operation "create" of their own. The first ones may be
// linked by those behind them.
var families = []family{
	{"/blueprint", "blueprintId"},
	{"/bot", "botId"},
	{integrations, "whatsappIntegrationId"},
	{"/file", "fileId"},
}

// estate makes one of everything for the account of a secret, on a business
// number of its own: what is served through the API, and what comes of people
// who write.
func (h *house) estate(secret, name string) estate {
	h.t.Helper()
	e := estate{h: h, secret: secret, ids: map[string]string{}, aliases: map[string]string{}}
	for _, f := range families {
		alias := name + "-" + strings.ToLower(strings.TrimSuffix(f.id, "Id"))
		body := object{"name": name, "alias": alias, "meta": object{"of": name}}
		if f.path != "/blueprint" && e.ids["blueprintId"] != "" {
			body["blueprintId"] = e.ids["blueprintId"]
		}
		if f.path == integrations {
			body["botId"], body["phoneNumberId"], body["accessToken"] = e.ids["botId"], numberOf(name), accessToken
			body["attachments"], body["contactCollection"] = true, true
		}
		e.ids[f.id] = e.post(f.path+"/create", body)["id"].(string)
		e.aliases[f.id] = "@" + alias
	}
	e.converse(numberOf(name))
	e.addresses(name)
	return e
}

// addresses are those of an upload and of a download.
func (e *estate) addresses(name string) {
	e.h.t.Helper()
	path := "/file/" + e.ids["fileId"]
	e.post(path+"/upload", object{"file": "data:text/plain;base64,SGk="})
	up := e.post(path+"/upload", object{"file": object{"name": "of-" + name, "type": "text/plain", "size": 5}})
	down := e.call(http.MethodGet, path+"/download", nil, "Accept", "application/json")
	e.ids["uploadTicket"] = strings.Split(up["uploadRequest"].(object)["url"].(string), "/")[6]
	elements := strings.Split(down.body["url"].(string), "/")
	e.ids["downloadTicket"], e.ids["fileName"] = elements[6], elements[7]
}

// numberOf makes a phone number ID of an account's name.
func numberOf(name string) string {
	digits := []byte("1065")
	for _, r := range name {
		digits = append(digits, '0'+byte(r)%10)
	}
	return string(digits)
}

// converse lets somebody write, with a picture, and finds what came of it.
func (e *estate) converse(number string) {
	e.h.t.Helper()
	e.h.sim.Connect(simulator.Number{
		ID: number, WABAID: "1022" + number, Display: "1555" + number, Token: accessToken,
		Callback: "http://parley.test/api/v1" + integrations + "/" + e.ids["whatsappIntegrationId"] + "/callback",
	})
	person := e.h.sim.Person(number, alice)
	person.SendFile(simulator.File{Kind: "image", MIME: "image/png", Bytes: png, Caption: "Look"})
	e.h.settle()
	conversation := e.first("/conversation/list")
	e.ids["conversationId"] = conversation
	e.ids["messageId"] = e.first("/conversation/" + conversation + "/message/list")
	e.ids["contactId"] = e.first("/contact/list")
	e.ids["attachmentId"] = e.first("/conversation/" + conversation + "/attachment/list")
}

// first gives the ID of a list's first row.
func (e *estate) first(path string) string {
	e.h.t.Helper()
	a := e.call(http.MethodGet, path+"?take=1", nil)
	rows, _ := a.body["items"].([]any)
	if len(rows) == 0 {
		e.h.t.Fatalf("GET %s: %d %s", path, a.status, a.text)
	}
	return rows[0].(object)["id"].(string)
}

func (e *estate) call(method, path string, body any, header ...string) answer {
	e.h.t.Helper()
	return e.h.call(method, path, e.secret, body, header...)
}

func (e *estate) post(path string, body any) object {
	e.h.t.Helper()
	a := e.call(http.MethodPost, path, body)
	if a.status != http.StatusOK {
		e.h.t.Fatalf("POST %s: %d %s", path, a.status, a.text)
	}
	return a.body
}

// path fills an operation's path with what the estate has; ok is false when it
// has not everything.
func (e *estate) path(d described, instead map[string]string) (path string, ok bool) {
	path = d.path
	for _, p := range d.parameters() {
		id := e.ids[p]
		if other, ok := instead[p]; ok {
			id = other
		}
		if id == "" {
			return "", false
		}
		path = strings.Replace(path, "{"+p+"}", url.PathEscape(id), 1)
	}
	return path, true
}

// parameters are the names of a path's parameters, in order.
func (d described) parameters() []string {
	var names []string
	for _, p := range parameter.FindAllString(d.path, -1) {
		names = append(names, strings.Trim(p, "{}"))
	}
	return names
}

// walk are all operations, those that delete last.
func walk(t testing.TB) []described {
	t.Helper()
	var all, last []described
	contract, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range contract.operations {
		if strings.HasSuffix(d.path, "/delete") {
			last = append(last, d)
		} else {
			all = append(all, d)
		}
	}
	slices.SortFunc(last, func(a, b described) int { return len(b.path) - len(a.path) }) // inner things first
	return append(all, last...)
}

// fields are the fields of an operation's JSON body, nil if it has none.
func (d described) fields() openapi3.Schemas {
	if s := d.input(); s != nil {
		return s.Properties
	}
	return nil
}

func (d described) input() *openapi3.Schema {
	if d.RequestBody == nil {
		return nil
	}
	return d.RequestBody.Value.Content.Get("application/json").Schema.Value
}

// least is the smallest body that an operation takes.
func (d described) least() object {
	s := d.input()
	if s == nil {
		return nil
	}
	body := object{}
	for _, name := range s.Required {
		body[name] = sample(name, s.Properties[name].Value)
	}
	if d.OperationID == "ensureContact" || d.OperationID == "upsertConversationContact" {
		body["nick"] = "somebody" // one of several must be there
	}
	return body
}

// sample makes a value that fits a field's description.
func sample(name string, s *openapi3.Schema) any {
	known := map[string]any{
		"to": alice, "phone": "+15551230009", "email": "ada@example.com", "file": "data:text/plain;base64,SGk=",
		"fingerprint": "a-fingerprint-of-somebody", "verifiedAt": 1700000000000, "historyLength": 1,
	}
	if value, ok := known[name]; ok {
		return value
	}
	switch {
	case s.MaxItems != nil && *s.MaxItems == 0:
		return []any{}
	case s.Nullable && strings.HasSuffix(name, "Id"):
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return sample(name, s.OneOf[0].Value)
	case s.Type.Is("string"):
		return "something"
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 1
	case s.Type.Is("array"):
		return []any{sample("", s.Items.Value)}
	case s.Type.Is("object"):
		value := object{}
		for _, required := range s.Required {
			value[required] = sample(required, s.Properties[required].Value)
		}
		return value
	}
	return "anything"
}

// openAnswer is the status of an answer that has no end.
const openAnswer = -1

// try puts a request that may be answered without end. The rest of such an
// answer is cut off with the house.
func (h *house) try(d described, path, secret string, body any, header ...string) answer {
	h.t.Helper()
	if !d.endless() {
		return h.call(d.method, path, secret, body, header...)
	}
	return h.within(func() answer { return h.call(d.method, path, secret, body, header...) })
}

// within waits a while for an answer.
func (*house) within(call func() answer) answer {
	answers := make(chan answer, 1)
	go func() { answers <- call() }()
	select {
	case a := <-answers:
		return a
	case <-time.After(time.Minute):
		return answer{status: openAnswer}
	}
}

// endless tells whether an operation's answer stays open.
func (d described) endless() bool { return d.OperationID == "subscribeEventLogs" }
