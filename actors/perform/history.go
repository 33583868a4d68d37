package perform

import (
	"context"
	"fmt"
	"slices"

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
func (p *Conversation) history(ctx context.Context, stream events.Stream, task conversation.RunTurn) ([]engine.Message, []events.Event, error) {
	facts, err := p.sessionFacts(ctx, stream, task.Turn.Session)
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

// sessionFacts reads a stream backwards to the start of a session, within
// bounds, and gives the facts oldest first.
func (p *Conversation) sessionFacts(ctx context.Context, stream events.Stream, session string) ([]events.Event, error) {
	var facts []events.Event
	size := 0
	for from := events.StreamEnd; from >= events.StreamStart; {
		page, err := p.Store.Read(ctx, stream, from, events.Backwards, historyPage)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			from = r.Revision - 1
			if !conversation.Tells(r.Type) {
				continue
			}
			fact, err := events.Decode(r.Type, r.Data)
			if err != nil {
				return nil, err
			}
			facts = append(facts, fact)
			size += len(r.Data)
			started, ok := fact.(events.SessionStarted)
			if ok && started.Session.ID == session || len(facts) >= historyEvents || size >= historyBytes {
				slices.Reverse(facts)
				return facts, nil
			}
		}
		if len(page) < historyPage {
			break
		}
	}
	slices.Reverse(facts)
	return facts, nil
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
