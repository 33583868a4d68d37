package http

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"parley/projections"
)

// The bounds of an export. An item that grows beyond maxItem, in bytes of ASCII
// JSON, is continued in a further item of the same conversation: readers stop
// at lines of 1 MiB. A page in JSON ends before its time with the conversation
// that makes it larger than maxExport. Spec: "Streams and exports".
const (
	maxItem   = 1<<20 - 16<<10
	maxExport = 8 << 20
	// exportTake and exportMessages are how many rows are read at a time.
	exportTake     = 20
	exportMessages = 200
)

// exportedConversation is a conversation with its messages, or as many of them
// as one item holds.
type exportedConversation struct {
	shownConversation
	Messages []json.RawMessage `json:"messages"`
}

// exportedRow is the same for a table: its messages are lines "type: text".
type exportedRow struct {
	shownConversation
	Model     string `json:"model"`
	Backstory string `json:"backstory"`
	Messages  string `json:"messages"`
}

// exportConversations gives conversations with all their messages.
func (s *Server) exportConversations(c call) error {
	c.current()
	l := c.conversations(func(_ context.Context, x projections.Conversation) (any, error) { return x, nil })
	p, err := page(c.Ctx, true, func(id string) (int64, error) { return l.seqOf(c.UserContext(), id) })
	if err != nil {
		return err
	}
	e := exporter{model: s.model, account: c.account, form: c.form}
	left := p.Take
	if c.form != inJSON {
		left = total(c.Ctx)
	}
	p.Take = exportTake
	all, err := c.way(l, p, left)
	switch {
	case err != nil:
		return err
	case c.form == inJSON:
		return c.exportPage(e, all.items(c.UserContext()))
	}
	return c.flow(func(ctx context.Context, w writer) error {
		return each(all.items(ctx), func(x item) error {
			return e.tell(ctx, x.shown.(projections.Conversation), func(shown any, _ int) error { return w.tell("item", shown) })
		})
	})
}

// exportPage answers with a page in JSON.
func (c call) exportPage(e exporter, all iter.Seq2[item, error]) error {
	answer, size := listing{Items: []any{}}, 0
	for x, err := range all {
		if err == nil {
			err = e.tell(c.UserContext(), x.shown.(projections.Conversation), func(shown any, bytes int) error {
				answer.Items, size = append(answer.Items, shown), size+bytes
				return nil
			})
		}
		if err != nil {
			return err
		}
		answer.Cursor = writeCursor(x.seq)
		if size >= maxExport {
			break
		}
	}
	return c.JSON(answer)
}

// exporter turns conversations into the items of an export.
type exporter struct {
	model   *projections.Model
	account string
	form    form
}

// tell gives the items of a conversation: one, or as many as its messages take.
// One that is deleted meanwhile has none.
func (e exporter) tell(ctx context.Context, x projections.Conversation, give func(shown any, size int) error) error {
	about := showConversation(x)
	_, base, err := sized(exportedRow{shownConversation: about, Model: about.Model, Backstory: about.Backstory})
	if err != nil {
		return err
	}
	i := exportItem{form: e.form, about: about, size: base}
	for p := (projections.Page{Take: exportMessages}); ; {
		messages, err := e.model.Messages(ctx, e.account, x.ID, p)
		if errors.Is(err, projections.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, m := range messages {
			full, err := i.add(showMessage(m))
			if err == nil && full {
				err = give(i.shown(), i.size)
				i = exportItem{form: e.form, about: about, size: base}
				if err == nil {
					_, err = i.add(showMessage(m))
				}
			}
			if err != nil {
				return err
			}
		}
		if len(messages) < p.Take {
			return give(i.shown(), i.size)
		}
		p.After = messages[len(messages)-1].Seq
	}
}

// exportItem is an item that is being filled.
type exportItem struct {
	form     form
	about    shownConversation
	messages []json.RawMessage
	lines    []string
	count    int
	size     int // in bytes of ASCII JSON
}

// add adds a message, unless the item has some already and would be full. A
// message that is too long by itself, as only a bot's can be, is cut.
func (i *exportItem) add(m shownMessage) (full bool, err error) {
	encoded, size, err := sized(m)
	switch over := i.size+size > maxItem; {
	case err != nil:
		return false, err
	case over && i.count > 0:
		return true, nil
	case over: // an escape takes at most six bytes a byte
		m.Text = strings.ToValidUTF8(m.Text[:min(len(m.Text), max(0, maxItem-i.size)/8)], "") + " […]"
		if encoded, size, err = sized(m); err != nil {
			return false, err
		}
	}
	i.size, i.count = i.size+size, i.count+1
	if i.form == inCSV {
		i.lines = append(i.lines, m.Type+": "+m.Text)
	} else {
		i.messages = append(i.messages, encoded)
	}
	return false, nil
}

func (i *exportItem) shown() any {
	if i.form == inCSV {
		return exportedRow{
			shownConversation: i.about, Model: i.about.Model, Backstory: i.about.Backstory, Messages: strings.Join(i.lines, "\n"),
		}
	}
	if i.messages == nil {
		i.messages = []json.RawMessage{}
	}
	return exportedConversation{shownConversation: i.about, Messages: i.messages}
}

// sized gives something as JSON, and what that takes in ASCII, with a comma, in
// bytes.
func sized(shown any) (encoded []byte, size int, err error) {
	encoded, err = json.Marshal(shown)
	return encoded, asciiSize(encoded) + len(","), err
}
