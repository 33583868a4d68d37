package whatsapp

import (
	"cmp"
	"encoding/json"
	"time"
)

// Message is what a person wrote or did. Any field may be missing. Exactly one
// of the contents (Text … Revoked) is set if the message is of a known Type and
// complete.
// Meta: webhooks, reference, messages.
type Message struct {
	Line
	// ID is the wamid. A message may come several times, and once as a
	// placeholder before it comes for good; see IsPlaceholder.
	ID string
	// From is the phone number (digits, "wa_id"), UserID the business-scoped
	// user ID, for example "US.13491208655302741918", ParentUserID the one for
	// all linked portfolios. People with a username may write without a phone
	// number. Meta: business-scoped user IDs.
	From         string
	UserID       string
	ParentUserID string
	// Username has no leading "@". Profile is the name the person chose.
	Username string
	Profile  string
	// GroupID is set if it was written in a group.
	GroupID string
	// Timestamp is when it was written, by Meta's clock, in UTC; zero when absent.
	Timestamp time.Time
	// Type is Meta's word, for example "text" or "interactive".
	Type     string
	Context  Context
	Referral *Referral

	// Text is the body of a text.
	Text string
	// Media is an image, video, audio, voice, document or sticker.
	Media    *Media
	Location *Location
	Cards    []Card
	// Reply is the answer to a button, a list or a form.
	Reply    *Reply
	Order    *Order
	Reaction *Reaction
	// System is news about the person, for example a new phone number.
	System *System
	Edit   *Edit
	// Revoked is the wamid of the message that was deleted for everyone.
	Revoked string
	// Errors say why a message is "unsupported" or "unknown"; Unsupported is
	// Meta's word for what it is instead, for example "poll".
	Errors      []Failure
	Unsupported string

	// Contact is the entry of contacts[] about the sender, if there is one.
	Contact json.RawMessage
	// Raw is the whole item. Problem says what of it could not be read.
	Raw     json.RawMessage
	Problem string
}

// Sender is the stable key of who wrote: the digits of the phone number if
// present, else the user ID. It is empty if the message says neither, as some
// system messages do.
func (m Message) Sender() string { return cmp.Or(m.From, m.UserID, m.ParentUserID) }

// IsPlaceholder reports that Meta could not show the message yet. The real one
// may follow with the same ID, so that ID must not count as received.
// Meta: error 131060.
func (m Message) IsPlaceholder() bool {
	for _, e := range m.Errors {
		if e.Code == 131060 {
			return m.Type == "unsupported" || m.Type == "unknown"
		}
	}
	return false
}

// Context says what a message refers to. The quoted message need not be known
// here.
type Context struct {
	// ReplyTo is the wamid of the quoted message, From who wrote it.
	ReplyTo   string   `json:"id"`
	From      string   `json:"from"`
	Forwarded bool     `json:"forwarded"`
	Often     bool     `json:"frequently_forwarded"` // more than five times
	Product   *Product `json:"referred_product"`
}

// Product names something in the business's catalogue.
type Product struct {
	CatalogID  string `json:"catalog_id"`
	RetailerID string `json:"product_retailer_id"`
}

// Referral is the advertisement or post that a person came from.
type Referral struct {
	SourceURL    string `json:"source_url"`
	SourceID     string `json:"source_id"`
	SourceType   string `json:"source_type"` // "ad" or "post"
	Headline     string `json:"headline"`
	Body         string `json:"body"`
	MediaType    string `json:"media_type"`
	ImageURL     string `json:"image_url"`
	VideoURL     string `json:"video_url"`
	ThumbnailURL string `json:"thumbnail_url"`
	ClickID      string `json:"ctwa_clid"`
	Welcome      struct {
		Text string `json:"text"`
	} `json:"welcome_message"`
}

// Media is a file. Everything but ID is the sender's word: check MIME and
// SHA256 against the bytes, and do not use Filename as a path.
type Media struct {
	// ID can be fetched for 7 days, URL for 5 minutes; both need the token.
	// Meta: media.
	ID       string `json:"id"`
	URL      string `json:"url"`
	MIME     string `json:"mime_type"`
	SHA256   string `json:"sha256"` // base64
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	// Voice means that it was recorded in the chat.
	Voice    bool `json:"voice"`
	Animated bool `json:"animated"`
}

