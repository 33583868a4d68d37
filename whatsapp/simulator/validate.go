package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"parley/whatsapp"
)

// request is the body of a call to /messages, as far as it is checked.
type request struct {
	Product   string `json:"messaging_product"`
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Opaque    string `json:"biz_opaque_callback_data"`

	Status    string          `json:"status"`
	MessageID string          `json:"message_id"`
	Typing    json.RawMessage `json:"typing_indicator"`

	Text        *struct{ Body string }                  `json:"text"`
	Interactive *interactive                            `json:"interactive"`
	Location    *struct{ Latitude, Longitude *float64 } `json:"location"`
	Image       *media                                  `json:"image"`
	Video       *media                                  `json:"video"`
	Audio       *media                                  `json:"audio"`
	Document    *media                                  `json:"document"`
	Sticker     *media                                  `json:"sticker"`
	Reaction    *struct {
		MessageID string `json:"message_id"`
	} `json:"reaction"`
	Template *struct{ Name string } `json:"template"`
}

type media struct{ ID, Link, Caption, Filename string }

type part struct{ Text string }

type interactive struct {
	Type                 string
	Header, Body, Footer *part
	Action               struct {
		Name, Button string
		Buttons      []struct{ Reply option }
		Sections     []struct {
			Title string
			Rows  []option
		}
	}
}

type option struct{ ID, Title, Description string }

// person is who should get it: digits, or a user ID.
func (r *request) person() string {
	if r.To == "" {
		return r.Recipient
	}
	if address, err := whatsapp.ParseAddress(r.To); err == nil {
		return address.String()
	}
	return r.To
}

