package domain

import (
	"time"

	"parley/events"
)

// Address names one actor: its kind, which is its stream's category, and its
// ID, for example {"bot", "k3v9"}.
type Address struct {
	Kind string `msgpack:"k"`
	ID   string `msgpack:"i"`
}

// Stream is the stream that the actor writes.
func (a Address) Stream() events.Stream { return events.StreamOf(a.Kind, a.ID) }

// String is the stream's name.
func (a Address) String() string { return string(a.Stream()) }

// Command asks an actor to change. It may be put more than once: the ID says
// that it is the same one, and then only the first time counts.
type Command struct {
	ID string
	// At is when it was made.
	At events.Instant
	// Account is the owner on whose behalf it is put; "" stands for the owner
	// of the stream.
	Account string
	// Correlation ties together what one outside request led to; Causation is
	// the ID of what directly led to this command.
	Correlation string
	Causation   string
	// Body is one of the kind's command types, by value.
	Body any
}

// Task is work that a state owes the world. It describes the work completely;
// a performer does it and reports the outcome as a command.
type Task struct {
	// Lane names what must not happen twice at a time: an actor has at most
	// one task of a lane under way.
	Lane string
	// Due is the earliest time to begin; 0 is at once.
	Due events.Instant
	// Body is one of the kind's task types, by value.
	Body any
}

// Decider holds the rules of one kind. All its functions are pure.
type Decider[S any] struct {
	// Kind is the category of the streams.
	Kind string

	// Messages are samples of what the kind is told, asked and answers: its
	// commands, questions and answers, by value. They travel between nodes as
	// msgpack, so every field of theirs is exported.
	Messages []any

	// Decide says what a command leads to: facts, none when it changes
	// nothing, or a refusal (*Error). It does not change the state.
	Decide func(state S, c Command) ([]events.Event, error)

	// Evolve folds one fact into the state. It is total: a fact that does not
	// fit, or is not known, leaves the state as it is.
	Evolve func(state S, fact events.Event) S

	// Route names what the facts of a stream are about, for those who look into
	// the log with other tools: it stands beside each fact as metadata. nil
	// means that the stream's name says it all.
	Route func(id string, state S) events.Route

	// Pending lists the work that is owed, at most one task a lane. nil means
	// that the kind never owes any.
	Pending func(state S) []Task

	// Answer answers a question about the state without changing it. nil means
	// that the kind answers none. The answer must not share memory that Evolve
	// changes.
	Answer func(state S, question any) (any, error)
}

// Owed lists the tasks of a state.
func (d Decider[S]) Owed(state S) []Task {
	if d.Pending == nil {
		return nil
	}
	return d.Pending(state)
}

// Fold folds facts into a state, oldest first.
func (d Decider[S]) Fold(state S, facts ...events.Event) S {
	for _, f := range facts {
		state = d.Evolve(state, f)
	}
	return state
}

// NextDue is when the earliest of the tasks is due: 0 when there is none, and
// at least 1 when there is.
func NextDue(tasks []Task) events.Instant {
	var due events.Instant
	for _, t := range tasks {
		if at := max(t.Due, 1); due == 0 || at < due {
			due = at
		}
	}
	return due
}

// Result tells where a stream stands after a command.
type Result struct {
	// Revision is the stream's last revision; NoStream when it is empty.
	Revision events.Revision `msgpack:"r"`
	// Position is where the command's last fact stands in the log; LogStart
	// when it led to none.
	Position events.Position `msgpack:"p"`
}

// Opt is a value that may be left out: what a partial update needs to tell
// "not mentioned" from "set to nothing".
type Opt[T any] struct {
	Set   bool `msgpack:"s"`
	Value T    `msgpack:"v"`
}

// Some gives a value that is set.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// Or is the value if it is set, else the other one.
func (o Opt[T]) Or(other T) T {
	if o.Set {
		return o.Value
	}
	return other
}

// Day is 24 hours.
const Day = 24 * time.Hour
