package http

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"parley/projections"
)

// stream answers with all of a list, page after page, one item at a time. What
// goes wrong before the first item is an ordinary error; later it is a line of
// its own, and the last. Spec: "Streams and exports".
func (c call) stream(l rows, p projections.Page) error {
	p.Take = maxTake
	all, err := c.way(l, p, total(c.Ctx))
	if err != nil {
		return err
	}
	return c.flow(func(ctx context.Context, w writer) error {
		return each(all.items(ctx), func(x item) error { return w.tell("item", x.shown) })
	})
}

// way is a way through a list, from a page on that is read already. Whoever goes
// it needs nothing of the request.
type way struct {
	rows  rows
	page  projections.Page
	found []item // on that page
	// take bounds the items of a page, left those of the whole way.
	take, left int
}

// way begins a way through a list. p.Take bounds its pages, left all of it.
func (c call) way(l rows, p projections.Page, left int) (w way, err error) {
	w = way{rows: l, page: p, take: p.Take, left: left}
	w.page.Take = min(left, w.take)
	w.found, err = l.page(c.UserContext(), w.page)
	return w, err
}

// items gives the items of a way, one after the other.
func (w way) items(ctx context.Context) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for err := error(nil); ; {
			for _, x := range w.found {
				if !yield(x, nil) {
					return
				}
			}
			if w.left -= len(w.found); len(w.found) < w.page.Take || w.left == 0 {
				return
			}
			w.page.After, w.page.Take = w.found[len(w.found)-1].seq, min(w.left, w.take)
			if w.found, err = w.rows.page(ctx, w.page); err != nil {
				yield(item{}, err)
				return
			}
		}
	}
}

// each does something with every item, up to the first error.
func each(all iter.Seq2[item, error], do func(item) error) error {
	for x, err := range all {
		if err == nil {
			err = do(x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// total bounds a stream: the caller's take, or nothing.
func total(c *fiber.Ctx) int {
	take, err := strconv.ParseFloat(c.Query("take"), 64)
	if err != nil || !(take >= 1) || take > math.MaxInt32 {
		return math.MaxInt
	}
	return int(take)
}

// writer writes a stream in one of its forms: entries, each of a type. One has
// reached the client's connection when tell returns. A form that has no place
// for a type leaves it out.
type writer interface {
	tell(kind string, shown any) error
	// beat says that the stream lives, in a form that has a way to.
	beat() error
}

// errGone says that the client does not read any more.
var errGone = errors.New("the client is gone")

// flow answers with a stream. write runs after the handler returned: it may
// use nothing of the request. Its context ends with the server.
func (c call) flow(write func(ctx context.Context, w writer) error) error {
	c.Set(fiber.HeaderContentType, string(c.form))
	c.Set(fiber.HeaderCacheControl, "no-store")
	s, wanted, id := c.server, c.form, requestID(c.Ctx)
	c.Context().SetBodyStreamWriter(func(buffer *bufio.Writer) {
		w := output{buffer}.writer(wanted)
		err := write(s.life, w)
		if err == nil || errors.Is(err, errGone) || s.life.Err() != nil {
			return
		}
		p := problemOf(err)
		if p.status >= 500 {
			s.logger.Error("stream broke off", "request", id, "err", err)
		}
		_ = w.tell("error", p.body()) // nobody is left to be told
	})
	return nil
}

// output is where a stream is written to.
type output struct{ buffer *bufio.Writer }

func (o output) writer(f form) writer {
	switch f {
	case inEvents:
		return eventWriter{o}
	case inCSV:
		return &csvWriter{output: o}
	}
	return lineWriter{o}
}

// write writes and flushes: every item is of use by itself.
func (o output) write(parts ...[]byte) error {
	for _, b := range parts {
		if _, err := o.buffer.Write(b); err != nil {
			return errGone
		}
	}
	if err := o.buffer.Flush(); err != nil {
		return errGone
	}
	return nil
}

// beat writes nothing: who reads lines or tables would take anything for an
// item. Spec: "Streams and exports", wire rules.
func (output) beat() error { return nil }

// entry is one line of a stream.
type entry struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// lineWriter writes a JSON object a line, in plain ASCII: clients decode every
// piece of network data by itself, and would tear other signs apart.
type lineWriter struct{ output }

func (w lineWriter) tell(kind string, shown any) error {
	b, err := json.Marshal(entry{Type: kind, Data: shown})
	if err != nil {
		return err
	}
	return w.write(ascii(b), []byte("\n"))
}

// eventWriter writes server-sent events.
type eventWriter struct{ output }

func (w eventWriter) tell(kind string, shown any) error {
	b, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	return w.write([]byte("event: "+kind+"\ndata: "), ascii(b), []byte("\n\n"))
}

// beat writes a comment, which every client of server-sent events passes over.
func (w eventWriter) beat() error { return w.write([]byte(":\n\n")) }

// ascii writes the characters of a JSON text that are not ASCII as escapes.
func ascii(text []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, r := range string(text) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = append(out, '\\', 'u', digits[unit>>12], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
		}
	}
	return out
}

// asciiSize is the length of ascii's result.
func asciiSize(text []byte) int {
	size := len(text)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r >= utf8.RuneSelf {
			size += len(`\u0000`)*utf16.RuneLen(r) - n
		}
		i += n
	}
	return size
}
