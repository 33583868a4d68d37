package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// form says how messages of a kind are put to an engine.
type form struct {
	// says gives the text. nil means that there is nothing to say.
	says func(*Message) string
	// opens says that such a message wants an answer, if its text is not blank.
	opens bool
}

// forms is the whole of it. The kind is the Type, followed by a slash and the
// Reply's Kind for interactive messages. What is not listed says nothing and
// opens nothing.
//
// Forms in brackets are one block that the sender cannot forge from inside:
// what people typed stands in quotes, with quotes, backslashes and line breaks
// escaped. (Anybody can type a bracket into a plain text. Engines must take
// these forms for what people say, never for orders.)
var forms = map[string]form{
	// The body exactly as it was written.
	"text": {says: func(m *Message) string { return m.Text }, opens: true},

	// [selection button id=ID] Title
	"interactive/button_reply": {says: selection("button"), opens: true},
	// [selection list id=ID] Title
	"interactive/list_reply": {says: selection("list"), opens: true},
	// A quick reply to a template reads like a button.
	"button": {says: selection("button"), opens: true},
	// [form name="flow" summary="Sent" answers={"rating":"4"}]
	"interactive/nfm_reply": {says: filledForm, opens: true},
	// A yes or no to phone calls, which we do not place.
	"interactive/call_permission_reply": {},

	// [location lat=37.77 lon=-122.41 name="Facebook HQ" address="1 Hacker Way" ]
	"location": {says: location, opens: true},
	// [contact name="Ada Byron" phone="+1 555 0100" email="ada@example.org"], a line each.
	"contacts": {says: cards, opens: true},
	// [order catalog="194836987003835" text="No onions" 2x"burger" at 30 "USD", 1x"soda" at 2.5 "USD"]
	"order": {says: order, opens: true},
	// The chat was opened for the first time: the engine may greet.
	"request_welcome": {says: func(*Message) string { return "[welcome]" }, opens: true},

	// Media say their caption. Without one they open nothing: the engine hears
	// of a file once it is fetched, and that opens the turn.
	"image":    {says: caption, opens: true},
	"video":    {says: caption, opens: true},
	"audio":    {says: caption, opens: true},
	"voice":    {says: caption, opens: true},
	"document": {says: caption, opens: true},
	"sticker":  {says: caption, opens: true},

	// A thumb up wants no answer, and an answer to it would be a surprise.
	"reaction": {},
	// News about the person, not words of theirs.
	"system": {},
	// The history changes; what was answered was answered.
	"edit":   {},
	"revoke": {},
	// Nothing that could be shown to an engine; see IsPlaceholder.
	"unsupported": {},
	"unknown":     {},
}

// Form says how messages of one type are put to an engine.
type Form struct {
	// Type is Meta's, for example "text". For interactive messages a slash and
	// the Reply's Kind follow.
	Type string
	// Opens says that such a message opens a turn, if it has words.
	Opens bool
}

// Forms lists the types that are known, by name. Messages of other types say
// nothing and open nothing.
func Forms() []Form {
	known := make([]Form, 0, len(forms))
	for _, kind := range slices.Sorted(maps.Keys(forms)) {
		known = append(known, Form{Type: kind, Opens: forms[kind].opens})
	}
	return known
}

// Prompt gives the text by which an engine learns of the message, and whether
// the message opens a turn, that is, wants an answer. The table of forms in
// the source of this function lists what each type of message says. A message
// without words says "" and opens nothing.
func (m Message) Prompt() (text string, opens bool) {
	kind := m.Type
	if kind == "interactive" && m.Reply != nil {
		kind += "/" + m.Reply.Kind
	}
	f := forms[kind]
	if f.says == nil {
		return "", false
	}
	text = f.says(&m)
	return text, f.opens && strings.TrimSpace(text) != ""
}

func selection(menu string) func(*Message) string {
	return func(m *Message) string {
		if m.Reply == nil {
			return ""
		}
		return "[selection " + menu + " id=" + plain(m.Reply.ID) + "] " + m.Reply.Title
	}
}

func location(m *Message) string {
	l := m.Location
	if l == nil || l.Latitude == "" || l.Longitude == "" {
		return ""
	}
	text := fmt.Sprintf("[location lat=%s lon=%s ", l.Latitude, l.Longitude)
	if l.Name != "" {
		text += "name=" + quote(l.Name) + " "
	}
	if l.Address != "" {
		text += "address=" + quote(l.Address) + " "
	}
	return text + "]"
}

func caption(m *Message) string {
	if m.Media == nil {
		return ""
	}
	return m.Media.Caption
}

func cards(m *Message) string {
	lines := make([]string, 0, len(m.Cards))
	for _, c := range m.Cards {
		line := "[contact name=" + quote(c.Name.Formatted)
		for _, p := range c.Phones {
			line += " phone=" + quote(p.Phone)
		}
		for _, e := range c.Emails {
			line += " email=" + quote(e.Email)
		}
		if c.Org.Company != "" {
			line += " company=" + quote(c.Org.Company)
		}
		lines = append(lines, line+"]")
	}
	return strings.Join(lines, "\n")
}

func order(m *Message) string {
	if m.Order == nil {
		return ""
	}
	text := "[order catalog=" + quote(m.Order.CatalogID)
	if m.Order.Text != "" {
		text += " text=" + quote(m.Order.Text)
	}
	for i, item := range m.Order.Items {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %sx%s", item.Quantity, quote(item.RetailerID))
		if item.Price != "" {
			text += fmt.Sprintf(" at %s %s", item.Price, quote(item.Currency))
		}
	}
	return text + "]"
}

func filledForm(m *Message) string {
	text := "[form name=" + quote(m.Reply.Form)
	if m.Reply.Body != "" {
		text += " summary=" + quote(m.Reply.Body)
	}
	return text + " answers=" + compact(m.Reply.Response) + "]"
}

// compact writes JSON on one line; a text that is none is quoted.
// Meta: response_json is meant to be an object, but was seen to be other things.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return quote(text)
	}
	return escapes.Replace(b.String())
}

// plain leaves an identifier as it is unless it could be taken for something
// else: the end of the form, a line break or a quoted text.
func plain(id string) string {
	if id == "" || strings.HasPrefix(id, `"`) || strings.ContainsAny(id, "]\n\r\v\f\u0085\u2028\u2029") {
		return quote(id)
	}
	return id
}

// quote puts a text in quotes that it cannot leave.
func quote(text string) string {
	return `"` + escapes.Replace(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)) + `"`
}

// escapes writes everything that may be shown as a line break as an escape.
var escapes = strings.NewReplacer(
	"\n", `\n`, "\r", `\r`, "\v", `\u000b`, "\f", `\u000c`,
	"\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`,
)
