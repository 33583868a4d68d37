package whatsapp

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"

	"parley/whatsapp/format"
)

// Outbound is one message to send, within Meta's limits. The zero Outbound is
// none. It is never changed after it is made.
type Outbound struct{ content outbound }

// IsFile reports that Meta has to fetch a file before it can deliver the
// message.
func (o Outbound) IsFile() bool {
	c := o.content
	return c.Image != nil || c.Video != nil || c.Audio != nil || c.Document != nil
}

// Payload is the JSON that Meta gets, without the address, which [Client.Send]
// adds.
func (o Outbound) Payload() []byte { return marshal(o.content) }

// outbound is the JSON of a message. Exactly the field that Type names is set.
type outbound struct {
	Type        string       `json:"type"`
	Text        *outText     `json:"text,omitempty"`
	Interactive *interactive `json:"interactive,omitempty"`
	Location    *outLocation `json:"location,omitempty"`
	Image       *outMedia    `json:"image,omitempty"`
	Video       *outMedia    `json:"video,omitempty"`
	Audio       *outMedia    `json:"audio,omitempty"`
	Document    *outMedia    `json:"document,omitempty"`
}

type outText struct {
	Body    string `json:"body"`
	Preview bool   `json:"preview_url,omitempty"`
}

type outLocation struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

type outMedia struct {
	Link     string `json:"link"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// Place shares a location; name and address may be empty. Coordinates that are
// not on the earth are sent as text.
func Place(latitude, longitude float64, name, address string) []Outbound {
	name, address = strings.ToValidUTF8(name, "\uFFFD"), strings.ToValidUTF8(address, "\uFFFD")
	if math.Abs(latitude) <= 90 && math.Abs(longitude) <= 180 { // false for NaN
		return []Outbound{{outbound{Type: "location", Location: &outLocation{latitude, longitude, name, address}}}}
	}
	return Text(paragraphs(name, address, fmt.Sprintf("%g, %g", latitude, longitude)))
}

// Attachment is a file on the web that Meta fetches and passes on.
type Attachment struct {
	// Kind is "image", "video", "audio" or "document".
	Kind string
	// Link must be public. Meta: media by link; it is cached for 10 minutes.
	Link string
	// Caption may be empty. Filename is of documents only.
	Caption  string
	Filename string
}

// Attach sends a file. A caption that is too long, or that the kind cannot
// have, follows as text; a link that Meta cannot fetch is sent as text.
func Attach(a Attachment) []Outbound {
	link, err := url.Parse(a.Link)
	if err != nil || link.Scheme != "http" && link.Scheme != "https" || link.Host == "" {
		return Text(paragraphs(a.Caption, a.Link))
	}
	media := &outMedia{Link: link.String()}
	o := outbound{Type: a.Kind}
	switch a.Kind {
	case "image":
		o.Image = media
	case "video":
		o.Video = media
	case "audio":
		o.Audio = media
	case "document":
		o.Document, media.Filename = media, strings.ToValidUTF8(a.Filename, "\uFFFD")
	default:
		return Text(paragraphs(a.Caption, a.Link))
	}
	caption := strings.ToValidUTF8(a.Caption, "\uFFFD")
	if a.Kind == "audio" || format.Length(caption) > format.MaxCaption {
		return append([]Outbound{{o}}, Text(caption)...)
	}
	media.Caption = caption
	return []Outbound{{o}}
}

// paragraphs joins the texts that are not blank with blank lines.
func paragraphs(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if !isBlank(t) {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n\n")
}

// Address is whom a message goes to: a phone number or a business-scoped user
// ID. Only ParseAddress makes one. The zero Address is nobody.
type Address struct{ phone, userID string }

// ErrAddress says that a text is neither a phone number nor a user ID.
var ErrAddress = errors.New("neither a phone number nor a user ID")

// ParseAddress reads a phone number in any usual writing, or a user ID such as
// "US.13491208655302741918". The error is ErrAddress.
//
// Meta: a user ID in "to" is answered with 200 and an ID, and the message is
// lost. So everything that has a letter is a user ID, or refused.
func ParseAddress(s string) (Address, error) {
	phone, userID := identify(s)
	switch {
	case phone != "":
		return Address{phone: phone}, nil
	case isUserID(userID):
		return Address{userID: userID}, nil
	}
	return Address{}, ErrAddress
}

// isUserID knows a country, a dot, and letters, digits or further dots.
// Meta: business-scoped user IDs, format.
func isUserID(s string) bool {
	country, rest, found := strings.Cut(s, ".")
	if !found || len(country) != 2 || rest == "" || len(rest) > 132 {
		return false
	}
	return strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && strings.IndexFunc(rest, func(r rune) bool {
		return r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// String is the digits of the phone number, or the user ID. It equals
// [Message.Sender] of the person.
func (a Address) String() string { return a.phone + a.userID }

// apply is the one place that decides between "to" and "recipient". A number
// goes back in the form that Meta gives it in, digits with the country code:
// Meta tells apart what it gave from what somebody typed in.
func (a Address) apply(e *sendEnvelope) {
	if a.phone != "" {
		e.To = a.phone
	} else {
		e.Recipient = a.userID
	}
}

type sendEnvelope struct {
	Product   string `json:"messaging_product"`
	Kind      string `json:"recipient_type"`
	To        string `json:"to,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	Opaque    string `json:"biz_opaque_callback_data,omitempty"`
}

// request joins a payload with its address. opaque may be empty.
func request(to Address, payload []byte, opaque string) ([]byte, error) {
	if to == (Address{}) {
		return nil, ErrAddress
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil || fields["type"] == nil || fields["to"] != nil || fields["recipient"] != nil {
		return nil, ErrPayload
	}
	envelope := sendEnvelope{Product: "whatsapp", Kind: "individual", Opaque: opaque}
	to.apply(&envelope)
	head := marshal(envelope)
	// Both are objects: the one's end and the other's beginning become a comma.
	body := append(head[:len(head)-1], ',')
	return append(body, payload[strings.IndexByte(string(payload), '{')+1:]...), nil
}
