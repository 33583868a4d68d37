package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"parley/whatsapp"
)

const (
	// Meta: webhooks are repeated with growing waits for up to seven days. Here
	// it ends sooner.
	firstRetry  = time.Second
	maxRetry    = time.Minute
	maxAttempts = 12
	// patience is how long a callback may take to answer.
	patience = 10 * time.Second
	// gathering is how long an update waits for company at most.
	gathering = 500 * time.Millisecond
)

// update is one message or status on its way to the callback.
type update struct {
	// name tells it apart from others of the same person.
	name   string
	person string
	// kind is "messages" or "statuses", the array that item belongs in.
	kind    string
	item    object
	contact object
	fate    fate
	due     time.Time
}

// object is a JSON object.
type object map[string]any

// emit sends an update on its way after a while. Messages keep their order
// among a person's messages, statuses among the person's statuses, unless fate
// has it otherwise. The lock is held.
func (s *Simulator) emit(n *number, u update, after time.Duration) {
	u.fate = s.fate(n.ID, u.person, u.name)
	u.due = time.Now().Add(after + u.fate.delay)
	s.open++
	if u.fate.alone {
		s.start(func() { s.pass(n, u) })
		return
	}
	lane := s.thread(n.ID, u.person).lane(u.kind)
	lane.waiting = append(lane.waiting, u)
	if len(lane.waiting) == 1 {
		s.start(func() { s.drain(n, lane) })
	}
}

// lane is a queue of updates that must keep their order. The first is on its
// way while it stands there.
type lane struct{ waiting []update }

// drain passes on what waits, one after the other, until nothing does.
func (s *Simulator) drain(n *number, l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(l.waiting) > 0 {
		first := l.waiting[0]
		s.mu.Unlock()
		s.pass(n, first)
		s.mu.Lock()
		l.waiting = l.waiting[1:]
	}
}

// pass waits until an update is due and posts it, or leaves it to share
// another's webhook.
func (s *Simulator) pass(n *number, u update) {
	if !s.sleep(s.ctx, time.Until(u.due)) {
		return
	}
	s.mu.Lock()
	if u.kind == "statuses" {
		s.thread(n.ID, u.person).add(Entry{Kind: "status", ID: u.item["id"].(string), Text: u.item["status"].(string)})
	}
	updates := append(n.held, u)
	n.held = nil
	if u.fate.shared && len(updates) == 1 {
		n.held = updates
		s.start(func() { s.flush(n) })
		updates = nil
	}
	s.notify()
	s.mu.Unlock()
	s.post(n, updates)
}

// flush posts what found no company.
func (s *Simulator) flush(n *number) {
	if !s.sleep(s.ctx, gathering) {
		return
	}
	s.mu.Lock()
	updates := n.held
	n.held = nil
	s.mu.Unlock()
	s.post(n, updates)
}

// post delivers updates in one webhook. It returns after the first attempt;
// further ones go on in the background.
func (s *Simulator) post(n *number, updates []update) {
	if len(updates) == 0 {
		return
	}
	s.mu.Lock()
	if n.Callback == "" { // nobody wants to hear of it
		s.open -= len(updates)
		s.notify()
		s.mu.Unlock()
		return
	}
	body := envelope(n.Number, updates)
	index := s.record.addWebhook(n.ID, body)
	s.mu.Unlock()

	delivered := s.attempt(n, index, body)

	s.mu.Lock()
	defer s.mu.Unlock()
	if !delivered {
		s.start(func() { s.repeat(n, index, body, len(updates)) })
		return
	}
	s.settle(index, true, len(updates))
	for _, u := range updates {
		if !u.fate.repeat {
			continue
		}
		s.open++
		s.start(func() {
			if s.sleep(s.ctx, u.fate.again) {
				delivered := s.attempt(n, index, body)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.settle(index, delivered, 1)
			}
		})
		break
	}
}

// repeat tries again, ever more rarely, until the webhook is answered with 200
// or Meta has had enough.
func (s *Simulator) repeat(n *number, index int, body []byte, updates int) {
	delivered := false
	wait := firstRetry
	for try := 1; try < maxAttempts && !delivered; try++ {
		if !s.sleep(s.ctx, wait) {
			return
		}
		delivered = s.attempt(n, index, body)
		wait = min(2*wait, maxRetry)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(index, delivered, updates)
}

// settle counts updates that are no longer under way. The lock is held.
func (s *Simulator) settle(index int, delivered bool, updates int) {
	if delivered {
		s.record.webhooks[index].Delivered = true
	}
	s.open -= updates
	s.notify()
}

// attempt posts a webhook once and reports whether it was answered with 200.
func (s *Simulator) attempt(n *number, index int, body []byte) bool {
	s.mu.Lock()
	callback, secret := n.Callback, n.AppSecret
	s.mu.Unlock()
	status := s.call(callback, secret, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := &s.record.webhooks[index]
	hook.Answers = append(hook.Answers, status)
	s.notify()
	return status == http.StatusOK
}

// call gives the status of the answer, or 0 if there was none.
func (s *Simulator) call(callback, secret string, body []byte) int {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(whatsapp.SignatureHeader, whatsapp.Sign(secret, body))
	response, err := s.deliver.RoundTrip(r)
	if err != nil {
		return 0
	}
	// The connection is kept only if the answer was read.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	_ = response.Body.Close()
	return response.StatusCode
}

// envelope is the body of a webhook.
func envelope(n Number, updates []update) []byte {
	value := object{
		"messaging_product": "whatsapp",
		"metadata":          object{"display_phone_number": n.Display, "phone_number_id": n.ID},
	}
	lists := map[string][]object{}
	seen := map[string]bool{}
	for _, u := range updates {
		lists[u.kind] = append(lists[u.kind], u.item)
		if u.contact != nil && !seen[u.person] {
			seen[u.person] = true
			lists["contacts"] = append(lists["contacts"], u.contact)
		}
	}
	for key, list := range lists {
		value[key] = list
	}
	return encode(object{
		"object": "whatsapp_business_account",
		"entry":  []object{{"id": n.WABAID, "changes": []object{{"field": "messages", "value": value}}}},
	})
}

// encode writes JSON as Meta does on the wire, with everything that is not
// ASCII escaped. What it is given always encodes.
func encode(v any) []byte {
	plain, err := json.Marshal(v)
	if err != nil {
		panic("simulator: encode: " + err.Error())
	}
	return escape(plain)
}
