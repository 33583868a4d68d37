package perform

import (
	"context"
	"fmt"
	"slices"

	"parley/actors"
	"parley/domain/bot"
	"parley/domain/conversation"
	"parley/engine"
	"parley/events"
)

// The bounds of what is read for one turn: engines cannot take more anyway.
const (
	historyEvents = 2000
	historyBytes  = 4 << 20
	historyPage   = 128
)

// history reads the session of a turn back from its stream, and tells it as
// engines are told.
func (p *Conversation) history(ctx context.Context, w actors.Work, task conversation.RunTurn) ([]engine.Message, []events.Event, error) {
	facts, err := p.sessionFacts(ctx, w.Address.Stream(), w.Revision, task.Turn.Session)
	if err != nil {
		return nil, nil, fmt.Errorf("read the history: %w", err)
	}
	entries := conversation.History(task.Turn.Session, facts)
	messages := make([]engine.Message, len(entries))
	seen := pictures(entries)
	for i, e := range entries {
		messages[i] = told(e)
		if i >= seen {
			messages[i].Images = p.picture(ctx, e.File)
		}
	}
	return messages, facts, nil
}

// told is a line of a history as engines are given it, without its picture.
func told(e conversation.Entry) engine.Message {
	m := engine.Message{Role: engine.Bot, Text: e.Text}
	switch {
	case e.User:
		m.Role = engine.User
	case e.Note:
		m.Role = engine.Context
	}
	if e.Call != nil {
		m.Call = &engine.Call{ID: e.Call.ID, Function: e.Call.Function, Arguments: e.Call.Arguments, Result: e.Call.Result}
	}
	return m
}

// pictures gives the first entry from which on files are shown to the engine.
func pictures(entries []conversation.Entry) int {
	n := 0
	for i, e := range slices.Backward(entries) {
		if e.File != nil {
			n++
		}
		if n == maxPictures {
			return i
		}
	}
	return 0
}

// sessionFacts gives the facts of a session within bounds, oldest first: those
// of the stream's tail, which reaches a revision, and before them what has to
// be read.
func (p *Conversation) sessionFacts(ctx context.Context, stream events.Stream, revision events.Revision, session string) ([]events.Event, error) {
	newest, begins, kept := p.Tails.upTo(stream, revision)
	if i := startOf(newest, session); i >= 0 {
		return factsOf(newest[i:]), nil
	}
	from := events.StreamEnd
	if kept {
		from = begins - 1
	}
	older, err := p.readBack(ctx, stream, from, session, historyEvents-len(newest))
	if err != nil {
		return nil, err
	}
	if kept {
		p.Tails.precede(stream, begins, older)
	}
	return factsOf(append(older.facts, newest...)), nil
}

// readBack reads a stream backwards from a revision to the start of a session,
// but no more than so many facts that are told.
func (p *Conversation) readBack(
	ctx context.Context, stream events.Stream, from events.Revision, session string, most int,
) (read tail, err error) {
	read.from = from + 1
	defer func() { slices.Reverse(read.facts) }()
	for from >= events.StreamStart && len(read.facts) < most && read.size < historyBytes {
		page, err := p.Store.Read(ctx, stream, from, events.Backwards, historyPage)
		if err != nil {
			return read, err
		}
		for _, r := range page {
			if err := read.add(r); err != nil {
				return read, err
			}
			if n := len(read.facts); n > 0 && read.facts[n-1].starts(session) || n >= most || read.size >= historyBytes {
				return read, nil
			}
		}
		if from = read.from - 1; len(page) < historyPage {
			break
		}
	}
	return read, nil
}

// startOf is where a session starts among facts, -1 if it does not.
func startOf(facts []numbered, session string) int {
	for i, f := range slices.Backward(facts) {
		if f.starts(session) {
			return i
		}
	}
	return -1
}

func (f numbered) starts(session string) bool {
	started, ok := f.fact.(events.SessionStarted)
	return ok && started.Session.ID == session
}

func factsOf(all []numbered) []events.Event {
	facts := make([]events.Event, len(all))
	for i, f := range all {
		facts[i] = f.fact
	}
	return facts
}

// newestWAMID is that of the newest message that a turn answers.
func newestWAMID(facts []events.Event, turn events.OpenTurn) string {
	if len(turn.Messages) == 0 {
		return ""
	}
	newest := turn.Messages[len(turn.Messages)-1].Message
	for _, fact := range slices.Backward(facts) {
		if f, ok := fact.(events.MessageReceived); ok && f.Message == newest {
			return f.WAMID
		}
	}
	return ""
}

// botAt gives a bot's settings as they were at a revision of its stream.
func (p *Conversation) botAt(ctx context.Context, id string, revision events.Revision) (events.BotSettings, error) {
	decider := bot.New()
	var state bot.State
	for from := events.StreamStart; from <= revision; {
		page, err := p.Store.Read(ctx, events.StreamOf(events.BotCategory, id), from, events.Forwards, historyPage)
		if err != nil {
			return state.Settings, fmt.Errorf("read the bot: %w", err)
		}
		for _, r := range page {
			if r.Revision > revision {
				return state.Settings, nil
			}
			fact, err := events.Decode(r.Type, r.Data)
			if err != nil {
				return state.Settings, err
			}
			state, from = decider.Evolve(state, fact), r.Revision+1
		}
		if len(page) < historyPage {
			break
		}
	}
	return state.Settings, nil
}
