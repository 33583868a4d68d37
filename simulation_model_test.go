package parley_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"parley/engine"
	"parley/engine/script"
)

// mind is the model of one process.
type mind struct {
	s    *simulation
	mu   sync.Mutex
	busy map[string]bool // by person
}

func (s *simulation) newMind() engine.Engine { return &mind{s: s, busy: map[string]bool{}} }

// Answer answers as planned. It watches that nobody is answered twice at a
// time, and what it is told of the past.
func (m *mind) Answer(ctx context.Context, t engine.Turn) iter.Seq2[engine.Act, error] {
	labels, said := m.past(t)
	person := labels[0][:1]
	return func(yield func(engine.Act, error) bool) {
		m.mu.Lock()
		if m.busy[person] {
			m.s.fail(person, "two turns at a time")
		}
		m.busy[person] = true
		m.mu.Unlock()
		defer func() {
			m.mu.Lock()
			m.busy[person] = false
			m.mu.Unlock()
		}()
		if m.s.dies("in a turn") {
			yield(nil, context.Canceled)
			return
		}
		script.Func(func(engine.Turn) []script.Step { return m.plan(labels, said) }).Answer(ctx, t)(yield)
	}
}

// past reads the messages to answer, and how often the bot said something
// before in this session. What it remembers must be just as much.
func (m *mind) past(t engine.Turn) (labels []string, said int) {
	seen := map[string]bool{}
	for _, message := range t.History {
		mark, _, _ := strings.Cut(message.Text, " ")
		switch {
		case message.Role == engine.Bot && strings.HasPrefix(mark, "#"):
			said++
		case message.Role == engine.User && seen[mark]:
			m.s.fail(mark[:1], "%s stands twice in the history that the model gets", mark)
		}
		seen[mark] = true
	}
	for _, message := range t.Unanswered() {
		labels = append(labels, labelled.FindString(message.Text))
	}
	forgotten := t.Timezone == askedZone && len(t.Memory) == 0 // of a session that is over
	if got := len(t.Memory); got != said && !forgotten {
		m.s.fail(labels[0][:1], "the model answered %d times in this session, and remembers %d (%v)", said, got, labels)
	}
	return labels, said
}

// plan says what a turn comes to. A turn that is asked for again meets other
// troubles.
func (m *mind) plan(labels []string, said int) []script.Step {
	key := strings.Join(labels, ",")
	n := m.s.record.count("asked", key)
	d := m.s.dice("mind", key, n)
	strikes := func(name string, most float64) bool {
		if !m.s.strikes(name, most, key, n) {
			return false
		}
		m.s.tell(key[:1], "the model is asked about %s: %s", key, name)
		m.s.record.failed(labels)
		return true
	}
	transient := &engine.Error{Reason: "the model is overloaded", Transient: true, RetryAfter: time.Duration(d.Int64N(int64(4 * time.Second)))}
	pause := script.Wait(time.Duration(d.Int64N(int64(time.Second))))
	switch {
	case strikes("it fails", 0.5):
		return []script.Step{pause, script.Fail(transient)}
	case strikes("it fails for good", 0.2):
		return []script.Step{pause, script.Fail(&engine.Error{Reason: "the model will not answer this"})}
	case strikes("it stops in the middle", 0.3):
		return []script.Step{script.Say("This is never sent"), pause, script.Fail(transient)}
	case strikes("it breaks off", 0.2):
		return []script.Step{script.Say("This is never sent"), script.Fail(errors.New("unexpected end of stream"))}
	case strikes("it hangs", 0.2):
		return []script.Step{script.Hang()}
	case strikes("it panics", 0.1):
		panic("a bug in the engine")
	case m.s.strikes("it takes its time", 0.8, key, n):
		pause = script.Wait(time.Duration(d.Int64N(int64(40 * time.Second))))
	}
	m.s.tell(key[:1], "the model is asked about %s", key)
	return append([]script.Step{pause}, answers(d, key, said)...)
}

// answers is what a model says that has no troubles.
func answers(d *rand.Rand, key string, said int) []script.Step {
	if d.IntN(12) == 0 { // nothing to say, and what was remembered still holds
		return []script.Step{script.Do(engine.Remember{Memory: make([]byte, said)})}
	}
	steps := []script.Step{
		script.Say(fmt.Sprintf("#%d about %s", said+1, key)),
		script.Do(engine.Remember{Memory: make([]byte, said+1)}, engine.Used{Tokens: 7}),
	}
	for part := range d.IntN(4) {
		steps = append(steps, script.Say(fmt.Sprintf("and %d more about %s", part+1, key)))
	}
	if d.IntN(8) == 0 {
		steps = append(steps, script.Do(engine.Called{Call: engine.Call{ID: "c", Function: "look", Arguments: json.RawMessage(`{}`), Result: json.RawMessage(`1`)}}))
	}
	if d.IntN(10) == 0 {
		steps = append(steps, script.Do(engine.Buttons{Body: "Was it of help?", Buttons: []engine.Button{{ID: "y", Title: "Yes"}, {ID: "n", Title: "No"}}}))
	}
	if d.IntN(10) == 0 {
		steps = append(steps, script.Do(engine.NewConversation{}))
	}
	return steps
}
