package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"parley/whatsapp"
)

// answer is what comes back for a call.
type answer struct {
	status int
	body   []byte
	way    way
	// delay is before the answer.
	delay time.Duration
	// mime is the type of a body that is not the API's, location where a
	// redirect leads; pace is how the body comes.
	mime, location string
	pace           fileFault
}

func succeed(v any) answer { return answer{status: http.StatusOK, body: encode(v)} }

// serve handles one call to the Graph API, but for the waiting. Files can be
// fetched from origin.
func (s *Simulator) serve(r *http.Request, origin string, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.notify()
	call := Call{At: time.Now(), Kind: "unknown", WithToken: bearer(r) != ""}
	a, found := s.setup(&call, r)
	if !found {
		a, found = s.media(&call, r, origin)
	}
	if !found {
		a = s.route(&call, r.Method, r.URL.Path, r.Header.Get("Authorization"), body)
	}
	if a.way == answered || a.way == inHTML || a.way == withoutID {
		call.Status = a.status
	}
	s.record.calls = append(s.record.calls, call)
	return a
}

var (
	noToken  = refusal{status: 401, code: 104, message: "An access token is required to request this resource"}
	badToken = refusal{status: 401, code: 190, message: "Invalid OAuth access token - Cannot parse access token"}
)

var messagesPath = regexp.MustCompile(`^/v\d+\.\d+/([^/]+)/messages$`)

func (s *Simulator) route(call *Call, method, path, authorization string, body []byte) answer {
	match := messagesPath.FindStringSubmatch(path)
	if match == nil {
		return call.refuse(unknownPath(path))
	}
	call.Number = match[1]
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	if token == "" {
		return call.refuse(noToken)
	}
	n := s.numbers[call.Number]
	if n == nil || method != http.MethodPost {
		return call.refuse(invisible(method, call.Number))
	}
	if token != n.Token {
		return call.refuse(badToken)
	}
	var r request
	if json.Unmarshal(body, &r) != nil {
		return call.refuse(parameter("The request body is not a JSON object of the right types"))
	}
	if r.Product != "whatsapp" {
		return call.refuse(parameter("The parameter messaging_product is required."))
	}
	if r.Status != "" {
		return s.read(call, n, &r)
	}
	return s.send(call, n, &r, body)
}

// read marks a person's messages as read. Meta: it reaches back to all earlier
// ones.
func (s *Simulator) read(call *Call, n *number, r *request) answer {
	call.Kind, call.WAMID = "read", r.MessageID
	if r.Typing != nil {
		call.Kind = "typing"
	}
	t := s.written[r.MessageID]
	if r.Status != "read" || t == nil || t.number != n.ID {
		return call.refuse(refusal{status: 400, code: 131009, message: "Parameter value is not valid", details: "Message ID or status is invalid"})
	}
	t.add(Entry{Kind: call.Kind, ID: r.MessageID})
	return succeed(object{"success": true})
}

// send accepts a message, unless there is a reason not to.
func (s *Simulator) send(call *Call, n *number, r *request, body []byte) answer {
	call.Kind, call.Opaque = "send", r.Opaque
	if bad := r.check(); bad != nil {
		return call.refuse(*bad)
	}
	call.To = r.person()
	t := s.thread(n.ID, call.To)
	role := roleOf(call.To)
	dice := s.dice("send", n.ID, call.To, strconv.Itoa(t.sends))
	fate := role.outcome(t.sends)
	t.sends++
	if s.window && time.Since(t.wrote) > 24*time.Hour && r.Type != "template" {
		fate = outcome{code: 131047}
	}
	if fate.accepts && dice.happens(s.faults.Throttle) {
		fate = outcome{code: []int{130429, 131056}[dice.IntN(2)]}
	}
	if fate.code != 0 {
		return call.refuse(documented(fate.code))
	}
	a := answer{way: fate.way}
	if fate.accepts {
		early := dice.happens(s.faults.Early)
		call.WAMID = s.accept(n, t, r, body, early)
		a = accepted(r, call.WAMID)
		a.way = fate.way
		if early {
			a.delay = dice.upTo(s.faults.MaxDelay)
		}
	}
	switch a.way {
	case inHTML:
		a.status, a.body = http.StatusBadGateway, []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>")
	case withoutID:
		a.body = encode(object{"messaging_product": "whatsapp"})
	}
	return a
}

// accept records a message and sends its statuses on their way. The lock is
// held.
func (s *Simulator) accept(n *number, t *thread, r *request, body []byte, early bool) string {
	wamid := s.wamidOf(n.ID, r.person(), "out", strconv.Itoa(t.accepted))
	t.accepted++
	accepted := Accepted{
		Number: n.ID, To: r.person(), WAMID: wamid, Opaque: r.Opaque, Type: r.Type,
		Payload: append([]byte(nil), body...), At: time.Now(), Dropped: r.isLost(),
	}
	s.record.accepted = append(s.record.accepted, accepted)
	if accepted.Dropped {
		return wamid
	}
	entry := present(body)
	entry.Kind, entry.ID = "bot", wamid
	t.add(entry)
	for i, status := range []string{whatsapp.StatusSent, whatsapp.StatusDelivered, whatsapp.StatusRead} {
		after := statusDelays[i]
		if early {
			after = 0
		}
		code := roleOf(r.person()).fails
		if code != 0 && i > 0 {
			status = whatsapp.StatusFailed
		}
		s.emit(n, t.status(r, wamid, status, code), after)
		if status == whatsapp.StatusFailed {
			break
		}
	}
	return wamid
}

// statusDelays are when a message is sent, delivered and read.
var statusDelays = []time.Duration{30 * time.Millisecond, 150 * time.Millisecond, 600 * time.Millisecond}

// accepted is the answer to a good send.
// Meta: wa_id only for phone numbers, user_id only for user IDs.
func accepted(r *request, wamid string) answer {
	contact := object{"input": r.To, "wa_id": r.person()}
	if r.To == "" {
		contact = object{"input": r.Recipient, "user_id": r.Recipient}
	}
	return succeed(object{
		"messaging_product": "whatsapp",
		"contacts":          []object{contact},
		"messages":          []object{{"id": wamid}},
	})
}

// wamidOf makes an ID like Meta's of a message. Those of another seed are
// others.
func (s *Simulator) wamidOf(parts ...string) string {
	return "wamid." + meaningless(append(parts, strconv.FormatUint(s.seed, 10))...)
}

// meaningless makes 40 characters that have no meaning of their own.
func meaningless(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.StdEncoding.EncodeToString(sum[:30])
}

// wait lets an answer come when and as it is meant to. It reports false if no
// answer comes.
func (s *Simulator) wait(ctx context.Context, a answer) bool {
	if a.way == never {
		select {
		case <-ctx.Done():
		case <-s.ctx.Done():
		}
		return false
	}
	return s.sleep(ctx, a.delay)
}
