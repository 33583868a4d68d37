package http

import (
	"context"
	"encoding/json"
	"errors"
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
	if c.form == inJSON {
		return c.exportPage(e, l, p)
	}
	left := total(c.Ctx)
	p.Take = min(left, exportTake)
	first, err := l.page(c.UserContext(), p)
	if err != nil {
		return err
	}
	return c.flow(func(ctx context.Context, w writer) error {
		for found := first; ; {
			for _, x := range found {
				if err := e.tell(ctx, x.shown.(projections.Conversation), func(shown any, _ int) error { return w.tell("item", shown) }); err != nil {
					return err
				}
			}
			left -= len(found)
			if len(found) < p.Take || left == 0 {
				return nil
			}
			p.After, p.Take = found[len(found)-1].seq, min(left, exportTake)
			var err error
			if found, err = l.page(ctx, p); err != nil {
				return err
			}
		}
	})
}

// exportPage answers with a page in JSON.
func (c call) exportPage(e exporter, l rows, p projections.Page) error {
	answer, size := listing{Items: []any{}}, 0
	for left := p.Take; left > 0 && size < maxExport; {
		p.Take = min(left, exportTake)
		found, err := l.page(c.UserContext(), p)
		if err != nil {
			return err
		}
		for _, x := range found {
			if size >= maxExport {
				break
			}
			err := e.tell(c.UserContext(), x.shown.(projections.Conversation), func(shown any, bytes int) error {
				answer.Items, size = append(answer.Items, shown), size+bytes
				return nil
			})
			if err != nil {
				return err
			}
			p.After, answer.Cursor = x.seq, writeCursor(x.seq)
		}
		if left -= len(found); len(found) < p.Take {
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
	base, err := asciiSize(exportedRow{shownConversation: about, Model: about.Model, Backstory: about.Backstory})
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
	encoded, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	size := len(ascii(encoded)) + len(",")
	switch over := i.size + size - maxItem; {
	case over <= 0:
	case i.count > 0:
		return true, nil
	default: // an escape takes at most six bytes a byte
		m.Text = strings.ToValidUTF8(m.Text[:min(len(m.Text), max(0, maxItem-i.size)/8)], "") + " […]"
		if encoded, err = json.Marshal(m); err != nil {
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

// asciiSize is what something takes as ASCII JSON, in bytes.
func asciiSize(shown any) (int, error) {
	encoded, err := json.Marshal(shown)
	return len(ascii(encoded)), err
}
