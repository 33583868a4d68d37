package parley_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/events"
)

// askedZone is the time zone of those who ask: the model knows them by it.
const askedZone = "Parley/Operator"

// ask lets somebody of the business ask the bot, in the sessions that it has
// with a person, who is to notice nothing. What they say is labelled from 500
// on: "a501".
func (s *simulation) ask(c *character) {
	d := s.dice("asks", c.name)
	for n := range d.IntN(5) {
		time.Sleep(wait(d))
		session := s.sessionOf(c)
		if session == "" {
			continue // nobody wrote yet, or the node is not up
		}
		label := fmt.Sprintf("%s%d", c.name, 501+n)
		call := s.leaving(http.MethodPost, "/conversation/"+session+"/complete", object{"text": label})
		if call == nil {
			continue
		}
		s.tell(c.name, "somebody asks %s in %s", label, session)
		a := call()
		s.tell(c.name, "who asked %s gets %d %.200s", label, a.status, a.text)
		s.record.asked(label, a)
		s.record.tally.count(fmt.Sprint("asked, ", a.status), 1)
	}
}

// sessionOf is the newest session of a person's, as far as the API tells.
func (s *simulation) sessionOf(c *character) string {
	list := s.leaving(http.MethodGet, "/conversation/list?take=20", nil)
	if list == nil {
		return ""
	}
	items, _ := list().body["items"].([]any)
	for _, item := range items {
		id := item.(object)["id"].(string)
		messages := s.leaving(http.MethodGet, "/conversation/"+id+"/message/list?take=1", nil)
		if messages == nil {
			return ""
		}
		first, _ := messages().body["items"].([]any)
		if len(first) > 0 && strings.HasPrefix(first[0].(object)["text"].(string), c.name) {
			return id
		}
	}
	return ""
}

// asked notes what came of a call.
func (r *record) asked(label string, a answer) {
	r.Lock()
	defer r.Unlock()
	r.asks[label] = a
}

// auditAsks: what was asked is in the history once, with its answer, if the
// caller has got one; not at all, if they heard that the model failed; and if
// they heard of nothing, one of both.
func (s *simulation) auditAsks(c *character, facts []logged) {
	answers, written := map[string]events.TurnAnswered{}, map[string]int{}
	questions := map[string]string{}
	for _, e := range facts {
		switch f := e.fact.(type) {
		case events.TurnAsked:
			questions[f.Ask.Turn] = f.Text
		case events.MessageWritten:
			written[f.Text]++
		case events.TurnAnswered:
			if f.Asked {
				answers[questions[f.Turn]] = f
			}
		}
	}
	for label, a := range s.record.asks {
		if !strings.HasPrefix(label, c.name) {
			continue
		}
		f, answered := answers[label]
		stands := written[label]
		switch {
		case answered != (stands == 1) || stands > 1:
			s.fail(c.name, "%s stands %d times in the history, answered: %v", label, stands, answered)
		case a.status == http.StatusOK && (!answered || a.body["text"] != wordsOf(f)):
			s.fail(c.name, "who asked %s got %q, stored is %q", label, a.body["text"], wordsOf(f))
		case answered && (a.status == http.StatusBadGateway || a.status == http.StatusServiceUnavailable && strings.Contains(a.text, "model")):
			s.fail(c.name, "who asked %s heard that the model failed, and it is answered", label)
		case a.status == http.StatusInternalServerError || a.status == http.StatusTooManyRequests:
			s.fail(c.name, "who asked %s heard %d %s", label, a.status, a.text)
		}
	}
}

// wordsOf are the words of an answer.
func wordsOf(f events.TurnAnswered) string {
	var texts []string
	for _, m := range f.Messages {
		if m.Call == nil {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, "\n\n")
}
