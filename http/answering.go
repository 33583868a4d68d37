package http

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/domain/conversation"
	"parley/events"
	"parley/projections"
)

// answerForms are the forms of an answer of a bot's.
var answerForms = []form{inJSON, inLines, inEvents}

// asking lets a bot answer, and tells its words while they are written. It goes
// on after its handler returned: it may use nothing of the request. It ends
// when its context does.
type asking func(ctx context.Context, token func(string)) (said, error)

// said is what a bot answered.
type said struct {
	messages []events.TurnMessage
	tokens   int
	// end is why it ended, "" when it is simply complete.
	end string
	// position is where in the log it stands; LogStart if it does not.
	position events.Position
}

// text is all that was said.
func (s said) text() string {
	var texts []string
	for _, m := range s.messages {
		if m.Call == nil {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, "\n\n")
}

// id is the ID of what was said last, or else of the turn.
func (s said) id(turn string) string {
	for _, m := range slices.Backward(s.messages) {
		if m.Call == nil {
			return m.ID
		}
	}
	return turn
}

// usage is what an answer cost, as the API shows it.
type usage struct {
	Token int `json:"token"`
}

// ending is why an answer ended, as the API shows it.
type ending struct {
	Reason string `json:"reason"`
}

func (s said) usage() usage { return usage{s.tokens} }

func (s said) ending() ending {
	if s.end == "" {
		return ending{"stop"}
	}
	return ending{s.end}
}

// told is an answer under way.
type told struct {
	token chan string
	over  chan outcome
}

type outcome struct {
	said said
	err  error
}

// answer lets a bot answer, and shows what it said in the form that the caller
// wants: as one object, or as lines with every word as it comes. What fails
// before the first word is an ordinary error. Spec: "Streams and exports",
// conversation streams.
func (c call) answer(ask asking, show func(said) any) error {
	if c.form == inJSON {
		s, err := ask(c.server.life, func(string) {})
		if err != nil {
			return c.server.ended(err)
		}
		c.wrote(s.position)
		return c.JSON(show(s))
	}
	ctx, cancel := context.WithCancel(c.server.life)
	t := told{token: make(chan string), over: make(chan outcome, 1)}
	go t.run(ctx, ask)
	first, end := t.next()
	if end != nil && end.err != nil {
		cancel()
		t.wait()
		return c.server.ended(end.err)
	}
	return c.flow(func(_ context.Context, w writer) error {
		defer t.wait()
		defer cancel()
		err := c.server.ended(t.write(w, first, end, show))
		if errors.Is(err, errUnavailable) {
			return w.tell("error", errUnavailable.body()) // flow keeps silent when the server stops
		}
		return err
	})
}

// ended tells a failure from the stop of the server, which a client may repeat
// its request after.
func (s *Server) ended(err error) error {
	if s.life.Err() != nil && errors.Is(err, context.Canceled) {
		return errUnavailable
	}
	return err
}

func (t told) run(ctx context.Context, ask asking) {
	defer close(t.over)
	s, err := ask(ctx, func(token string) {
		select {
		case t.token <- token:
		case <-ctx.Done():
		}
	})
	t.over <- outcome{s, err}
}

// wait waits for the end, whatever it is.
func (t told) wait() {
	for range t.over {
		continue
	}
}

// next waits for the next word, or the end.
func (t told) next() (token string, end *outcome) {
	select {
	case token = <-t.token:
		return token, nil
	case o := <-t.over:
		return "", &o
	}
}

// write writes an answer while it comes. A client that is gone is no reason to
// go on.
func (t told) write(w writer, token string, end *outcome, show func(said) any) error {
	for ; end == nil; token, end = t.next() {
		if err := w.tell("token", map[string]string{"token": token}); err != nil {
			return err
		}
	}
	if end.err != nil {
		return end.err
	}
	for _, m := range end.said.messages {
		if err := w.tell("message", lineOf(m)); err != nil {
			return err
		}
	}
	return w.tell("result", show(end.said))
}

// lineOf is a message as the line of a stream shows it.
func lineOf(m events.TurnMessage) map[string]any {
	if m.Call == nil {
		return map[string]any{"type": "bot", "text": m.Text}
	}
	return map[string]any{"type": "activity", "text": "", "meta": projections.Message{Call: m.Call}.Meta()}
}

// saidBy is an answer of the engine's.
func saidBy(a conversation.Answer) said {
	return said{messages: a.Messages, tokens: a.Tokens, end: a.End}
}

// unansweredProblem is why there is no answer as clients are told it. What the
// model's server said stays with us.
func unansweredProblem(u *conversation.Unanswered) *problem {
	switch u.Reason {
	case conversation.NoBot:
		return invalid("There is no bot to answer: name a bot or a model")
	case conversation.Deleted:
		return &problem{status: 404, code: "NOT_FOUND", message: u.Detail}
	case conversation.NotConfigured, conversation.EngineInvalid:
		return invalid(u.Detail)
	case conversation.EngineBusy:
		return &problem{status: 503, code: "SERVICE_UNAVAILABLE", message: "The model cannot answer now", retryAfter: 1}
	case conversation.EngineLate:
		return errLate
	}
	return &problem{status: 502, code: "BAD_GATEWAY", message: "The model failed to answer"}
}

// errLate is the problem of an answer that took too long.
var errLate = &problem{status: 504, code: "GATEWAY_TIMEOUT", message: "The model took too long to answer"}
