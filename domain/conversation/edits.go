package conversation

import "parley/events"

// edits are the changes of a session's messages, by message. A struck one is
// nil.
type edits map[string]*events.MessageChanges

// editsOf gathers the changes of a session's messages.
func editsOf(session string, facts []events.Event) edits {
	all := edits{}
	for _, fact := range facts {
		switch f := fact.(type) {
		case events.MessageRewritten:
			if f.Session == session {
				all.add(f)
			}
		case events.MessageStruck:
			if f.Session == session {
				all[f.Message] = nil
			}
		}
	}
	return all
}

func (e edits) add(f events.MessageRewritten) {
	was, ok := e[f.Message]
	switch {
	case !ok:
		e[f.Message] = &f.Changes
		return
	case was == nil:
		return // it was struck before
	}
	now := *was
	if f.Changes.Type != nil {
		now.Type = f.Changes.Type
	}
	if f.Changes.Text != nil {
		now.Text = f.Changes.Text
	}
	now.Meta = events.WithKeys(now.Meta, f.Changes.Meta)
	e[f.Message] = &now
}

// written gives a message that was put in as it is now; ok is false for one
// that was struck.
func (e edits) written(f events.MessageWritten) (_ events.MessageWritten, ok bool) {
	c, changed := e[f.Message]
	if !changed {
		return f, true
	}
	if c == nil {
		return f, false
	}
	if c.Type != nil {
		f.Type = *c.Type
	}
	if c.Text != nil {
		f.Text = *c.Text
	}
	f.Meta = events.WithKeys(f.Meta, c.Meta)
	return f, true
}

// said gives what was said as it is now: nothing, if it was struck.
func (e edits) said(entries []Entry) []Entry {
	if len(e) == 0 {
		return entries
	}
	var now []Entry
	for _, entry := range entries {
		c, changed := e[entry.Message]
		switch {
		case !changed:
			now = append(now, entry)
		case c != nil:
			now = append(now, rewritten(entry, *c)...)
		}
	}
	return now
}

// rewritten gives an entry with the changes of its message.
func rewritten(entry Entry, c events.MessageChanges) []Entry {
	if c.Text != nil && entry.Call == nil {
		entry.Text = *c.Text
	}
	if a, err := ActivityOf(c.Meta); err == nil && entry.Call != nil {
		entry.Call = a.call(entry.Message)
	}
	if c.Type == nil {
		return []Entry{entry}
	}
	entry.User, entry.Note = false, false
	switch *c.Type {
	case "user":
		entry.User = true
	case "bot":
	case "context", "instruction", "backstory":
		entry.Note = true
	default:
		return nil
	}
	entry.Call = nil
	return []Entry{entry}
}