// isLost reports an address that Meta accepts and never delivers to.
// Meta: a user ID in "to" was answered with 200 and an ID.
func (r *request) isLost() bool {
	return strings.ContainsFunc(r.To, func(c rune) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' })
}

// refusal is an error answer of Meta's.
type refusal struct {
	status, code, subcode int
	message, details      string
}

// refuse records the code and makes the answer.
func (c *Call) refuse(r refusal) answer {
	c.Code = r.code
	e := object{"message": r.message, "type": "OAuthException", "code": r.code, "fbtrace_id": "A" + meaningless(r.message)[:22]}
	if r.subcode != 0 {
		e["error_subcode"], e["type"] = r.subcode, "GraphMethodException"
	}
	if r.details != "" {
		e["error_data"] = object{"messaging_product": "whatsapp", "details": r.details}
	}
	return answer{status: r.status, body: encode(object{"error": e})}
}

// parameter refuses something in the request itself.
func parameter(message string) refusal {
	return refusal{status: http.StatusBadRequest, code: 100, message: "(#100) " + message}
}

func unknownPath(path string) refusal {
	return refusal{status: http.StatusBadRequest, code: 2500, message: "Unknown path components: " + path}
}

func invisible(method, id string) refusal {
	return refusal{
		status: http.StatusBadRequest, code: 100, subcode: 33,
		message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", strings.ToLower(method), id),
	}
}

// Meta: error codes, titles and HTTP statuses.
var documentedErrors = map[int]refusal{
	190:    {status: 401, message: "Error validating access token: Session has expired", subcode: 463},
	130429: {status: 400, message: "(#130429) Rate limit hit", details: "Message failed to send because there were too many messages sent from this phone number in a short period of time"},
	131000: {status: 500, message: "(#131000) Something went wrong", details: "Message failed to send due to an unknown error"},
	131026: {status: 400, message: "(#131026) Message undeliverable", details: "Message Undeliverable."},
	131030: {status: 400, message: "(#131030) Recipient phone number not in allowed list", details: "Recipient phone number not in allowed list"},
	131042: {status: 400, message: "(#131042) Business eligibility payment issue", details: "There was an error related to your payment method"},
	131047: {status: 400, message: "(#131047) Re-engagement message", details: "Message failed to send because more than 24 hours have passed since the customer last replied to this number."},
	131056: {status: 400, message: "(#131056) (Business Account, Consumer Account) pair rate limit hit", details: "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time"},
}

func documented(code int) refusal {
	r := documentedErrors[code]
	r.code = code
	return r
}

// check holds a message against Meta's rules; nil means that it is good.
func (r *request) check() *refusal {
	switch {
	case r.To == "" && r.Recipient == "":
		return bad("The parameter to is required.")
	case r.Type == "":
		return bad("The parameter type is required.")
	case len(utf16.Encode([]rune(r.Opaque))) > 512:
		return bad("Param biz_opaque_callback_data must be at most 512 characters long.")
	}
	switch r.Type {
	case "text":
		return r.checkText()
	case "interactive":
		return r.Interactive.check()
	case "location":
		if r.Location == nil || r.Location.Latitude == nil || r.Location.Longitude == nil {
			return bad("The parameter location['latitude'] is required.")
		}
	case "image":
		return r.Image.check(r.Type)
	case "video":
		return r.Video.check(r.Type)
	case "audio":
		return r.Audio.check(r.Type)
	case "document":
		return r.Document.check(r.Type)
	case "sticker":
		return r.Sticker.check(r.Type)
	case "reaction":
		if r.Reaction == nil || r.Reaction.MessageID == "" {
			return bad("The parameter reaction['message_id'] is required.")
		}
	case "template":
		if r.Template == nil || r.Template.Name == "" {
			return bad("The parameter template['name'] is required.")
		}
	default:
		return bad("Param type must be one of {AUDIO, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, TEXT, VIDEO} - got " + fmt.Sprintf("%q", r.Type) + ".")
	}
	return nil
}

func bad(message string) *refusal {
	r := parameter(message)
	return &r
}

func (r *request) checkText() *refusal {
	if r.Text == nil || strings.TrimSpace(r.Text.Body) == "" {
		return bad("The parameter text['body'] is required.")
	}
	return atMost("text['body']", r.Text.Body, 4096)
}

func (m *media) check(kind string) *refusal {
	switch {
	case m == nil || m.ID == "" && m.Link == "":
		return bad(fmt.Sprintf("The parameter %s['id'] or %[1]s['link'] is required.", kind))
	case m.Caption != "" && (kind == "audio" || kind == "sticker"):
		return bad(fmt.Sprintf("Unexpected key \"caption\" on param \"%s\".", kind))
	}
	return atMost(kind+"['caption']", m.Caption, 1024)
}

// atMost checks a length in UTF-16 units.
func atMost(param, text string, limit int) *refusal {
	if len(utf16.Encode([]rune(text))) > limit {
		return bad(fmt.Sprintf("Param %s must be at most %d characters long.", param, limit))
	}
	return nil
}

// between checks a length, and that there is something.
func between(param, text string, limit int) *refusal {
	if strings.TrimSpace(text) == "" {
		return bad(fmt.Sprintf("The parameter %s is required.", param))
	}
	return atMost(param, text, limit)
}

func first(checks ...*refusal) *refusal {
	for _, c := range checks {
		if c != nil {
			return c
		}
	}
	return nil
}

func (i *interactive) check() *refusal {
	if i == nil || i.Body == nil {
		return bad("The parameter interactive['body'] is required.")
	}
	limit := map[string]int{"button": 1024, "list": 4096, "location_request_message": 1024, "cta_url": 1024, "flow": 1024}[i.Type]
	if limit == 0 {
		return bad("Param interactive['type'] must be one of {button, list, location_request_message, cta_url, flow}.")
	}
	if r := between("interactive['body']['text']", i.Body.Text, limit); r != nil {
		return r
	}
	if i.Header != nil {
		if r := atMost("interactive['header']['text']", i.Header.Text, 60); r != nil {
			return r
		}
	}
	if i.Footer != nil {
		if r := between("interactive['footer']['text']", i.Footer.Text, 60); r != nil {
			return r
		}
	}
	switch i.Type {
	case "button":
		return i.checkButtons()
	case "list":
		return i.checkRows()
	case "location_request_message":
		if i.Action.Name != "send_location" {
			return bad("Param interactive['action']['name'] must be send_location.")
		}
	}
	return nil
}

func (i *interactive) checkButtons() *refusal {
	if n := len(i.Action.Buttons); n < 1 || n > 3 {
		return bad(fmt.Sprintf("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3 - got %d.", n))
	}
	seen := map[string]bool{}
	for _, b := range i.Action.Buttons {
		if r := first(between("button['title']", b.Reply.Title, 20), between("button['id']", b.Reply.ID, 256)); r != nil {
			return r
		}
		if seen["title "+b.Reply.Title] || seen["id "+b.Reply.ID] {
			return bad("Duplicated button: titles and ids must be unique.")
		}
		seen["title "+b.Reply.Title], seen["id "+b.Reply.ID] = true, true
	}
	return nil
}

func (i *interactive) checkRows() *refusal {
	rows, ids := 0, map[string]bool{}
	for _, s := range i.Action.Sections {
		if r := atMost("section['title']", s.Title, 24); r != nil {
			return r
		}
		if s.Title == "" && len(i.Action.Sections) > 1 {
			return bad("The parameter section['title'] is required.")
		}
		for _, o := range s.Rows {
			if r := first(between("row['title']", o.Title, 24), between("row['id']", o.ID, 200), atMost("row['description']", o.Description, 72)); r != nil {
				return r
			}
			if ids[o.ID] {
				return bad("Duplicated row id: " + o.ID)
			}
			ids[o.ID] = true
			rows++
		}
	}
	if rows < 1 || rows > 10 {
		return bad(fmt.Sprintf("Total row count exceed max allowed count: 10 - got %d.", rows))
	}
	return between("interactive['action']['button']", i.Action.Button, 20)
}
