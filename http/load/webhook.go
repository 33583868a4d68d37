package load

import (
	"strconv"
	"sync/atomic"
	"time"

	"parley/whatsapp"
)

// Webhooks makes signed bodies, as Meta posts them: new texts of many people,
// and statuses of what was sent to them. It may be used concurrently.
type Webhooks struct {
	// PhoneNumberID is the integration's, AppSecret signs.
	PhoneNumberID, AppSecret string
	// Senders is how many people write.
	Senders int
	// Run tells the wamids of one run from those of another.
	Run string

	made atomic.Int64
}

// Next gives the body of a new text of the next person, and its signature.
func (w *Webhooks) Next() (body []byte, signature string) {
	n := w.made.Add(1)
	return w.text(sender(int(n%int64(w.Senders))), n, "Does it come in another color?")
}

// New gives a text that no other message of the run has, and the body of a
// person's message with it. Persons are numbered from 0.
func (w *Webhooks) New(person int) (text string, body []byte, signature string) {
	n := w.made.Add(1)
	text = "Does number " + strconv.FormatInt(n, 10) + " come in another color?"
	body, signature = w.text(sender(person), n, text)
	return text, body, signature
}

// sender is the wa_id of a person.
func sender(person int) string { return strconv.Itoa(15550000000 + person) }

// head begins every body, up to the ID of the phone number.
const head = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"`

func (w *Webhooks) text(from string, n int64, text string) (body []byte, signature string) {
	body = append(make([]byte, 0, 640), head...)
	body = append(body, w.PhoneNumberID...)
	body = append(body, `"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"`...)
	body = append(body, from...)
	body = append(body, `"}],"messages":[{"from":"`...)
	body = append(body, from...)
	body = append(body, `","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA.`...)
	body = append(append(append(body, w.Run...), '.'), strconv.FormatInt(n, 10)...)
	body = append(body, `","timestamp":"`...)
	body = strconv.AppendInt(body, time.Now().Unix(), 10)
	body = append(body, `","type":"text","text":{"body":`...)
	body = strconv.AppendQuote(body, text)
	body = append(body, `}}]},"field":"messages"}]}]}`...)
	return body, whatsapp.Sign(w.AppSecret, body)
}

// news gives the body with statuses of several messages, and its signature.
func (w *Webhooks) news(all []status) (body []byte, signature string) {
	body = append(make([]byte, 0, 256+400*len(all)), head...)
	body = append(body, w.PhoneNumberID...)
	body = append(body, `"},"statuses":[`...)
	for i, s := range all {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(body, `{"id":"`...), s.wamid...)
		body = append(append(body, `","status":"`...), s.word()...)
		body = append(body, `","timestamp":"`...)
		body = strconv.AppendInt(body, time.Now().Unix(), 10)
		body = append(append(body, `","recipient_id":"`...), s.turn.sender...)
		body = append(append(body, `","biz_opaque_callback_data":"`...), s.opaque...)
		body = append(body, `","pricing":{"billable":false,"pricing_model":"PMP","category":"service","type":"free_customer_service"}}`...)
	}
	body = append(body, `]},"field":"messages"}]}]}`...)
	return body, whatsapp.Sign(w.AppSecret, body)
}