// Location is a place that was shared.
type Location struct {
	Latitude  Number `json:"latitude"`
	Longitude Number `json:"longitude"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	URL       string `json:"url"`
}

// Card is a contact card that was shared.
type Card struct {
	Name struct {
		Formatted string `json:"formatted_name"`
		First     string `json:"first_name"`
		Last      string `json:"last_name"`
	} `json:"name"`
	Phones []struct {
		Phone string `json:"phone"`
		WaID  string `json:"wa_id"`
		Type  string `json:"type"`
	} `json:"phones"`
	Emails []struct {
		Email string `json:"email"`
		Type  string `json:"type"`
	} `json:"emails"`
	Org struct {
		Company    string `json:"company"`
		Department string `json:"department"`
		Title      string `json:"title"`
	} `json:"org"`
	// Origin is "contact_request" if the person was asked for it.
	Origin string `json:"origin"`
}

// Reply is a choice among buttons or rows, or a filled-in form.
type Reply struct {
	// Kind is "button_reply", "list_reply", "nfm_reply", "button" (of a
	// template) or another word of Meta's.
	Kind string
	// ID is the business's own, Title what the person saw.
	ID          string
	Title       string
	Description string
	// Form, Body and Response are of an nfm_reply: the kind of form, its
	// summary, and the answers, which usually are JSON.
	Form     string
	Body     string
	Response string
}

// Order is a shopping basket. Quantities and prices are Meta's.
type Order struct {
	CatalogID string `json:"catalog_id"`
	Text      string `json:"text"`
	Items     []struct {
		RetailerID string `json:"product_retailer_id"`
		Quantity   Number `json:"quantity"`
		Price      Number `json:"item_price"`
		Currency   string `json:"currency"`
	} `json:"product_items"`
}

// Reaction is an emoji on a message; an empty Emoji takes it back.
type Reaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

// System is news about the person.
type System struct {
	// Type is for example "user_changed_number" or "user_changed_user_id".
	Type string `json:"type"`
	Body string `json:"body"`
	// WaID and UserID are the new ones.
	WaID         string `json:"wa_id"`
	UserID       string `json:"user_id"`
	ParentUserID string `json:"parent_user_id"`
}

// Edit is a new wording of an earlier message.
type Edit struct {
	MessageID string
	// Message has only a Type and the content.
	Message Message
}

type wireMessage struct {
	ID           string    `json:"id"`
	From         string    `json:"from"`
	UserID       string    `json:"from_user_id"`
	ParentUserID string    `json:"from_parent_user_id"`
	GroupID      string    `json:"group_id"`
	Timestamp    Number    `json:"timestamp"`
	Context      Context   `json:"context"`
	Referral     *Referral `json:"referral"`
	wireContent
}

type wireContent struct {
	Type     string    `json:"type"`
	Text     *wireText `json:"text"`
	Image    *Media    `json:"image"`
	Video    *Media    `json:"video"`
	Audio    *Media    `json:"audio"`
	Voice    *Media    `json:"voice"` // older name of a recorded audio
	Document *Media    `json:"document"`
	Sticker  *Media    `json:"sticker"`
	Location *Location `json:"location"`
	Contacts []Card    `json:"contacts"`
	Button   *struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	} `json:"button"`
	Interactive *wireInteractive `json:"interactive"`
	Order       *Order           `json:"order"`
	Reaction    *Reaction        `json:"reaction"`
	System      *wireSystem      `json:"system"`
	Errors      []Failure        `json:"errors"`
	Unsupported *struct {
		Type string `json:"type"`
	} `json:"unsupported"`
	Edit *struct {
		ID      string       `json:"original_message_id"`
		Message *wireContent `json:"message"`
	} `json:"edit"`
	Revoke *struct {
		ID string `json:"original_message_id"`
	} `json:"revoke"`
}

type wireText struct {
	Body string `json:"body"`
}

type wireSystem struct {
	System
	NewWaID string `json:"new_wa_id"` // older name of wa_id
}

type wireInteractive struct {
	Type   string      `json:"type"`
	Button *wireChoice `json:"button_reply"`
	List   *wireChoice `json:"list_reply"`
	Form   *struct {
		Name     string `json:"name"`
		Body     string `json:"body"`
		Response string `json:"response_json"`
	} `json:"nfm_reply"`
}

type wireChoice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func parseMessage(raw json.RawMessage, line Line) Message {
	var w wireMessage
	err := decode(raw, &w)
	m := Message{
		Line: line, ID: w.ID, ParentUserID: w.ParentUserID, GroupID: w.GroupID, Timestamp: w.Timestamp.Time(),
		Context: w.Context, Referral: w.Referral, Raw: raw, Problem: reason(err, ""),
	}
	phone, userID := identify(w.From)
	m.From, m.UserID = phone, cmp.Or(w.UserID, userID)
	w.fill(&m)
	return m
}

// fill sets the type and the content of a message.
func (w *wireContent) fill(m *Message) {
	m.Type, m.Location, m.Cards, m.Order, m.Reaction, m.Errors = w.Type, w.Location, w.Contacts, w.Order, w.Reaction, w.Errors
	if w.Text != nil {
		m.Text = w.Text.Body
	}
	for _, media := range []*Media{w.Image, w.Video, w.Audio, w.Voice, w.Document, w.Sticker} {
		if media != nil {
			m.Media = media
		}
	}
	if w.Voice != nil {
		w.Voice.Voice = true
	}
	m.Reply = w.reply()
	if w.System != nil {
		m.System = &w.System.System
		m.System.WaID = cmp.Or(m.System.WaID, w.System.NewWaID)
	}
	if w.Unsupported != nil {
		m.Unsupported = w.Unsupported.Type
	}
	if w.Edit != nil {
		m.Edit = &Edit{MessageID: w.Edit.ID}
		if w.Edit.Message != nil {
			w.Edit.Message.fill(&m.Edit.Message)
		}
	}
	if w.Revoke != nil {
		m.Revoked = w.Revoke.ID
	}
}

func (w *wireContent) reply() *Reply {
	if w.Button != nil {
		return &Reply{Kind: "button", ID: w.Button.Payload, Title: w.Button.Text}
	}
	if w.Interactive == nil {
		return nil
	}
	r := &Reply{Kind: w.Interactive.Type}
	for _, choice := range []*wireChoice{w.Interactive.Button, w.Interactive.List} {
		if choice != nil {
			r.ID, r.Title, r.Description = choice.ID, choice.Title, choice.Description
		}
	}
	if form := w.Interactive.Form; form != nil {
		r.Form, r.Body, r.Response = form.Name, form.Body, form.Response
	}
	return r
}
