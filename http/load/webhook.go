package load

import (
	"strconv"
	"sync/atomic"
	"time"

	"parley/whatsapp"
)

// Webhooks makes signed bodies, each with one new text of one of many senders.
// It may be used concurrently.
type Webhooks struct {
	// PhoneNumberID is the integration's, AppSecret signs.
	PhoneNumberID, AppSecret string
	// Senders is how many people write.
	Senders int
	// Run tells the wamids of one run from those of another.
	Run string

	made atomic.Int64
}

// Next gives the next body and its signature.
func (w *Webhooks) Next() (body []byte, signature string) {
	n := w.made.Add(1)
	sender := strconv.FormatInt(15550000000+n%int64(w.Senders), 10)
	body = make([]byte, 0, 640)
	body = append(body, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"`...)
	body = append(body, w.PhoneNumberID...)
	body = append(body, `"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"`...)
	body = append(body, sender...)
	body = append(body, `"}],"messages":[{"from":"`...)
	body = append(body, sender...)
	body = append(body, `","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA.`...)
	body = append(append(append(body, w.Run...), '.'), strconv.FormatInt(n, 10)...)
	body = append(body, `","timestamp":"`...)
	body = strconv.AppendInt(body, time.Now().Unix(), 10)
	body = append(body, `","type":"text","text":{"body":"Does it come in another color?"}}]},"field":"messages"}]}]}`...)
	return body, whatsapp.Sign(w.AppSecret, body)
}
